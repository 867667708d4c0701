/*
 * The advisory locks of PostgreSQL that the service takes, in one place, so that no two pieces of work share a number by chance.
 * Any number will do; it must never change, for replicas of two versions may run side by side.
 */

/** Serialises those who make or drop partitions, over all replicas. */
export const PARTITION_LOCK = 7_310_001;

/** Held for the length of a step of a replay: one at a time over all replicas. */
export const REPLAY_LOCK = 7_310_002;

/** Held for the length of a batch: one replica at a time enforces the retention of set-aside messages. */
export const RETENTION_LOCK = 7_310_003;

/** Held shared by whoever writes what may name a user, alone by whoever erases one. */
export const ERASURE_LOCK = 7_310_004;

/** Held for the length of a step of an erasure: one at a time over all replicas. */
export const ERASURE_STEP_LOCK = 7_310_005;

/** Makes what one step of the roll-ups' keeper does invisible to all others until it is committed. */
export const ROLLUP_LOCK = 7_310_006;

/** Held while storage is looked after: one replica at a time does it. */
export const STORAGE_LOCK = 7_310_017;

/** One replica counts presence at a time. */
export const COUNTING_LOCK = 7_318_204;
