import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseFilter } from '../../src/api/filter/parse-filter.js';
import { ChangeLogReader, type LogPlace } from '../../src/storage/change-log.reader.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { ExplainedSnapshots } from '../support/explained-snapshots.js';

/** A day of full hours of batches, each of the same ten readings, two events, a device, a presence and a binding; years of history behind them. */
const day = (batchesAnHour: number): readonly string[] => [
  `SELECT "partitions"."add_hour"('ChangeLog', now() - n * INTERVAL '1 hour') FROM generate_series(0, 24) n`,
  `INSERT INTO "Device" ("productKey", "deviceName") SELECT 'pk', 'device-' || n FROM generate_series(1, 2000) n`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier") SELECT d."id", 'p' FROM "Device" d`,
  `INSERT INTO "DeviceTag" SELECT d."id", 'tag-' || n, 'value', now() FROM "Device" d, generate_series(1, 5) n`,
  `INSERT INTO "UserBinding" ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned", "from")
   SELECT d."id", 'user', 's', 't', '2020-01-01Z', TRUE, TRUE, '2020-01-01Z' FROM "Device" d`,
  `INSERT INTO "PropertyReading" ("at", "seriesId", "number")
   SELECT moment, p."id", 1 FROM generate_series(TIMESTAMPTZ '2019-01-01Z', '2026-11-20Z', INTERVAL '30 days') moment, "DeviceProperty" p`,
  `INSERT INTO "EventLog" ("at", "hash", "deviceId", "kind", "value", "receivedAt")
   SELECT moment, md5(moment::text || d."id")::uuid, d."id", 'event-raised', '{}', now()
   FROM generate_series(TIMESTAMPTZ '2019-01-01Z', '2026-11-20Z', INTERVAL '60 days') moment, "Device" d`,
  `INSERT INTO "ChangeLog" ("writtenAt", "size", "devices", "presences", "bindingDevices", "bindingTimes", "eventTimes", "eventHashes",
     "readingSeries", "readingTimes")
   SELECT date_trunc('hour', now()) - INTERVAL '23 hours' + n * INTERVAL '1 hour' / ${batchesAnHour}, 15, ARRAY[n % 2000 + 1], ARRAY[n % 2000 + 1], ARRAY[n % 2000 + 1],
     ARRAY[TIMESTAMPTZ '2020-01-01Z'], ARRAY[e.at, e.at], ARRAY[md5(e.at::text || 1), md5(e.at::text || 2)]::uuid[],
     ARRAY(SELECT (n + k) % 2000 + 1 FROM generate_series(1, 10) k), ARRAY(SELECT TIMESTAMPTZ '2019-01-01Z' + k * INTERVAL '30 days' FROM generate_series(1, 10) k)
   FROM generate_series(0, 23 * ${batchesAnHour} - 1) n, LATERAL (SELECT TIMESTAMPTZ '2019-01-01Z' AS at) e ORDER BY n`,
  'VACUUM ANALYZE',
];

type Ask = (reader: ChangeLogReader, log: Log) => Promise<unknown>;

/** The log that is asked about. */
interface Log {
  readonly epoch: string;
  readonly middle: LogPlace;
  readonly end: LogPlace;
}

/** A question and the blocks of 8 kB that it may read, however long the log is. */
const QUESTIONS: readonly (readonly [string, Ask, number])[] = [
  ['what is behind a place', (r, { epoch, middle, end }) => r.read(epoch, middle, end), 3_500],
  ['whether a place is good', (r, { epoch, middle }) => r.check(epoch, middle), 150],
  ['the last place', (r, { middle, end }) => r.last(middle.seq, end.seq), 150],
  ['the place of now', (r) => r.now(), 150],
  ['the place of a time', (r) => r.since(new Date(Date.now() - 12 * 3_600_000)), 250],
  [
    'which devices a filter means',
    (r) => r.matching(parseFilter('tags.floor eq "2" and state.p gt 1'), [1, 50, 1000]),
    100,
  ],
];

describe.each([300, 3_000])('a log of %i batches an hour', (batches) => {
  let database: TestDatabase;
  let prisma: PrismaService;
  let log: Log;

  beforeAll(async () => {
    database = await freshDatabase();
    prisma = new PrismaService({ databaseUrl: database.url });
    for (const statement of day(batches)) await prisma.$executeRawUnsafe(statement);
    await prisma.$executeRawUnsafe(`UPDATE "ChangeLogState" SET "keptFrom" = now() - INTERVAL '1 day'`);
    const reader = new ChangeLogReader(new ExplainedSnapshots(prisma));
    const last = (await reader.head()).seq;
    const [end, middle] = [await reader.last(0, last), await reader.last(0, Math.floor(last / 2))];
    if (!end || !middle) throw new Error('the log is empty');
    log = { epoch: (await reader.now()).epoch, end, middle };
  }, 120_000);
  afterAll(async () => {
    await prisma.$disconnect();
    await database.drop();
  });

  it.each(QUESTIONS)('answers %s without a scan of a whole table', async (_, ask, blocks) => {
    const snapshots = new ExplainedSnapshots(prisma);
    await ask(new ChangeLogReader(snapshots), log);
    expect(snapshots.scans().filter((scan) => /^Seq Scan (?!ChangeLogState|pg_database)/.test(scan))).toEqual([]);
    expect(snapshots.blocks()).toBeLessThanOrEqual(blocks);
  });
});
