import { Injectable } from '@nestjs/common';
import { column } from './columns.js';
import { databaseFault } from './database-fault.js';
import { UNHURRIED } from './patience.js';
import { Partitions, utcDay } from './partitions.js';
import { PrismaService, type Transaction } from './prisma.service.js';
import { advance, DAY_MS, floor, holdState, HOUR_MS, noteState, type RollupState, ROLLUPS_FROM } from './rollup-state.js';
import * as sql from './rollup-statements.js';
import type { Bounds } from './reading-source.js';

/** What a step did, or null when there was nothing to do. */
export type StepDone = { readonly done: number } | null;

interface Marked {
  readonly seriesId: number;
  readonly day: number;
}

/**
 * Makes roll-ups in small steps, each a transaction that also notes how far it came: whoever goes on, after a crash or in another
 * replica, goes on from there. A row is made only of time that is ready (see `advance`), and from then on it is right unless
 * its day is marked.
 */
@Injectable()
export class Rollups {
  constructor(
    private readonly prisma: PrismaService,
    private readonly partitions: Partitions,
  ) {}

  /** Moves up to where roll-ups may reach; false if some transaction stands in the way. */
  advance(now: Date, waitMs = 5_000): Promise<boolean> {
    return advance(this.prisma, now, waitMs);
  }

  /** Rolls marked days up again. */
  async redo(now: Date, atMost: number): Promise<StepDone> {
    return this.step(now, async (tx, { ready }, make) => {
      const marks = await tx.$queryRawUnsafe<Marked[]>(sql.TAKE_MARKS, atMost);
      for (const [day, seriesIds] of byDay(marks)) await make(seriesIds, { low: day, high: day + DAY_MS }, ready);
      return marks.length > 0 ? { done: marks.length } : null;
    });
  }

  /** Rolls up the hours that are over, of series that had many readings lately. */
  async nextHour(now: Date, atMost: number): Promise<StepDone> {
    return this.step(now, async (tx, state, make) => {
      const low = Math.max(state.hoursUntil, floor(state.ready, DAY_MS));
      const high = low + HOUR_MS;
      if (high > state.ready) return null;
      const after = low === state.hoursUntil ? state.hoursSeries : 0;
      const seriesIds = await seriesOf(tx, sql.SERIES_DENSE, { low, high }, after, atMost);
      await make(seriesIds, { low, high }, state.ready);
      const last = seriesIds.at(-1);
      const over = seriesIds.length < atMost || last === undefined;
      await noteState(tx, over ? { hoursUntil: high, hoursSeries: 0 } : { hoursUntil: low, hoursSeries: last });
      return { done: seriesIds.length };
    });
  }

  /** Rolls up the days that are over. */
  async nextDay(now: Date, atMost: number): Promise<StepDone> {
    return this.step(now, async (tx, state, make) => {
      const low = state.daysUntil;
      const high = low + DAY_MS;
      if (high > state.ready) return null;
      const seriesIds = await seriesOf(tx, sql.SERIES_HEARD, { low, high }, state.daysSeries, atMost);
      await make(seriesIds, { low, high }, state.ready);
      const last = seriesIds.at(-1);
      const over = seriesIds.length < atMost || last === undefined;
      await noteState(tx, over ? { daysUntil: high, daysSeries: 0 } : { daysSeries: last });
      return { done: seriesIds.length };
    });
  }

  /** Rolls up what was there before the roll-ups were: month after month into the past. */
  async nextPast(now: Date, atMost: number): Promise<StepDone> {
    return this.step(now, async (tx, state, make) => {
      const high = state.daysFrom;
      if (state.pastDone || high > state.ready) return null;
      const low = Math.max(ROLLUPS_FROM, monthOf(high - 1));
      const seriesIds = await seriesOf(tx, sql.SERIES_HEARD, { low, high }, state.pastSeries, atMost);
      await make(seriesIds, { low, high }, state.ready);
      const last = seriesIds.at(-1);
      if (seriesIds.length === atMost && last !== undefined) {
        await noteState(tx, { pastSeries: last });
      } else {
        const further = await tx.$queryRawUnsafe<{ id: number }[]>(
          `SELECT "id" FROM "Device" WHERE "firstSeen" < $1::text::timestamptz LIMIT 1`,
          new Date(low).toISOString(),
        );
        await noteState(tx, { daysFrom: low, pastSeries: 0, pastDone: low === ROLLUPS_FROM || further.length === 0 });
      }
      return { done: seriesIds.length };
    });
  }

  private async step(
    now: Date,
    work: (tx: Transaction, state: RollupState, make: Make) => Promise<StepDone>,
  ): Promise<StepDone> {
    const months = new Set<string>();
    const once = (): Promise<StepDone> =>
      this.prisma.inTransaction(async (tx) => {
        // Each statement after this one sees what was committed before the state was had.
        const state = await holdState(tx, now);
        if (!state) return null;
        await tx.$executeRawUnsafe(`SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`);
        return work(tx, state, async (seriesIds, time, ready) => {
          for (let day = time.low; day < time.high; day += DAY_MS) months.add(utcDay(monthOf(day)));
          await remake(tx, seriesIds, time, ready);
        });
      }, UNHURRIED);
    try {
      return await once();
    } catch (error) {
      if (databaseFault(error) !== 'missing-partition') throw error;
      await this.partitions.add([...months].map((day) => ({ table: 'ReadingRollup', day })));
      return once();
    }
  }
}

/** Makes the rows of some series in a stretch of whole hours, as far as it is ready, in place of those that are there. */
type Make = (seriesIds: readonly number[], time: Bounds, ready: number) => Promise<void>;

async function remake(tx: Transaction, seriesIds: readonly number[], time: Bounds, ready: number): Promise<void> {
  if (seriesIds.length === 0) return;
  const run = (statement: string, low: number, high: number): Promise<number> =>
    tx.$executeRawUnsafe(statement, column(seriesIds, Number), new Date(low).toISOString(), new Date(high).toISOString());
  const high = Math.min(time.high, ready);
  const daysHigh = time.low % DAY_MS === 0 ? Math.max(time.low, floor(high, DAY_MS)) : time.low;
  await run(sql.FORGET_ROLLUPS, time.low, time.high);
  if (time.low < daysHigh) await run(sql.ROLL_UP_DAYS, time.low, daysHigh);
  if (daysHigh < high) await run(sql.ROLL_UP_HOURS, daysHigh, high);
}

async function seriesOf(
  tx: Transaction,
  statement: string,
  { low, high }: Bounds,
  after: number,
  atMost: number,
): Promise<number[]> {
  const [from, to] = [new Date(low).toISOString(), new Date(high).toISOString()];
  const rows = await tx.$queryRawUnsafe<{ id: number }[]>(statement, from, to, after, atMost);
  return rows.map(({ id }) => id);
}

/** The series of each day that is marked, each once. */
function byDay(marks: readonly Marked[]): Map<number, number[]> {
  const days = new Map<number, Set<number>>();
  for (const { day, seriesId } of marks) days.set(day, (days.get(day) ?? new Set()).add(seriesId));
  return new Map([...days].map(([day, ids]) => [day, [...ids].sort((a, b) => a - b)]));
}

function monthOf(epochMs: number): number {
  const at = new Date(epochMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
}
