import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AggregateReader, type AggregateQuestion } from '../../src/storage/aggregate.reader.js';
import { ChartReader } from '../../src/storage/chart.reader.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { ReadingReader } from '../../src/storage/reading.reader.js';
import type { Snapshots } from '../../src/storage/snapshots.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { ExplainedSnapshots } from '../support/explained-snapshots.js';

const DEVICE = { productKey: 'pk', deviceName: 'device-1' };
const TWO = [DEVICE, { productKey: 'pk', deviceName: 'device-2' }];
const WEEK = { from: new Date('2022-03-07Z'), to: new Date('2022-03-14Z') };
const PAGE = { limit: 20, after: null };

/** A year of readings of three properties of each device, one every six hours: 1,460 a property. */
const history = (devices: number): readonly string[] => [
  `INSERT INTO "Device" ("productKey", "deviceName", "firstSeen", "lastSeen")
   SELECT 'pk', 'device-' || n, '2022-01-01Z', '2022-12-31Z' FROM generate_series(1, ${devices}) n`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number")
   SELECT d."id", 'p' || n, '2022-12-31Z', n FROM "Device" d, generate_series(1, 3) n`,
  `INSERT INTO "PropertyReading" ("at", "seriesId", "number")
   SELECT t, p."id", extract(hour FROM t) FROM "DeviceProperty" p,
     generate_series(TIMESTAMPTZ '2022-01-01Z', '2022-12-31Z', INTERVAL '6 hours') t`,
  'VACUUM ANALYZE',
];

type Ask = (snapshots: Snapshots) => Promise<unknown>;

const aggregates =
  (given: Partial<AggregateQuestion>): Ask =>
  (snapshots) =>
    new AggregateReader(snapshots).aggregates(DEVICE, {
      identifiers: ['p1', 'p2'],
      ...WEEK,
      interval: { kind: 'days', count: 1 },
      timeZone: 'Europe/Berlin',
      functions: ['avg'],
      fill: 'none',
      now: new Date('2023-01-01Z'),
      ...given,
    });

/** A question, the partitions that it may touch and the blocks of 8 kB that it may read. */
const QUESTIONS: readonly (readonly [string, Ask, number, number])[] = [
  ['averages of a week', aggregates({}), 2, 130],
  ['changes of a week, and what came before it', aggregates({ functions: ['delta', 'timeWeightedAverage'] }), 4, 120],
  ['durations of a week', aggregates({ functions: ['durations'] }), 4, 200],
  ['percentiles of a week', aggregates({ functions: ['p95'] }), 2, 190],
  ['a line through what is missing', aggregates({ fill: 'linear' }), 4, 130],
  [
    'a question about a time long after the last reading',
    aggregates({ from: new Date('2026-01-01Z'), to: new Date('2026-01-02Z'), fill: 'previous' }),
    4,
    40,
  ],
  ['a chart of a week', (s) => new ChartReader(s).chart(DEVICE, { identifiers: ['p1'], ...WEEK, points: 50 }), 3, 110],
  [
    'the newest readings of two devices',
    (s) => new ReadingReader(s).historyOfSeveral(TWO, null, { from: null, to: null, order: 'desc' }, PAGE),
    2,
    220,
  ],
  [
    'a later page of readings of two devices',
    (s) =>
      new ReadingReader(s).historyOfSeveral(
        TWO,
        ['p1'],
        { from: null, to: null, order: 'asc' },
        { limit: 20, after: ['2022-06-10T00:00:00.000Z', 'pk', 'device-1', 'p1'] },
      ),
    2,
    100,
  ],
];

describe.each([6, 60])('the plans of questions about the history of %i devices', (devices) => {
  let database: TestDatabase;
  let prisma: PrismaService;

  beforeAll(async () => {
    database = await freshDatabase();
    prisma = new PrismaService({ databaseUrl: database.url });
    for (const statement of history(devices)) await prisma.$executeRawUnsafe(statement);
  }, 120_000);
  afterAll(async () => {
    await prisma.$disconnect();
    await database.drop();
  });

  it.each(QUESTIONS)('%s: no scan of a whole table', async (_, ask, partitions, blocks) => {
    const snapshots = new ExplainedSnapshots(prisma);
    await ask(snapshots);
    const scans = snapshots.scans();
    // what is one page long is read as a whole, and rightly so
    expect(scans.filter((scan) => /^Seq Scan (Property|Reading)/.test(scan))).toEqual([]);
    expect(scans.filter((scan) => /Reading_(\d{4}_\d\d|before)/.test(scan)).length).toBeLessThanOrEqual(partitions);
    expect(snapshots.blocks()).toBeLessThanOrEqual(blocks);
  });
});
