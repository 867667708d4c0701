import { REST, type Retention } from '../domain/retention.js';
import type { LongWork } from './long-work.js';
import { monthOf, type Partition } from './partition-names.js';

/** So many rows are removed in one transaction. */
const BATCH_ROWS = 20_000;
const BATCH_OWNERS = 500;

/** SQL of the rule that a product falls under; `$1` is the products with a rule of their own. */
function ruleOf(product: string): string {
  return `CASE WHEN ${product} = ANY($1::text[]) THEN ${product} ELSE '' END`;
}

type SweptTable = 'PropertyReading' | 'ReadingRollup' | 'EventLog';

const OF_SERIES = {
  column: 'seriesId',
  ids: `SELECT p."id" FROM "DeviceProperty" p JOIN "Device" d ON d."id" = p."deviceId"
    WHERE ${ruleOf('d."productKey"')} = ANY($2::text[]) AND p."id" > $3::int ORDER BY 1 LIMIT ${BATCH_OWNERS}`,
};

/** Whose rows a table holds, and by which column. */
const OWNERS = {
  PropertyReading: OF_SERIES,
  ReadingRollup: OF_SERIES,
  EventLog: {
    column: 'deviceId',
    ids: `SELECT d."id" FROM "Device" d
      WHERE ${ruleOf('d."productKey"')} = ANY($2::text[]) AND d."id" > $3::int ORDER BY 1 LIMIT ${BATCH_OWNERS}`,
  },
};

/**
 * Removes rows from a month that is over for some products and not for others, batch by batch. What is over for all is dropped as
 * a partition instead, and readings that are packed have partitions by product.
 */
export class MonthSweeper {
  private readonly rules: readonly string[];

  constructor(
    private readonly db: LongWork,
    private readonly table: SweptTable,
    private readonly retention: Retention,
    private readonly now: Date,
    private readonly goOn: () => boolean = () => true,
  ) {
    this.rules = [...retention.products.keys()];
  }

  /**
   * Nothing that is older than its retention is written any more, so that a month is swept once, until rules or time change.
   * @returns how many rows it removed.
   */
  async sweep(partitions: readonly Partition[]): Promise<number> {
    const notes = await this.db.query<{ table: string; month: string; swept: string }>(
      `SELECT "table", "month"::text, "swept" FROM "StorageMonth" WHERE "product" = '' AND "table" = $1`,
      this.table,
    );
    const swept = new Map(notes.map((note) => [note.month, note.swept]));
    let removed = 0;
    for (const partition of partitions.filter(({ table }) => table === this.table)) {
      const expired = this.retention.expired(partition.end, this.now);
      const over = JSON.stringify(expired);
      if (this.retention.allExpired(partition.end, this.now)) continue;
      if ((swept.get(monthOf(partition)) ?? '[]') === over) continue;
      removed += await this.sweepOne(partition, expired);
      if (!this.goOn()) break;
      await this.note(partition, over);
    }
    return removed;
  }

  private async sweepOne(partition: Partition, expired: readonly string[]): Promise<number> {
    const removed = expired.length === 0 ? 0 : await this.remove(partition.name, expired);
    if (removed > 0) await this.db.patiently(`VACUUM (ANALYZE) "partitions"."${partition.name}"`);
    return removed;
  }

  private async note(partition: Partition, swept: string): Promise<void> {
    await this.db.query(
      `INSERT INTO "StorageMonth" ("table", "month", "product", "swept") VALUES ($1, $2::date, $3, $4)
       ON CONFLICT ("table", "month", "product") DO UPDATE SET "swept" = excluded."swept"`,
      this.table,
      monthOf(partition),
      REST,
      swept,
    );
  }

  private async remove(name: string, expired: readonly string[]): Promise<number> {
    const { column, ids } = OWNERS[this.table];
    let removed = 0;
    for (let last = 0; this.goOn();) {
      const owners = await this.db.query<{ id: number }>(ids, this.rules, expired, last);
      if (owners.length === 0) break;
      last = owners.at(-1)?.id ?? last;
      removed += await this.removeWhere(
        name,
        `"${column}" = ANY($1::int[])`,
        owners.map(({ id }) => id),
      );
    }
    if (this.table === 'EventLog') {
      const ownerless = `"deviceId" IS NULL AND ${ruleOf('"productKey"')} = ANY($2::text[])`;
      removed += await this.removeWhere(name, ownerless, this.rules, expired);
    }
    return removed;
  }

  private async removeWhere(name: string, condition: string, ...values: readonly unknown[]): Promise<number> {
    const table = `"partitions"."${name}"`;
    for (let removed = 0; ;) {
      const [batch] = await this.db.query<{ count: number }>(
        `WITH gone AS (
           DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${BATCH_ROWS})) RETURNING 1
         ) SELECT count(*)::int AS "count" FROM gone`,
        ...values,
      );
      removed += batch?.count ?? 0;
      if ((batch?.count ?? 0) < BATCH_ROWS || !this.goOn()) return removed;
    }
  }
}
