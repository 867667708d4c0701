import { REST, type Retention } from '../domain/retention.js';
import { PARTITION_LOCK } from './advisory-locks.js';
import { sqlState } from './database-fault.js';
import type { LongWork } from './long-work.js';
import { CHUNK_READINGS, packReadings } from './pack-statements.js';
import { monthOf, type Partition } from './partition-names.js';

/** So many readings, more or less, are packed in one transaction: a fifth of a second, for which a late reading may have to wait. */
const BATCH_READINGS = 20_000;
/** A batch that waits so long for another's row gives way. It is less than a deadlock needs to be noticed: no writer is ever its victim. */
const LOCK_MS = 500;
const TRIES = 5;
const LAST_SERIES = 2_147_483_647;

/** What packing a month came to. */
export interface Packing {
  /** Readings taken from the partition; those of which nothing is kept among them. */
  readonly taken: number;
  /** False when it ended early, or had to leave something to others. */
  readonly complete: boolean;
}

interface Grown {
  readonly product: string;
  readonly grown: number;
  readonly taken: number;
}

/** Packs what the partition of a month holds, in small transactions, series by series. */
export class ReadingPacker {
  private readonly rules: readonly string[];

  constructor(
    private readonly db: LongWork,
    private readonly retention: Retention,
    private readonly now: Date,
    private readonly goOn: () => boolean = () => true,
    private readonly sizes = { batchReadings: BATCH_READINGS, chunkReadings: CHUNK_READINGS },
  ) {
    this.rules = [...retention.products.keys()];
  }

  async pack(partition: Partition): Promise<Packing> {
    await this.makePartitions(partition);
    const table = `"partitions"."${partition.name}"`;
    let taken = 0;
    let complete = true;
    let [series, from] = [-LAST_SERIES - 1, '-infinity'];
    for (;;) {
      if (!this.goOn()) return { taken, complete: false };
      const [edge] = await this.db.query<{ series: number; at: string }>(
        `SELECT "seriesId" AS "series", "at"::text FROM ${table} WHERE ("seriesId", "at") >= ($1::int, $2::timestamptz)
         ORDER BY "seriesId", "at" OFFSET ${this.sizes.batchReadings} LIMIT 1`,
        series,
        from,
      );
      const whole = !edge || edge.series > series;
      const [lastSeries, before] = whole
        ? [(edge?.series ?? LAST_SERIES) - (edge ? 1 : 0), 'infinity']
        : [series, edge.at];
      const packed = await this.packBatch(partition, series, lastSeries, before);
      if (packed === null) complete = false;
      else taken += packed;
      if (!edge) break;
      [series, from] = [edge.series, whole ? '-infinity' : edge.at];
    }
    if (complete) await this.noteComplete(partition);
    return { taken, complete };
  }

  /** @returns how many readings it took, or null when others were in its way. */
  private async packBatch(
    partition: Partition,
    series: number,
    lastSeries: number,
    before: string,
  ): Promise<number | null> {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      try {
        return await this.db.inTransaction(LOCK_MS, () => this.packOnce(partition, series, lastSeries, before));
      } catch (error) {
        const state = sqlState(error);
        // A product with a rule of its own was heard of for the first time just now.
        if (state === '23514') await this.makePartitions(partition);
        else if (state !== '55P03' && state !== '40P01' && state !== '40001') throw error;
      }
    }
    return null;
  }

  private async packOnce(partition: Partition, series: number, lastSeries: number, before: string): Promise<number> {
    const grown = await this.db.query<Grown>(
      packReadings(`"partitions"."${partition.name}"`, this.sizes.chunkReadings),
      series,
      lastSeries,
      before,
      partition.begin?.toISOString() ?? '-infinity',
      partition.end.toISOString(),
      this.rules,
      this.retention.expired(partition.end, this.now),
    );
    await this.db.query(
      `INSERT INTO "StorageMonth" AS m ("table", "month", "product", "packed", "products")
       SELECT 'PropertyReading', $1::date, g.product, g.grown, CASE WHEN g.product = '' THEN $2::text ELSE '[]' END
       FROM unnest($3::text[], $4::int8[]) AS g(product, grown)
       ON CONFLICT ("table", "month", "product") DO UPDATE SET "packed" = m."packed" + excluded."packed",
         "products" = CASE WHEN m."packed" = 0 THEN excluded."products" ELSE m."products" END`,
      monthOf(partition),
      JSON.stringify(this.rules),
      grown.map(({ product }) => product),
      grown.map((each) => each.grown),
    );
    return grown[0]?.taken ?? 0;
  }

  /** One for the rest, and one for each product that has a rule of its own, is there, and has something kept of this month. */
  private async makePartitions(partition: Partition): Promise<void> {
    const expired = this.retention.expired(partition.end, this.now);
    await this.db.inTransaction(LOCK_MS * 10, async () => {
      await this.db.query(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      await this.db.query(
        `SELECT "partitions"."add_chunks"(product, $1::date) FROM (
           SELECT '' AS product UNION ALL
           SELECT product FROM unnest($2::text[]) AS product WHERE EXISTS (SELECT FROM "Device" d WHERE d."productKey" = product)
         ) p WHERE NOT product = ANY($3::text[])`,
        monthOf(partition),
        this.rules,
        expired,
      );
    });
  }

  private async noteComplete(partition: Partition): Promise<void> {
    await this.db.query(
      `UPDATE "StorageMonth" SET "packedAt" = $2::timestamptz WHERE "table" = 'PropertyReading' AND "month" = $1::date AND "product" = $3`,
      monthOf(partition),
      this.now.toISOString(),
      REST,
    );
  }
}
