import { PARTITION_LOCK } from './advisory-locks.js';
import { sqlState } from './database-fault.js';
import type { LongWork } from './long-work.js';
import { monthOf, type Partition } from './partition-names.js';

/** What came late is packed once a day: each time, the chunks that it falls into are written anew. */
const AGAIN_AFTER_MS = 86_400_000;
/** Whoever waits for the table waits behind us: we give up sooner than anybody notices. */
const LOCK_MS = 200;
/** An index that is smaller is not worth a lock. */
const WORTH_BYTES = 1_048_576;

/** A month for which there is something to do. */
export interface DueMonth {
  readonly partition: Partition;
  /** Whether it has readings to pack; there is space to give back otherwise. */
  readonly rows: boolean;
}

interface Size {
  readonly name: string;
  readonly bytes: number;
}

/** Knows which months have something to pack, and gives back the room of those that were. */
export class SpaceKeeper {
  constructor(private readonly db: LongWork) {}

  /** Of the months that are over: those with readings that have been there for long enough, and those that were emptied. */
  async due(closed: readonly Partition[], now: Date): Promise<DueMonth[]> {
    const sizes = await this.db.query<Size>(
      `SELECT n.name, pg_relation_size(format('"partitions".%I', n.name)::regclass)::float8 AS "bytes"
       FROM unnest($1::text[]) AS n(name)`,
      closed.map(({ name }) => name),
    );
    const filled = new Set(sizes.filter(({ bytes }) => bytes > 0).map(({ name }) => name));
    const notes = await this.db.query<{ month: string; packedAt: Date | null }>(
      `SELECT "month"::text, "packedAt" FROM "StorageMonth" WHERE "table" = 'PropertyReading' AND "product" = ''`,
    );
    const packedAt = new Map(notes.map((note) => [note.month, note.packedAt]));
    const due: DueMonth[] = [];
    for (const partition of closed) {
      const [row] = filled.has(partition.name)
        ? await this.db.query(`SELECT FROM "partitions"."${partition.name}" LIMIT 1`)
        : [];
      const last = packedAt.get(monthOf(partition)) ?? null;
      if (row && last !== null && now.getTime() - last.getTime() < AGAIN_AFTER_MS) continue;
      if (row || last !== null) due.push({ partition, rows: row !== undefined });
    }
    return due;
  }

  /**
   * Gives back the room of what was packed. A month without any row that somebody may see, be it in an old snapshot, needs no
   * partition (a late reading makes one anew); otherwise its indexes are made small again.
   */
  async giveBack(partition: Partition): Promise<void> {
    const table = `"partitions"."${partition.name}"`;
    await this.db.patiently(`VACUUM (ANALYZE) ${table}`);
    for (const name of await this.chunksOf(partition))
      await this.db.patiently(`VACUUM (FREEZE, ANALYZE) "partitions"."${name}"`);
    if ((await this.bytes(table)) === 0 && (await this.drop(partition))) return;
    const [indexes] = await this.db.query<{ bytes: number }>(
      `SELECT pg_indexes_size($1::text::regclass)::float8 AS "bytes"`,
      table,
    );
    if ((indexes?.bytes ?? 0) < WORTH_BYTES + 3 * (await this.bytes(table))) return;
    await this.unlessInTheWay(() => this.db.query(`REINDEX TABLE ${table}`));
  }

  private async drop({ name }: Partition): Promise<boolean> {
    return this.unlessInTheWay(async () => {
      await this.db.query(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      await this.db.query(`LOCK TABLE ONLY "PropertyReading" IN ACCESS EXCLUSIVE MODE`);
      await this.db.query(`LOCK TABLE "partitions"."${name}" IN ACCESS EXCLUSIVE MODE`);
      if ((await this.bytes(`"partitions"."${name}"`)) > 0) return; // somebody wrote to it just now
      await this.db.query(`ALTER TABLE "PropertyReading" DETACH PARTITION "partitions"."${name}"`);
      await this.db.query(`DROP TABLE "partitions"."${name}"`);
    });
  }

  /** @returns whether nobody was in the way. */
  private async unlessInTheWay(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await this.db.inTransaction(LOCK_MS, work);
      return true;
    } catch (error) {
      if (sqlState(error) === '55P03' || sqlState(error) === '40P01') return false;
      throw error;
    }
  }

  private async chunksOf(partition: Partition): Promise<string[]> {
    const suffix = partition.name.slice('PropertyReading'.length);
    const rows = await this.db.query<{ name: string }>(
      `SELECT c.relname::text AS "name" FROM pg_class c
       WHERE c.relnamespace = 'partitions'::regnamespace AND c.relkind = 'r'
         AND c.relname ~ ('^ReadingChunk(_of_[A-Za-z0-9]+)?' || $1 || '$')`,
      suffix,
    );
    return rows.map(({ name }) => name);
  }

  private async bytes(table: string): Promise<number> {
    const [size] = await this.db.query<{ bytes: number }>(
      `SELECT pg_relation_size($1::text::regclass)::float8 AS "bytes"`,
      table,
    );
    return size?.bytes ?? 0;
  }
}
