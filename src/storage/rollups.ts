import { Injectable } from '@nestjs/common';
import { column } from './columns.js';
import { databaseFault } from './database-fault.js';
import { Partitions, utcDay } from './partitions.js';
import { UNHURRIED } from './patience.js';
import { PrismaService, type Transaction } from './prisma.service.js';
import { epochMs } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import {
  advance,
  DAY_MS,
  floor,
  holdState,
  HOUR_MS,
  noteState,
  type RollupState,
  ROLLUPS_FROM,
  timeText,
} from './rollup-state.js';
import * as sql from './rollup-statements.js';

/** A step that did something: whether an hour or a day is finished with it, and when that begins (epoch milliseconds). */
export interface StepDone {
  readonly time: number | null;
  readonly finished: boolean;
}

/** Some series, in order. */
interface Series {
  /** As an array literal. */
  readonly ids: string;
  readonly count: number;
  readonly last: number | null;
}

interface Marked {
  readonly seriesId: number;
  readonly day: number;
}

/**
 * Makes roll-ups in small steps, each a transaction that also notes how far it came: whoever goes on, after a crash or in another
 * replica, goes on from there. A row is made only of time that is ready (see `advance`), and from then on it is right unless
 * its day is marked. Each step answers null when there is nothing for it to do, or when another keeper is at it.
 */
@Injectable()
export class Rollups {
  constructor(
    private readonly prisma: PrismaService,
    private readonly partitions: Partitions,
  ) {}

  /**
   * Moves up to where roll-ups may reach; false if some transaction stands in the way. By the clock of the database: there is one
   * of it, and where it is wrong, more is marked and rolled up again than need be.
   */
  async advance(now?: Date, waitMs = 5_000): Promise<boolean> {
    return advance(this.prisma, now ?? (await this.clock()), waitMs);
  }

  private async clock(): Promise<Date> {
    const [row] = await this.prisma.$queryRawUnsafe<{ now: number }[]>(`SELECT ${epochMs('now()')} AS "now"`);
    return new Date(row?.now ?? NaN);
  }

  /** Rolls days up again that are marked. */
  async redo(atMost: number): Promise<StepDone | null> {
    return this.step(async (tx, { ready }, make) => {
      const marks = await tx.$queryRawUnsafe<Marked[]>(sql.TAKE_MARKS, atMost);
      for (const [day, ids] of byDay(marks)) await make(ids, { low: day, high: day + DAY_MS }, ready);
      return marks.length > 0 ? { time: null, finished: false } : null;
    });
  }

  /** Rolls up the hours that are over of a day that is not, of series that had many readings lately. */
  async nextHour(atMost: number): Promise<StepDone | null> {
    return this.step(async (tx, state, make) => {
      const low = Math.max(state.hoursUntil, floor(state.ready, DAY_MS));
      const high = low + HOUR_MS;
      if (high > state.ready) return null;
      const after = low === state.hoursUntil ? state.hoursSeries : 0;
      const series = await seriesOf(tx, sql.SERIES_BUSY, { low, high }, after, atMost);
      await make(series.ids, { low, high }, state.ready);
      const next = placeBehind(series, atMost);
      await noteState(tx, next === 0 ? { hoursUntil: high, hoursSeries: 0 } : { hoursUntil: low, hoursSeries: next });
      return { time: low, finished: next === 0 };
    });
  }

  /** Rolls up the days that are over. */
  async nextDay(atMost: number): Promise<StepDone | null> {
    return this.step(async (tx, state, make) => {
      const low = state.daysUntil;
      if (low + DAY_MS > state.ready) return null;
      const daysSeries = await this.day(tx, { low, after: state.daysSeries, atMost, ready: state.ready }, make);
      await noteState(tx, daysSeries === 0 ? { daysUntil: low + DAY_MS, daysSeries } : { daysSeries });
      return { time: low, finished: daysSeries === 0 };
    });
  }

  /** Rolls up what was there before the roll-ups were: day after day into the past, as far as there are readings. */
  async nextPast(atMost: number): Promise<StepDone | null> {
    return this.step(async (tx, state, make) => {
      const low = state.daysFrom - DAY_MS;
      if (state.pastDone || state.daysFrom > state.ready) return null;
      if (low < ROLLUPS_FROM || (state.pastSeries === 0 && !(await heardBefore(tx, state.daysFrom)))) {
        await noteState(tx, { pastDone: true });
        return { time: null, finished: true };
      }
      const pastSeries = await this.day(tx, { low, after: state.pastSeries, atMost, ready: state.ready }, make);
      await noteState(tx, pastSeries === 0 ? { daysFrom: low, pastSeries } : { pastSeries });
      return { time: low, finished: pastSeries === 0 };
    });
  }

  /** Rolls up a day of some series; answers the last of them, or 0 when there are no more. */
  private async day(
    tx: Transaction,
    { low, after, atMost, ready }: { low: number; after: number; atMost: number; ready: number },
    make: Make,
  ): Promise<number> {
    const time = { low, high: low + DAY_MS };
    const series = await seriesOf(tx, sql.SERIES_HEARD, time, after, atMost);
    await make(series.ids, time, ready);
    return placeBehind(series, atMost);
  }

  private async step(
    work: (tx: Transaction, state: RollupState, make: Make) => Promise<StepDone | null>,
  ): Promise<StepDone | null> {
    const days = new Set<string>();
    const once = (): Promise<StepDone | null> =>
      this.prisma.inTransaction(async (tx) => {
        // Each statement after this one sees all that was committed before the state was had.
        const state = await holdState(tx);
        if (!state) return null;
        await tx.$executeRawUnsafe(
          `SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true),
             set_config('max_parallel_workers_per_gather', '0', true)`, // the other processors are for questions
        );
        return work(tx, state, async (ids, time, ready) => {
          days.add(utcDay(time.low));
          await remake(tx, ids, time, ready);
        });
      }, UNHURRIED);
    for (let known = 0; ; known = days.size) {
      try {
        return await once();
      } catch (error) {
        // Each try comes at least one day further than the one before it.
        if (databaseFault(error) !== 'missing-partition' || days.size === known) throw error;
        await this.partitions.add([...days].map((day) => ({ table: 'ReadingRollup', day })));
      }
    }
  }
}

/** Makes the rows of some series (an array literal) in a day or an hour, as far as it is ready, in place of those that are there. */
type Make = (ids: string, time: Bounds, ready: number) => Promise<void>;

async function remake(tx: Transaction, ids: string, time: Bounds, ready: number): Promise<void> {
  if (ids === '{}') return;
  const high = Math.min(time.high, ready);
  const run = (statement: string, until: number): Promise<number> =>
    tx.$executeRawUnsafe(statement, ids, timeText(time.low), timeText(until));
  await run(sql.FORGET_ROLLUPS, time.high);
  if (high - time.low === DAY_MS) await run(sql.ROLL_UP_DAYS, high);
  else if (time.low < high) await run(sql.ROLL_UP_HOURS, high);
}

async function seriesOf(
  tx: Transaction,
  statement: string,
  { low, high }: Bounds,
  after: number,
  atMost: number,
): Promise<Series> {
  const [series] = await tx.$queryRawUnsafe<Series[]>(statement, timeText(low), timeText(high), after, atMost);
  return series ?? { ids: '{}', count: 0, last: null };
}

/** Where to go on behind these series, or 0 when they are the last. */
function placeBehind({ count, last }: Series, atMost: number): number {
  return count < atMost ? 0 : (last ?? 0);
}

async function heardBefore(tx: Transaction, epochMs: number): Promise<boolean> {
  const rows = await tx.$queryRawUnsafe<object[]>(sql.HEARD_BEFORE, timeText(epochMs));
  return rows.length > 0;
}

/** The series of each day that is marked, each once, as an array literal. */
function byDay(marks: readonly Marked[]): Map<number, string> {
  const days = new Map<number, Set<number>>();
  for (const { day, seriesId } of marks) days.set(day, (days.get(day) ?? new Set()).add(seriesId));
  return new Map(
    [...days].map(([day, ids]) => [
      day,
      column(
        [...ids].sort((a, b) => a - b),
        Number,
      ),
    ]),
  );
}
