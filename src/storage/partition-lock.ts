/** Serialises those who make or drop partitions, over all replicas. Any number will do; it must never change. */
export const PARTITION_LOCK = 7_310_001;
