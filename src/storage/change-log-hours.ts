import { Injectable } from '@nestjs/common';
import { PARTITION_LOCK } from './advisory-locks.js';
import { UNHURRIED } from './patience.js';
import { PrismaService, type Transaction } from './prisma.service.js';

const HOURS_AHEAD = 3;

/** Makes the partitions of the change log, an hour each, and drops those whose time is over. */
@Injectable()
export class ChangeLogHours {
  constructor(private readonly prisma: PrismaService) {}

  async addAhead(): Promise<void> {
    await this.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      await addLogHours(tx, HOURS_AHEAD);
    });
  }

  /**
   * Drops the hours that were over before so many hours.
   * @returns the names of those dropped.
   */
  async drop(keepHours: number): Promise<readonly string[]> {
    const rows = await this.prisma.$queryRawUnsafe<{ name: string }[]>(HOURS_OVER, keepHours);
    for (const { name } of rows) await this.dropHour(name);
    return rows.map(({ name }) => name);
  }

  /** While no log is kept, what happens is in none: whoever has a place in the log from before must not go on from there. */
  async break(): Promise<void> {
    await this.prisma.$executeRawUnsafe(`UPDATE "ChangeLogState" SET "epoch" = gen_random_uuid()`);
  }

  private async dropHour(name: string): Promise<void> {
    await this.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe(`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`);
      // A writer may hold the parent for a moment; give up rather than make every writer queue behind us.
      await tx.$executeRawUnsafe(`SET LOCAL lock_timeout = '2s'`);
      await tx.$executeRawUnsafe(`ALTER TABLE "ChangeLog" DETACH PARTITION "partitions"."${name}"`);
      await tx.$executeRawUnsafe(`SELECT "partitions"."forget_changes"($1::text)`, name);
      await tx.$executeRawUnsafe(`DROP TABLE "partitions"."${name}"`);
    }, UNHURRIED);
  }
}

/**
 * Makes the partitions of this hour and of the next ones. The log goes by the database's clock, of which there is one: nobody has
 * to know the hour.
 */
export async function addLogHours(tx: Transaction, ahead: number): Promise<void> {
  await tx.$executeRawUnsafe(
    `SELECT "partitions"."add_hour"('ChangeLog', clock_timestamp() + ahead * INTERVAL '1 hour') FROM generate_series(0, $1::int) AS ahead`,
    ahead,
  );
}

/** $1 hours to keep. Names end with the hour (UTC) that they hold. */
const HOURS_OVER = `
SELECT c."relname"::text AS "name" FROM pg_class c JOIN pg_inherits i ON i."inhrelid" = c."oid"
WHERE i."inhparent" = '"ChangeLog"'::regclass AND c."relkind" = 'r'
  AND to_timestamp(right(c."relname", 13) || ' +00', 'YYYY_MM_DD_HH24 TZH') + ($1::int + 1) * INTERVAL '1 hour' <= clock_timestamp()
ORDER BY 1`;
