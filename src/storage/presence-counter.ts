import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { COUNTING_LOCK } from './advisory-locks.js';
import { column } from './columns.js';
import { describe } from './database-fault.js';
import { fleetChanges, type FleetChange, type FleetState, countChanges, type CountChange } from './fleet-states.js';
import { UNHURRIED } from './patience.js';
import * as sql from './presence-count-statements.js';
import { EVERY_PRODUCT, SPANS, spanStart } from './presence-spans.js';
import { PrismaService, type Transaction } from './prisma.service.js';

/** How soon after something happened the counts tell of it. */
const PAUSE_MS = 1_000;
/** How soon to try again when the database did not answer. */
const RETRY_MS = 15_000;
/** So many devices a transaction: a fraction of a second. */
const DEVICES_AT_ONCE = 500;

interface Device {
  readonly id: number;
  readonly productKey: string;
  readonly low: number;
  readonly before: FleetState;
  readonly was: readonly FleetChange[];
  readonly is: readonly FleetChange[];
}

/**
 * Keeps the counts of the fleet, and how often devices went on- and offline, a moment behind what is written: each batch notes
 * which devices it touched and since when, and here what these counted as is worked out anew from then on. What was counted
 * before is taken back, so that late and repeated messages end in the same counts.
 */
@Injectable()
export class PresenceCounter implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(PresenceCounter.name);
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly prisma: PrismaService) {}

  onApplicationBootstrap(): void {
    this.running = this.workOnce();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Counts whatever was touched until nothing is left, or until another replica is at it. */
  async work(): Promise<void> {
    while (!this.stopped && (await this.isTouched())) {
      const done = await this.prisma.inTransaction(countSome, UNHURRIED);
      if (!done) return;
    }
  }

  private async isTouched(): Promise<boolean> {
    const [row] = await this.prisma.$queryRawUnsafe<unknown[]>('SELECT FROM "PresenceTouched" LIMIT 1');
    return row !== undefined;
  }

  private async workOnce(): Promise<void> {
    let next = PAUSE_MS;
    try {
      await this.work();
    } catch (error) {
      next = RETRY_MS;
      this.log.warn({ msg: 'the fleet could not be counted, trying again soon', reason: describe(error) });
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.workOnce();
    }, next);
    this.timer.unref();
  }
}

/** @returns whether there was something to do, and nobody else at it. */
async function countSome(tx: Transaction): Promise<boolean> {
  const [lock] = await tx.$queryRawUnsafe<{ mine: boolean }[]>(
    `SELECT pg_try_advisory_xact_lock(${COUNTING_LOCK}) AS mine`,
  );
  if (!lock?.mine) return false;
  const touched = await tx.$queryRawUnsafe<{ id: number; low: number }[]>(sql.TAKE_TOUCHED, DEVICES_AT_ONCE);
  if (touched.length === 0) return false;
  const devices = await workedOut(tx, touched);
  await putChanges(tx, devices);
  await addToCounts(tx, devices);
  await addToDays(tx, devices);
  return true;
}

async function workedOut(
  tx: Transaction,
  touched: readonly { readonly id: number; readonly low: number }[],
): Promise<Device[]> {
  const ids = column(touched, ({ id }) => id);
  const lows = column(touched, ({ low }) => new Date(low));
  const ask = <Row>(statement: string): Promise<Row[]> => tx.$queryRawUnsafe<Row[]>(statement, ids, lows);
  // What a writer commits between these questions it notes as touched, too: then it is worked out once more.
  const counted = byDevice(await ask<FleetChange & { id: number }>(sql.COUNTED));
  const lifecycles = byDevice(await ask<{ id: number; at: number; deleted: boolean }>(sql.LIFECYCLES));
  const presence = byDevice(await ask<{ id: number; at: number; online: boolean | null }>(sql.PRESENCE));
  const rows = await ask<{ id: number; productKey: string; knownSince: number | null; before: FleetState | null }>(
    sql.DEVICES_TOUCHED,
  );
  const lowOf = new Map(touched.map(({ id, low }) => [id, low]));
  return rows.map(({ id, productKey, knownSince, before: known }) => {
    const [low, before] = [lowOf.get(id) ?? 0, known ?? 'absent'];
    const facts = { knownSince, lifecycle: lifecycles.get(id) ?? [], presence: presence.get(id) ?? [] };
    return { id, productKey, low, before, was: counted.get(id) ?? [], is: fleetChanges(facts, low, before) };
  });
}

async function putChanges(tx: Transaction, devices: readonly Device[]): Promise<void> {
  const gone = devices.flatMap(({ id, was, is }) => {
    const times = new Set(is.map(({ at }) => at));
    return was.filter(({ at }) => !times.has(at)).map(({ at }) => ({ id, at }));
  });
  const put = devices.flatMap(({ id, was, is }) => {
    const known = new Map(was.map((change) => [change.at, change]));
    return is
      .filter(({ at, state, flips }) => known.get(at)?.state !== state || known.get(at)?.flips !== flips)
      .map((change) => ({ ...change, id }));
  });
  if (gone.length > 0) {
    await tx.$executeRawUnsafe(
      sql.DELETE_CHANGES,
      column(gone, ({ id }) => id),
      column(gone, ({ at }) => new Date(at)),
    );
  }
  if (put.length === 0) return;
  await tx.$executeRawUnsafe(
    sql.PUT_CHANGES,
    column(put, ({ id }) => id),
    column(put, ({ at }) => new Date(at)),
    column(put, ({ state }) => state),
    column(put, ({ flips }) => flips),
  );
}

interface Count {
  readonly productKey: string;
  readonly span: string;
  readonly start: number;
  readonly more: Record<CountChange['state'], number>;
}

async function addToCounts(tx: Transaction, devices: readonly Device[]): Promise<void> {
  const counts = new Map<string, Count>();
  const add = (product: string, { at, state, by }: CountChange, sign: 1 | -1): void => {
    for (const productKey of [product, EVERY_PRODUCT]) {
      for (const span of SPANS) {
        const start = spanStart(span, at);
        const key = `${span} ${start} ${productKey}`;
        const count = counts.get(key) ?? { productKey, span, start, more: { online: 0, offline: 0, unknown: 0 } };
        count.more[state] += by * sign;
        counts.set(key, count);
      }
    }
  };
  for (const { productKey, was, is, before } of devices) {
    for (const change of countChanges(was, before)) add(productKey, change, -1);
    for (const change of countChanges(is, before)) add(productKey, change, 1);
  }
  const rows = [...counts.values()].filter(({ more }) => Object.values(more).some((by) => by !== 0));
  if (rows.length === 0) return;
  await tx.$executeRawUnsafe(
    sql.ADD_TO_COUNTS,
    column(rows, ({ productKey }) => productKey),
    column(rows, ({ span }) => span),
    column(rows, ({ start }) => new Date(start)),
    column(rows, ({ more }) => more.online),
    column(rows, ({ more }) => more.offline),
    column(rows, ({ more }) => more.unknown),
  );
}

async function addToDays(tx: Transaction, devices: readonly Device[]): Promise<void> {
  const rows = devices.flatMap(({ id, was, is }) => {
    const days = new Map<number, number>();
    const add = (changes: readonly FleetChange[], by: 1 | -1): void => {
      for (const { at } of changes.filter(({ flips }) => flips)) {
        const day = spanStart('day', at);
        days.set(day, (days.get(day) ?? 0) + by);
      }
    };
    add(was, -1);
    add(is, 1);
    return [...days].filter(([, more]) => more !== 0).map(([day, more]) => ({ id, day, more }));
  });
  if (rows.length === 0) return;
  await tx.$executeRawUnsafe(
    sql.ADD_TO_DAYS,
    column(rows, ({ day }) => new Date(day).toISOString().slice(0, 10)),
    column(rows, ({ id }) => id),
    column(rows, ({ more }) => more),
  );
}

function byDevice<Row extends { readonly id: number }>(rows: readonly Row[]): Map<number, Row[]> {
  const found = new Map<number, Row[]>();
  for (const row of rows) {
    const known = found.get(row.id);
    if (known) known.push(row);
    else found.set(row.id, [row]);
  }
  return found;
}
