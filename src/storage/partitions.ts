import { Injectable } from '@nestjs/common';
import { PARTITION_LOCK } from './advisory-locks.js';
import { addLogHours } from './change-log-hours.js';
import { monthOf, type MonthlyTable, type Partition, partitionNamed } from './partition-names.js';
import { UNHURRIED } from './patience.js';
import { PrismaService, type Transaction } from './prisma.service.js';
import { type KeepSettings, type MonthNotes, retiredPartitions } from './retired-partitions.js';

/** A partition that must exist: the one of `table` that holds `day` (UTC, `YYYY-MM-DD`). */
export interface PartitionNeed {
  readonly table: Exclude<MonthlyTable, 'ReadingChunk'> | 'SeenMessage';
  readonly day: string;
}

const DAY_MS = 86_400_000;

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
      await addLogHours(tx, 1);
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
   * Drops the partitions of which nothing is kept.
   * @returns the names of those dropped.
   */
  async dropExpired(now: Date, keep: KeepSettings): Promise<readonly string[]> {
    const partitions = [...(await this.names())].flatMap((name) => partitionNamed(name) ?? []);
    const groups = retiredPartitions(partitions, keep, await this.notes(), now);
    for (const group of groups) await this.drop(group);
    return groups.flat().map(({ name }) => name);
  }

  private async notes(): Promise<MonthNotes> {
    const rows = await this.prisma.$queryRawUnsafe<{ table: string; month: string; products: string; swept: string }[]>(
      `SELECT "table", "month"::text, "products", "swept" FROM "StorageMonth" WHERE "product" = ''`,
    );
    const noted = (of: string, column: 'products' | 'swept'): Map<string, string[]> =>
      new Map(rows.filter(({ table }) => table === of).map((row) => [row.month, JSON.parse(row[column]) as string[]]));
    return { sortedBy: noted('PropertyReading', 'products'), sweptRollups: noted('ReadingRollup', 'swept') };
  }

  private async drop(partitions: readonly Partition[]): Promise<void> {
    await this.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      // A writer may hold the parent for a moment; give up rather than make every writer queue behind us.
      await tx.$executeRawUnsafe(`SET LOCAL lock_timeout = '2s'`);
      for (const partition of partitions) {
        const { name, table, product } = partition;
        await tx.$executeRawUnsafe(`ALTER TABLE ${parentOf(partition)} DETACH PARTITION "partitions"."${name}"`);
        await tx.$executeRawUnsafe(`DROP TABLE "partitions"."${name}"`);
        if (table === 'SeenMessage') continue;
        if (table === 'ReadingChunk') await dropEmptyMonth(tx, parentOf(partition));
        await tx.$executeRawUnsafe(
          `DELETE FROM "StorageMonth" WHERE "table" = $1 AND "month" = $2::text::date AND "product" = $3`,
          table === 'ReadingChunk' ? 'PropertyReading' : table,
          monthOf(partition),
          product,
        );
      }
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

/** The month of chunks that was left by the last of its partitions. */
async function dropEmptyMonth(tx: Transaction, month: string): Promise<void> {
  const [left] = await tx.$queryRawUnsafe<unknown[]>(
    `SELECT FROM pg_inherits WHERE inhparent = $1::text::regclass LIMIT 1`,
    month,
  );
  if (left) return;
  await tx.$executeRawUnsafe(`ALTER TABLE "ReadingChunk" DETACH PARTITION ${month}`);
  await tx.$executeRawUnsafe(`DROP TABLE ${month}`);
}

function parentOf(partition: Partition): string {
  return partition.table === 'ReadingChunk'
    ? `"partitions"."ReadingChunk_month_${partition.begin === null ? 'before' : monthOf(partition).slice(0, 7).replace('-', '_')}"`
    : `"${partition.table}"`;
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
