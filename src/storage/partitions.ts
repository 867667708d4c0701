import { Injectable } from '@nestjs/common';
import { addLogHours } from './change-log-hours.js';
import { PARTITION_LOCK } from './partition-lock.js';
import { UNHURRIED } from './patience.js';
import { PrismaService } from './prisma.service.js';

/** The tables that are partitioned by month. */
export type MonthlyTable = 'PropertyReading' | 'EventLog' | 'ReadingRollup';

/** A partition that must exist: the one of `table` that holds `day` (UTC, `YYYY-MM-DD`). */
export interface PartitionNeed {
  readonly table: MonthlyTable | 'SeenMessage';
  readonly day: string;
}

const DAY_MS = 86_400_000;

/** What is kept for how long. Undefined keeps everything. */
export interface KeepDays {
  readonly dedupeDays: number;
  readonly retentionReadingsDays?: number | undefined;
  readonly retentionEventsDays?: number | undefined;
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
      await addLogHours(tx, 1);
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
      ReadingRollup: cutoff(keep.retentionReadingsDays),
      EventLog: cutoff(keep.retentionEventsDays),
    };
    const expired = [...(await this.names())].filter((name) => isExpired(name, cutoffs));
    for (const together of withRollups(expired)) await this.drop(together);
    return expired;
  }

  private async drop(names: readonly string[]): Promise<void> {
    await this.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      // A writer may hold the parent for a moment; give up rather than make every writer queue behind us.
      await tx.$executeRawUnsafe(`SET LOCAL lock_timeout = '2s'`);
      for (const name of names) {
        const [table = ''] = name.split('_');
        await tx.$executeRawUnsafe(`ALTER TABLE "${table}" DETACH PARTITION "partitions"."${name}"`);
        await tx.$executeRawUnsafe(`DROP TABLE "partitions"."${name}"`);
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

/** Partitions to be dropped, those of one month's readings and of their roll-ups in one go: neither is ever seen without the other. */
function withRollups(names: readonly string[]): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const group = name.replace(/^ReadingRollup/, 'PropertyReading');
    groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  return [...groups.values()];
}

function isExpired(name: string, cutoffs: Record<PartitionNeed['table'], string>): boolean {
  const [table, ...date] = name.split('_');
  if (table === undefined || !isPartitioned(table, cutoffs)) return false;
  const cutoff = cutoffs[table];
  if (cutoff === '') return false;
  if (date[0] === 'before') return cutoff >= '2015-01-01';
  const [year = 0, month = 0, day] = date.map(Number);
  const end = day === undefined ? Date.UTC(year, month, 1) : Date.UTC(year, month - 1, day + 1);
  return utcDay(end) <= cutoff;
}

function isPartitioned(
  table: string,
  cutoffs: Record<PartitionNeed['table'], string>,
): table is PartitionNeed['table'] {
  return table in cutoffs;
}
