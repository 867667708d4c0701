import { Injectable } from '@nestjs/common';
import type { MessageKey } from '../domain/decoded-message.js';
import { EVERY_SET_ASIDE, type SetAsideFilter } from '../domain/set-aside-filter.js';
import { Metrics } from '../telemetry/metrics.js';
import { RETENTION_LOCK } from './advisory-locks.js';
import { asSinkError } from './database-fault.js';
import { UNHURRIED } from './patience.js';
import { PrismaService, type Transaction } from './prisma.service.js';
import { Parameters } from './read-columns.js';
import { conditionsOf, timesOf, where } from './set-aside-conditions.js';

/** So many messages are removed in one transaction. */
const BATCH = 1_000;

/**
 * Removes set-aside messages for good: the only place that does. Their keys stay known, so that a message removed here is a
 * duplicate when it is delivered once more, and the counts stay as they are.
 */
@Injectable()
export class SetAsideRemover {
  constructor(
    private readonly prisma: PrismaService,
    private readonly metrics: Metrics,
  ) {}

  /**
   * @returns whether there was such a message.
   * @throws SinkUnavailable
   */
  async one(id: MessageKey): Promise<boolean> {
    const count = await available(
      this.prisma.$executeRawUnsafe(`DELETE FROM "SetAsideMessage" WHERE "id" = $1::uuid`, id),
    );
    this.metrics.setAsideRemoved.inc({ by: 'request' }, count);
    return count > 0;
  }

  /**
   * Removes all of a filter, batch by batch: what was removed before an error stays so.
   * @returns how many there were.
   * @throws SinkUnavailable
   */
  async all(filter: SetAsideFilter): Promise<number> {
    for (let removed = 0; ;) {
      const count = await available(this.prisma.inTransaction((tx) => removeBatch(tx, filter), UNHURRIED));
      this.metrics.setAsideRemoved.inc({ by: 'request' }, count);
      removed += count;
      if (count < BATCH) return removed;
    }
  }

  /**
   * Removes what was received before a time, unless another replica is doing so.
   * @param goOn asked before each batch
   * @returns how many this process removed.
   */
  async expired(before: Date, goOn: () => boolean = () => true): Promise<number> {
    let removed = 0;
    while (goOn()) {
      const count = await this.prisma.inTransaction(async (tx) => {
        const [lock] = await tx.$queryRawUnsafe<{ held: boolean }[]>(
          `SELECT pg_try_advisory_xact_lock(${RETENTION_LOCK}) AS "held"`,
        );
        return lock?.held === true ? removeBatch(tx, { ...EVERY_SET_ASIDE, to: before }) : 0;
      }, UNHURRIED);
      this.metrics.setAsideRemoved.inc({ by: 'retention' }, count);
      removed += count;
      if (count < BATCH) break;
    }
    return removed;
  }
}

async function removeBatch(tx: Transaction, filter: SetAsideFilter): Promise<number> {
  const parameters = new Parameters();
  const conditions = where(parameters, ...conditionsOf(filter), ...timesOf(filter));
  return tx.$executeRawUnsafe(
    `DELETE FROM "SetAsideMessage" WHERE "id" IN (
       SELECT m."id" FROM "SetAsideMessage" m WHERE ${conditions}
       ORDER BY m."receivedAt", m."id" LIMIT ${BATCH} FOR UPDATE)`,
    ...parameters.values,
  );
}

async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asSinkError(error);
  }
}
