import { REST, Retention, retentionOf, type RetentionSettings } from '../domain/retention.js';
import { monthOf, type Partition } from './partition-names.js';

/** What is kept for how long. */
export interface KeepSettings extends RetentionSettings {
  readonly dedupeDays: number;
}

/** What was noted of a month of readings, in the row of the rest. */
export interface MonthNotes {
  /** By month: the products that chunks were last sorted by. */
  readonly sortedBy: ReadonlyMap<string, readonly string[]>;
  /** By month: the rules whose roll-ups were removed. */
  readonly sweptRollups: ReadonlyMap<string, readonly string[]>;
}

/**
 * The partitions of which nothing is kept, those that have to go together in one group: no reading is ever seen without its
 * roll-up, nor that without its readings. Chunks of one rule may go before the others of their month do, once none among them
 * is of another rule and nothing is rolled up of them.
 */
export function retiredPartitions(
  partitions: readonly Partition[],
  keep: KeepSettings,
  notes: MonthNotes,
  now: Date,
): Partition[][] {
  const { readings, events } = retentionOf(keep);
  const seen = new Retention(keep.dedupeDays);
  const rolledUp = new Set(partitions.filter(({ table }) => table === 'ReadingRollup').map((each) => monthOf(each)));
  const groups = new Map<string, Partition[]>();
  const retire = (partition: Partition, group: string): void => {
    groups.set(group, [...(groups.get(group) ?? []), partition]);
  };
  for (const partition of partitions) {
    const { table, name, end } = partition;
    if (table === 'SeenMessage' || table === 'EventLog') {
      if ((table === 'EventLog' ? events : seen).allExpired(end, now)) retire(partition, name);
    } else if (readings.allExpired(end, now)) retire(partition, monthOf(partition));
    else if (table === 'ReadingChunk' && isRetired(partition)) retire(partition, name);
  }
  return [...groups.values()];

  function isRetired(partition: Partition): boolean {
    const month = monthOf(partition);
    const rule = readings.ruleOf(partition.product);
    if (!readings.expired(partition.end, now).includes(rule)) return false;
    const sortedBy = notes.sortedBy.get(month) ?? [];
    const sorted = partition.product !== REST || [...readings.products.keys()].every((own) => sortedBy.includes(own));
    return sorted && (!rolledUp.has(month) || notes.sweptRollups.get(month)?.includes(rule) === true);
  }
}
