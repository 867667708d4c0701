import { REST, type Retention } from '../domain/retention.js';
import { PARTITION_LOCK } from './advisory-locks.js';
import type { LongWork } from './long-work.js';
import { partitionNamed } from './partition-names.js';

const BATCH_SERIES = 500;
const LOCK_MS = 5_000;
const COLUMNS = [
  ...['seriesId', 'step', 'from', 'until', 'start', 'base', 'count', 'unit'],
  ...['high', 'low', 'small', 'wide', 'numbers', 'json', 'several'],
]
  .map((name) => `"${name}"`)
  .join(', ');

interface Month {
  readonly month: string;
  readonly products: string;
}

/**
 * Brings chunks in line with the rules: those that were packed before their product had a retention of its own move from the rest
 * to partitions of that product, which are dropped when their time has come. There is one chunk for some hundred readings.
 */
export class ChunkSorter {
  constructor(
    private readonly db: LongWork,
    private readonly retention: Retention,
    private readonly now: Date,
    private readonly goOn: () => boolean = () => true,
  ) {}

  /** @returns how many chunks were moved. */
  async sort(): Promise<number> {
    const rules = [...this.retention.products.keys()].sort();
    const months = await this.db.query<Month>(
      `SELECT "month"::text, "products" FROM "StorageMonth"
       WHERE "table" = 'PropertyReading' AND "product" = '' AND "products"::jsonb <> $1::text::jsonb ORDER BY 1`,
      JSON.stringify(rules),
    );
    let moved = 0;
    for (const { month, products } of months) {
      const sorted = new Set(JSON.parse(products) as string[]);
      for (const product of rules.filter((rule) => !sorted.has(rule))) {
        moved += await this.move(product, month);
        if (!this.goOn()) return moved;
      }
      await this.db.query(
        `UPDATE "StorageMonth" SET "products" = $2 WHERE "table" = 'PropertyReading' AND "product" = '' AND "month" = $1::date`,
        month,
        JSON.stringify(rules),
      );
    }
    return moved;
  }

  private async move(product: string, month: string): Promise<number> {
    const name = `ReadingChunk_${month < '2015' ? 'before' : month.slice(0, 7).replace('-', '_')}`;
    const partition = partitionNamed(name);
    const [there] = await this.db.query<{ there: boolean }>(
      `SELECT to_regclass($1) IS NOT NULL AS "there"`,
      `"partitions"."${name}"`,
    );
    if (partition === null || there?.there !== true) return 0;
    const kept = !this.retention.expired(partition.end, this.now).includes(product);
    let moved = 0;
    for (let last = 0; this.goOn();) {
      const series = await this.db.query<{ id: number }>(
        `SELECT p."id" FROM "DeviceProperty" p JOIN "Device" d ON d."id" = p."deviceId"
         WHERE d."productKey" = $1 AND p."id" > $2::int ORDER BY 1 LIMIT ${BATCH_SERIES}`,
        product,
        last,
      );
      if (series.length === 0) break;
      last = series.at(-1)?.id ?? last;
      moved += await this.moveSeries(
        name,
        product,
        month,
        kept,
        series.map(({ id }) => id),
      );
    }
    return moved;
  }

  private async moveSeries(
    name: string,
    product: string,
    month: string,
    kept: boolean,
    series: readonly number[],
  ): Promise<number> {
    return this.db.inTransaction(LOCK_MS, async () => {
      if (kept) {
        await this.db.query(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
        await this.db.query(`SELECT "partitions"."add_chunks"($1, $2::date)`, product, month);
      }
      const [moved] = await this.db.query<{ chunks: number; readings: string }>(
        `WITH moved AS (
           DELETE FROM "partitions"."${name}" WHERE "seriesId" = ANY($1::int[]) RETURNING *
         ), put AS (
           INSERT INTO "ReadingChunk" (${COLUMNS}, "product") SELECT ${COLUMNS}, $2::text FROM moved WHERE $3::boolean
         )
         SELECT count(*)::int AS "chunks", coalesce(sum("count"), 0)::text AS "readings" FROM moved`,
        series,
        product,
        kept,
      );
      if (!moved || moved.chunks === 0) return 0;
      await this.db.query(
        `INSERT INTO "StorageMonth" AS m ("table", "month", "product", "packed")
         SELECT 'PropertyReading', $1::date, c.product, c.grown
         FROM unnest($2::text[], $3::int8[]) AS c(product, grown)
         ON CONFLICT ("table", "month", "product") DO UPDATE SET "packed" = m."packed" + excluded."packed"`,
        month,
        kept ? [REST, product] : [REST],
        kept ? [`-${moved.readings}`, moved.readings] : [`-${moved.readings}`],
      );
      return moved.chunks;
    });
  }
}
