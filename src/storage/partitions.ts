import { Injectable } from '@nestjs/common';
import { REST, Retention, retentionOf, type RetentionSettings } from '../domain/retention.js';
import { monthOf, type MonthlyTable, type Partition, partitionNamed } from './partition-names.js';
import { UNHURRIED } from './patience.js';
import { PrismaService } from './prisma.service.js';

/** A partition that must exist: the one of `table` that holds `day` (UTC, `YYYY-MM-DD`). */
export interface PartitionNeed {
  readonly table: Exclude<MonthlyTable, 'ReadingChunk'> | 'SeenMessage';
  readonly day: string;
}

/** Serialises those who make or drop partitions, over all replicas. Any number will do; it must never change. */
export const PARTITION_LOCK = 7_310_001;
const DAY_MS = 86_400_000;

/** What is kept for how long. Undefined keeps everything. */
export interface KeepSettings extends RetentionSettings {
  readonly dedupeDays: number;
}

/** Makes partitions ahead of need and drops those whose time is over. One replica at a time does it. */
@Injectable()
export class Partitions {
  constructor(private readonly prisma: PrismaService) {}

  /** Makes the partitions that are missing, whoever else does the same. */
  async add(needs: readonly PartitionNeed[]): Promise<void> {
    const distinct = new Map(needs.map((need) => [partitionName(need), need]));
    await this.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      for (const { table, day } of distinct.values()) {
        const make = table === 'SeenMessage' ? 'add_day' : 'add_month';
        await tx.$executeRawUnsafe(`SELECT "partitions"."${make}"($1::text, $2::text::date)`, table, day);
      }
    });
  }

  /** Makes the partitions of the days and months around `now`, two months ahead. Called at start and then hourly. */
  async addAhead(now: Date, { dedupeDays }: KeepSettings): Promise<void> {
    const needs: PartitionNeed[] = [];
    for (let day = -dedupeDays; day <= 2; day++)
      needs.push({ table: 'SeenMessage', day: utcDay(now.getTime() + day * DAY_MS) });
    for (const table of ['PropertyReading', 'EventLog'] as const) {
      for (const ahead of [0, 1, 2]) needs.push({ table, day: monthAfter(now, ahead) });
    }
    const existing = await this.names();
    const missing = needs.filter((need) => !existing.has(partitionName(need)));
    if (missing.length > 0) await this.add(missing);
  }

  /**
   * Drops the partitions of which nothing is kept: those that lie wholly before what is kept of every product, or, where it holds
   * chunks, of the products that it is for.
   * @returns the names of those dropped.
   */
  async dropExpired(now: Date, keep: KeepSettings): Promise<readonly string[]> {
    const { readings, events } = retentionOf(keep);
    const seen = new Retention(keep.dedupeDays);
    const unsorted = await this.unsortedMonths(readings);
    const isOver = (partition: Partition): boolean => {
      switch (partition.table) {
        case 'SeenMessage':
          return seen.allExpired(partition.end, now);
        case 'EventLog':
          return events.allExpired(partition.end, now);
        case 'PropertyReading':
          return readings.allExpired(partition.end, now);
        case 'ReadingChunk':
          return (
            readings.expired(partition.end, now).includes(readings.ruleOf(partition.product)) &&
            !(partition.product === REST && unsorted.has(monthOf(partition)))
          );
        default:
          return partition.table satisfies never;
      }
    };
    const expired = [...(await this.names())].flatMap((name) => partitionNamed(name) ?? []).filter(isOver);
    for (const partition of expired) await this.drop(partition);
    return expired.map(({ name }) => name);
  }

  /** The months whose chunks have not been sorted by the products that have rules now: some that are kept may be among the rest. */
  private async unsortedMonths(readings: Retention): Promise<ReadonlySet<string>> {
    const rows = await this.prisma.$queryRawUnsafe<{ month: string }[]>(
      `SELECT "month"::text FROM "StorageMonth"
       WHERE "table" = 'PropertyReading' AND "product" = '' AND NOT "products"::jsonb @> $1::text::jsonb`,
      JSON.stringify([...readings.products.keys()]),
    );
    return new Set(rows.map(({ month }) => month));
  }

  private async drop({ name, table, product, ...month }: Partition): Promise<void> {
    const parent =
      table !== 'ReadingChunk'
        ? `"${table}"`
        : `"partitions"."ReadingChunk_${product === REST ? 'rest' : `of_${product}`}"`;
    await this.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      // A writer may hold the parent for a moment; give up rather than make every writer queue behind us.
      await tx.$executeRawUnsafe(`SET LOCAL lock_timeout = '2s'`);
      await tx.$executeRawUnsafe(`ALTER TABLE ${parent} DETACH PARTITION "partitions"."${name}"`);
      await tx.$executeRawUnsafe(`DROP TABLE "partitions"."${name}"`);
      if (table === 'SeenMessage') return;
      await tx.$executeRawUnsafe(
        `DELETE FROM "StorageMonth" WHERE "table" = $1 AND "month" = $2::text::date AND "product" = $3`,
        table === 'ReadingChunk' ? 'PropertyReading' : table,
        monthOf(month),
        product,
      );
    }, UNHURRIED);
  }

  private async names(): Promise<Set<string>> {
    const rows = await this.prisma.$queryRawUnsafe<{ name: string }[]>(
      `SELECT c.relname::text AS name FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
       WHERE c.relnamespace = 'partitions'::regnamespace AND c.relkind = 'r'`,
    );
    return new Set(rows.map(({ name }) => name));
  }
}

/** The UTC day of an instant, as PostgreSQL writes it. */
export function utcDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** The name of a partition, as the function in the migration makes it. */
export function partitionName({ table, day }: PartitionNeed): string {
  const [year = '', month = '', dayOfMonth = ''] = day.split('-');
  if (table === 'SeenMessage') return `${table}_${year}_${month}_${dayOfMonth}`;
  return year < '2015' ? `${table}_before` : `${table}_${year}_${month}`;
}

function monthAfter(now: Date, months: number): string {
  return utcDay(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1));
}
