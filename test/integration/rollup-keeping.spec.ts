import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import { partialAggregates, type PartialsQuestion } from '../../src/storage/partial-aggregates.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { rolledPartials } from '../../src/storage/rolled-partials.js';
import { RollupProgress } from '../../src/storage/rollup-progress.js';
import { DAY_MS, HOUR_MS } from '../../src/storage/rollup-state.js';
import { RollupKeeper } from '../../src/storage/rollup.keeper.js';
import { Rollups } from '../../src/storage/rollups.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { INSERT_READINGS } from '../../src/storage/write-statements.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { bothAnswers, rollUpAll, rollUpReady } from '../support/rollups.js';
import { until } from '../support/until.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';

const MINUTE_MS = 60_000;
const DAY = Date.UTC(2026, 10, 18);
const device = { productKey: 'pk', deviceName: 'd' };

let store: TestStore;
let rollups: Rollups;
beforeEach(async () => {
  store = await openStore();
  rollups = new Rollups(store.prisma, store.partitions);
});
afterEach(() => store.close());

/** A reading every two minutes, from `from` to before `to`: enough of them for each hour to be rolled up. */
async function report(from: number, to: number, value = '1.5', stepMs = 2 * MINUTE_MS): Promise<void> {
  const readings = Array.from({ length: (to - from) / stepMs }, (_, index) => ({
    identifier: 'p',
    value: { kind: 'number' as const, text: value },
    at: new Date(from + index * stepMs),
  }));
  const event: DeviceEvent = { kind: 'properties-reported', device, at: new Date(from), readings };
  await store.writer.write([decodedAs([event])]);
}

async function ask(low: number, high: number, stepMs = HOUR_MS): Promise<PartialsQuestion> {
  const [series] = await store.prisma.$queryRawUnsafe<{ id: number }[]>(`SELECT "id" FROM "DeviceProperty"`);
  const stretches = Array.from({ length: (high - low) / stepMs }, (_, index) => ({
    low: low + index * stepMs,
    high: low + (index + 1) * stepMs,
  }));
  return { seriesIds: [series?.id ?? 0], stretches, ends: true };
}

/** How many readings the two answers count; they must be the same. */
async function counted(question: PartialsQuestion): Promise<number> {
  const { raw, rolled } = await bothAnswers(store.prisma, question);
  expect(rolled).toEqual(raw);
  return raw.reduce((sum, { count }) => sum + count, 0);
}

/** How many readings the answer with roll-ups counts when the readings themselves are gone. */
async function countedWithoutReadings(question: PartialsQuestion): Promise<number> {
  const gone = new Error('rolled back');
  let count = NaN;
  await expect(
    store.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe('DELETE FROM "PropertyReading"');
      const answer = await rolledPartials((sql, ...given) => tx.$queryRawUnsafe(sql, ...given), question);
      count = answer.reduce((sum, partial) => sum + partial.count, 0);
      throw gone;
    }),
  ).rejects.toBe(gone);
  return count;
}

const progress = (): ReturnType<RollupProgress['now']> => new RollupProgress(store.prisma).now();

describe('the keeper of roll-ups', () => {
  it('answers days that are over, and the hours of today, without reading a single reading', async () => {
    await report(DAY - DAY_MS, DAY + 10 * HOUR_MS);
    const question = await ask(DAY - DAY_MS, DAY + 10 * HOUR_MS);
    await rollUpAll(rollups, new Date(DAY + HOUR_MS / 2));
    await rollUpAll(rollups, new Date(DAY + 8.5 * HOUR_MS));
    expect(await counted(question)).toBe(34 * 30);
    expect(await countedWithoutReadings(question)).toBe(32 * 30);
    const days = await ask(DAY - DAY_MS, DAY + DAY_MS, DAY_MS);
    expect(await countedWithoutReadings(days)).toBe(32 * 30);
  });

  it('answers minutes of hours with many readings, also in a time zone that is half an hour off', async () => {
    await report(DAY, DAY + 2 * HOUR_MS, '7', 5_000);
    await rollUpAll(rollups, new Date(DAY + 2 * DAY_MS));
    const question = await ask(DAY - HOUR_MS / 2, DAY + 2.5 * HOUR_MS);
    expect(await counted(question)).toBe(2 * 720);
    expect(await countedWithoutReadings(question)).toBe(2 * 720);
  });

  it('leaves a day to the readings from the moment in which one of them comes late until it is rolled up again', async () => {
    await report(DAY, DAY + DAY_MS);
    await rollUpAll(rollups, new Date(DAY + 2 * DAY_MS));
    await report(DAY + MINUTE_MS, DAY + 2 * MINUTE_MS, '99', MINUTE_MS);
    expect(await progress()).toMatchObject({ markedDays: 1 });
    const question = await ask(DAY, DAY + DAY_MS, DAY_MS);
    expect(await counted(question)).toBe(721);
    expect(await countedWithoutReadings(question)).toBe(0);
    await rollUpReady(rollups);
    expect(await progress()).toMatchObject({ markedDays: 0 });
    expect(await counted(question)).toBe(721);
    expect(await countedWithoutReadings(question)).toBe(721);
  });

  it('marks nothing that is repeated, and nothing that is not rolled up yet', async () => {
    await report(DAY, DAY + DAY_MS);
    expect(await rollups.advance(new Date(DAY + HOUR_MS / 2))).toBe(true);
    await report(DAY, DAY + DAY_MS);
    await report(DAY + 1, DAY + MINUTE_MS, '2', MINUTE_MS - 1);
    expect(await progress()).toMatchObject({ markedDays: 0 });
    expect(await rollups.advance(new Date(DAY + 25 * HOUR_MS))).toBe(true);
    await report(DAY, DAY + DAY_MS);
    expect(await progress()).toMatchObject({ markedDays: 0 });
    await report(DAY + 2, DAY + MINUTE_MS, '2', MINUTE_MS - 2);
    expect(await progress()).toMatchObject({ markedDays: 1 });
  });

  it('waits for a transaction that stored readings without knowing of the roll-ups, and goes on after a crash', async () => {
    await report(DAY, DAY + DAY_MS);
    const question = await ask(DAY, DAY + DAY_MS);
    let commit = (): void => undefined;
    let stored = (): void => undefined;
    const storing = new Promise<void>((resolve) => (stored = resolve));
    const slow = store.prisma.inTransaction(async (tx) => {
      const value = [`{${question.seriesIds[0]}}`, `{${new Date(DAY + 1).toISOString()}}`, '{1000}', '{}', '{}'];
      await tx.$executeRawUnsafe(INSERT_READINGS, ...value);
      await new Promise<void>((resolve) => {
        commit = resolve;
        stored();
      });
    });
    await storing;
    const now = new Date(DAY + 2 * DAY_MS);
    expect(await rollups.advance(now, 0)).toBe(false);
    await rollUpReady(rollups);
    expect(await countedWithoutReadings(question)).toBe(0);
    commit();
    await slow;
    // Another keeper finds what was announced.
    await rollUpAll(new Rollups(store.prisma, store.partitions), now);
    expect(await progress()).toMatchObject({ markedDays: 0, pastDone: true });
    expect(await counted(question)).toBe(721);
    expect(await countedWithoutReadings(question)).toBe(721);
  });

  it('may be two, at the same time, while readings come', async () => {
    const other = new PrismaService({ databaseUrl: store.url });
    try {
      const keepers = [rollups, new Rollups(other, store.partitions)];
      for (let day = 0; day < 3; day++) {
        const from = DAY + day * DAY_MS;
        await Promise.all([
          ...keepers.map((keeper) => rollUpAll(keeper, new Date(from + 12 * HOUR_MS), 1)),
          report(from, from + DAY_MS),
          report(from - DAY_MS + MINUTE_MS, from + MINUTE_MS),
        ]);
      }
      await rollUpAll(rollups, new Date(DAY + 4 * DAY_MS));
      const question = await ask(DAY - DAY_MS, DAY + 4 * DAY_MS);
      expect(await counted(question)).toBe(2 * 3 * 720);
      expect(await countedWithoutReadings(question)).toBe(2 * 3 * 720);
    } finally {
      await other.$disconnect();
    }
  });

  it('rolls up what was there before it, day after day into the past, and every answer is right meanwhile', async () => {
    await report(DAY - 8 * DAY_MS, DAY - 6 * DAY_MS);
    await report(DAY - 2 * DAY_MS, DAY + HOUR_MS);
    const question = await ask(DAY - 9 * DAY_MS, DAY + DAY_MS, DAY_MS);
    expect(await rollups.advance(new Date(DAY + 2 * HOUR_MS))).toBe(true);
    const rolledUp: number[] = [];
    while (await rollups.nextPast(1)) {
      expect(await counted(question)).toBe(4 * 720 + 30);
      rolledUp.push(await countedWithoutReadings(question));
    }
    expect(rolledUp).toEqual([...rolledUp].sort((a, b) => a - b));
    expect([rolledUp[0], rolledUp.at(-1)]).toEqual([720, 4 * 720]);
    expect(await progress()).toMatchObject({ pastDone: true, daysFrom: DAY - 8 * DAY_MS });
  });

  it('drops roll-ups with the readings that they were made of', async () => {
    await report(Date.UTC(2026, 7, 30), Date.UTC(2026, 8, 2));
    await rollUpAll(rollups, new Date(DAY));
    const question = await ask(Date.UTC(2026, 7, 30), Date.UTC(2026, 8, 2), DAY_MS);
    expect(await countedWithoutReadings(question)).toBe(3 * 720);
    const dropped = await store.partitions.dropExpired(new Date(DAY), { dedupeDays: 8, retentionReadingsDays: 70 });
    expect(dropped).toEqual(expect.arrayContaining(['PropertyReading_2026_08', 'ReadingRollup_2026_08']));
    expect(await counted(question)).toBe(720);
    expect(await countedWithoutReadings(question)).toBe(720);
  });

  it('works by itself, tells how far it is and stops when told', async () => {
    const day = Math.floor(Date.now() / DAY_MS - 2) * DAY_MS; // yesterday is not settled until a quarter past midnight
    await report(day, day + DAY_MS);
    const question = await ask(day, day + DAY_MS);
    const metrics = new Metrics();
    const keeper = new RollupKeeper(rollups, new RollupProgress(store.prisma), metrics);
    keeper.onApplicationBootstrap();
    await until(async () => expect(await countedWithoutReadings(question)).toBe(720));
    await keeper.onModuleDestroy();
    await keeper.work();
    const told = await metrics.registry.metrics();
    expect(told).toMatch(/living_mirror_rollup_lag_seconds [1-9]\d{2,3}/);
    expect(told).toContain('living_mirror_rollup_marked_days 0');
    expect(told).toMatch(/living_mirror_rollups_from_seconds 1\d{9}/);
  });

  it('answers a year from rows of days', async () => {
    await report(DAY - 3 * DAY_MS, DAY);
    await rollUpAll(rollups, new Date(DAY + DAY_MS));
    const question = await ask(DAY - 360 * DAY_MS, DAY + DAY_MS, DAY_MS);
    const read: string[] = [];
    await new Snapshots(store.prisma).read(async (query) => {
      const rolled = await rolledPartials((sql, ...given) => {
        read.push(sql);
        return query(sql, ...given);
      }, question);
      expect(rolled).toEqual(await partialAggregates(query, question));
    });
    expect(read.length).toBeLessThanOrEqual(4);
  });
});
