import { Injectable } from '@nestjs/common';
import { UNHURRIED } from './patience.js';
import { PrismaService } from './prisma.service.js';

/** The tables that are partitioned by month. */
export type MonthlyTable = 'PropertyReading' | 'EventLog';

/** A partition that must exist: the one of `table` that holds `day` (UTC, `YYYY-MM-DD`). */
export interface PartitionNeed {
  readonly table: MonthlyTable | 'SeenMessage';
  readonly day: string;
}

/** Serialises those who make or drop partitions, over all replicas. Any number will do; it must never change. */
const PARTITION_LOCK = 7_310_001;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * $1 how many hours ahead. The log goes by the database's clock, of which there is one: nobody has to know the hour to make its
 * partition.
 */
const ADD_LOG_HOURS = `SELECT "partitions"."add_hour"('ChangeLog', clock_timestamp() + ahead * INTERVAL '1 hour')
  FROM generate_series(0, $1::int) AS ahead`;
const LOG_HOURS_AHEAD = 3;

/** What is kept for how long. Undefined keeps everything. */
export interface KeepDays {
  readonly dedupeDays: number;
  readonly retentionReadingsDays?: number | undefined;
  readonly retentionEventsDays?: number | undefined;
  readonly streamKeepHours?: number | undefined;
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
      await tx.$executeRawUnsafe(ADD_LOG_HOURS, 1);
    });
  }

  /** Makes the partitions of the days and months around `now`, two months ahead. Called at start and then hourly. */
  async addAhead(now: Date, { dedupeDays }: KeepDays): Promise<void> {
    const needs: PartitionNeed[] = [];
    for (let day = -dedupeDays; day <= 2; day++)
      needs.push({ table: 'SeenMessage', day: utcDay(now.getTime() + day * DAY_MS) });
    for (const table of ['PropertyReading', 'EventLog'] as const) {
      for (const ahead of [0, 1, 2]) needs.push({ table, day: monthAfter(now, ahead) });
    }
    const existing = await this.names();
    const missing = needs.filter((need) => !existing.has(partitionName(need)));
    if (missing.length > 0) await this.add(missing);
    await this.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      await tx.$executeRawUnsafe(ADD_LOG_HOURS, LOG_HOURS_AHEAD);
    });
  }

  /**
   * Drops the partitions that lie wholly before what is kept.
   * @returns the names of those dropped.
   */
  async dropExpired(now: Date, keep: KeepDays): Promise<readonly string[]> {
    const cutoff = (days: number | undefined): string =>
      days === undefined ? '' : utcDay(now.getTime() - days * DAY_MS);
    const cutoffs: Record<PartitionNeed['table'], string> = {
      SeenMessage: cutoff(keep.dedupeDays),
      PropertyReading: cutoff(keep.retentionReadingsDays),
      EventLog: cutoff(keep.retentionEventsDays),
    };
    const logFrom = now.getTime() - (keep.streamKeepHours ?? 24) * HOUR_MS;
    const expired = [...(await this.names())].filter(
      (name) => isExpired(name, cutoffs) || logHourOf(name) + HOUR_MS <= logFrom,
    );
    for (const name of expired) await this.drop(name);
    return expired;
  }

  /** While no log is kept, what happens is in none: whoever has a place in the log from before must not go on from there. */
  async breakLog(): Promise<void> {
    await this.prisma.$executeRawUnsafe(`UPDATE "ChangeLogState" SET "epoch" = gen_random_uuid()`);
  }

  private async drop(name: string): Promise<void> {
    const [table = ''] = name.split('_');
    await this.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      // A writer may hold the parent for a moment; give up rather than make every writer queue behind us.
      await tx.$executeRawUnsafe(`SET LOCAL lock_timeout = '2s'`);
      await tx.$executeRawUnsafe(`ALTER TABLE "${table}" DETACH PARTITION "partitions"."${name}"`);
      if (table === 'ChangeLog') await tx.$executeRawUnsafe(`SELECT "partitions"."forget_changes"($1::text)`, name);
      await tx.$executeRawUnsafe(`DROP TABLE "partitions"."${name}"`);
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

/** When the hour of a partition of the log begins; in the far future for other tables. */
function logHourOf(name: string): number {
  const [table, ...numbers] = name.split('_');
  const [year = 0, month = 0, day = 0, hour = 0] = numbers.map(Number);
  return table === 'ChangeLog' ? Date.UTC(year, month - 1, day, hour) : Infinity;
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

function isExpired(name: string, cutoffs: Record<PartitionNeed['table'], string>): boolean {
  const [table, ...date] = name.split('_');
  if (table !== 'SeenMessage' && table !== 'PropertyReading' && table !== 'EventLog') return false;
  const cutoff = cutoffs[table];
  if (cutoff === '') return false;
  if (date[0] === 'before') return cutoff >= '2015-01-01';
  const [year = 0, month = 0, day] = date.map(Number);
  const end = day === undefined ? Date.UTC(year, month, 1) : Date.UTC(year, month - 1, day + 1);
  return utcDay(end) <= cutoff;
}
