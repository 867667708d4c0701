import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { type Retention, retentionOf, type RetentionSettings } from '../domain/retention.js';
import { STORAGE_LOCK } from './advisory-locks.js';
import { ChunkSorter } from './chunk.sorter.js';
import { HourlyTask } from './hourly-task.js';
import { LongWork } from './long-work.js';
import { MonthSweeper } from './month.sweeper.js';
import { monthOf, type Partition, partitionNamed } from './partition-names.js';
import { ReadingPacker } from './reading.packer.js';
import { SpaceKeeper } from './space.keeper.js';

const DAY_MS = 86_400_000;

/** What the keeper needs of the settings. */
export interface StorageSettings extends RetentionSettings {
  readonly databaseUrl: string;
  /** How long after its end a month is packed; undefined never packs. */
  readonly packReadingsAfterDays?: number | undefined;
}

/** What one turn of the work came to. */
export interface StorageWork {
  /** Chunks moved to the partitions of a product with a retention of its own. */
  readonly sorted: number;
  /** Rows removed of products with a shorter retention than others. */
  readonly swept: number;
  /** The readings packed, by month. */
  readonly packed: ReadonlyMap<string, number>;
}

/** Packs the readings of months that are over, and removes what products with a retention of their own do not keep. */
@Injectable()
export class StorageKeeper extends HourlyTask {
  private connection: LongWork | undefined;

  constructor(@Inject(Settings) private readonly settings: StorageSettings) {
    super('months that are over could not be looked after, trying again soon');
  }

  override async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    this.connection?.giveUp();
    await super.onModuleDestroy();
  }

  override async work(): Promise<void> {
    try {
      await this.keep(new Date());
    } catch (error) {
      if (!this.stopped) throw error;
    }
  }

  /**
   * Does all that there is to do at `now`.
   * @returns null when another replica is at it.
   */
  async keep(now: Date): Promise<StorageWork | null> {
    return LongWork.on(this.settings.databaseUrl, async (db) => {
      this.connection = db;
      const [lock] = await db.query<{ held: boolean }>(`SELECT pg_try_advisory_lock(${STORAGE_LOCK}) AS "held"`);
      return lock?.held === true ? this.keepOn(db, now) : null;
    }).finally(() => (this.connection = undefined));
  }

  private async keepOn(db: LongWork, now: Date): Promise<StorageWork> {
    const { readings, events } = retentionOf(this.settings);
    const goOn = (): boolean => !this.stopped;
    const sorted = await new ChunkSorter(db, readings, now, goOn).sort();
    if (sorted > 0) this.log.log({ msg: 'moved packed readings to partitions of their product', chunks: sorted });
    const partitions = await monthlyPartitions(db);
    // What readings were rolled up to goes before them: aggregates are then made from the readings themselves.
    const swept =
      (await new MonthSweeper(db, 'ReadingRollup', readings, now, goOn).sweep(partitions)) +
      (await new MonthSweeper(db, 'PropertyReading', readings, now, goOn).sweep(partitions)) +
      (await new MonthSweeper(db, 'EventLog', events, now, goOn).sweep(partitions));
    if (swept > 0)
      this.log.log({ msg: 'removed what products with a retention of their own do not keep', rows: swept });
    return { sorted, swept, packed: await this.packAll(db, partitions, readings, now) };
  }

  private async packAll(
    db: LongWork,
    partitions: readonly Partition[],
    retention: Retention,
    now: Date,
  ): Promise<ReadonlyMap<string, number>> {
    const packed = new Map<string, number>();
    const days = this.settings.packReadingsAfterDays;
    if (days === undefined) return packed;
    const space = new SpaceKeeper(db);
    const before = now.getTime() - days * DAY_MS;
    const closed = partitions.filter(({ table, end }) => table === 'PropertyReading' && end.getTime() <= before);
    for (const { partition, rows } of await space.due(closed, now)) {
      if (this.stopped) break;
      if (rows) {
        const begun = performance.now();
        const packer = new ReadingPacker(db, retention, now, () => !this.stopped);
        const { taken, complete } = await packer.pack(partition);
        packed.set(monthOf(partition), taken);
        const seconds = Math.round((performance.now() - begun) / 1000);
        this.log.log({ msg: 'packed a month', month: monthOf(partition), readings: taken, complete, seconds });
      }
      if (!this.stopped) await space.giveBack(partition);
    }
    return packed;
  }
}

/** The partitions by month of readings, roll-ups and events, oldest first. */
async function monthlyPartitions(db: LongWork): Promise<Partition[]> {
  const rows = await db.query<{ name: string }>(
    `SELECT c.relname::text AS "name" FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
     WHERE c.relnamespace = 'partitions'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^(PropertyReading|ReadingRollup|EventLog)_'`,
  );
  return rows.flatMap(({ name }) => partitionNamed(name) ?? []).sort((a, b) => a.end.getTime() - b.end.getTime());
}
