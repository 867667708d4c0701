import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EVERY_SET_ASIDE, type SetAsideFilter } from '../../src/domain/set-aside-filter.js';
import { BindingReader } from '../../src/storage/binding.reader.js';
import { DeviceReader } from '../../src/storage/device.reader.js';
import { type EventPlace, EventReader, type EventView } from '../../src/storage/event.reader.js';
import { LedgerReader } from '../../src/storage/ledger.reader.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import type { Page } from '../../src/storage/read-columns.js';
import { ReadingReader, type TimeRange } from '../../src/storage/reading.reader.js';
import { ReplayJobReader } from '../../src/storage/replay-job.reader.js';
import { SetAsideReader } from '../../src/storage/set-aside.reader.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { ExplainedSnapshots } from '../support/explained-snapshots.js';

const DEVICES = 400;
const PROPERTIES = 10;

/** Years of history: a reading of every series each 5 days since 2019, events likewise, and a million of nothing else. */
const HISTORY = [
  `INSERT INTO "Device" ("productKey", "deviceName", "iotId", "iotIdAt", "online", "firstSeen", "lastSeen")
   SELECT 'pk' || n % 4, 'device-' || n, 'iot-' || n, now(), n % 2 = 0, '2019-01-01Z', '2026-11-20Z' FROM generate_series(1, ${DEVICES}) n`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number")
   SELECT d."id", 'p' || n, '2026-11-20Z', n FROM "Device" d, generate_series(1, ${PROPERTIES}) n`,
  `INSERT INTO "DeviceTag" SELECT d."id", 'tag-' || n, 'value', now() FROM "Device" d, generate_series(1, 20) n`,
  `INSERT INTO "UserBinding" ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned", "from")
   SELECT d."id", 'user-' || n * 1000 + d."id", 's', 't', '2020-01-01Z', TRUE, n = 1, '2020-01-01Z' FROM "Device" d, generate_series(1, 20) n`,
  `INSERT INTO "PropertyReading" ("at", "seriesId", "number")
   SELECT moment, p."id", 1 FROM generate_series(TIMESTAMPTZ '2019-01-01Z', '2026-11-20Z', INTERVAL '5 days') moment, "DeviceProperty" p
   WHERE p."id" % 10 = 0 OR p."deviceId" = 1`,
  `INSERT INTO "EventLog" ("at", "hash", "deviceId", "kind", "type", "value", "receivedAt")
   SELECT moment, gen_random_uuid(), d."id", 'event-raised', CASE WHEN d."id" = 7 THEN 'rare' ELSE 'info' END, '{}', now()
   FROM generate_series(TIMESTAMPTZ '2019-01-01Z', '2026-11-20Z', INTERVAL '4 days') moment, "Device" d`,
  `INSERT INTO "SetAsideMessage" ("id", "reason", "detail", "transport", "properties", "body", "receivedAt", "replayedAt",
     "kind", "productKey", "deviceName", "topic", "refusedBy")
   SELECT gen_random_uuid(), CASE WHEN r.rare THEN 'rare' ELSE 'not-json' END, '', 'amqp', '{}', repeat('x', 100)::bytea,
     TIMESTAMPTZ '2026-11-20Z' - n * INTERVAL '1 minute', CASE WHEN r.rare THEN now() END,
     CASE WHEN r.rare THEN 'status' ELSE 'property-post' END, CASE WHEN r.rare THEN 'rare' ELSE 'pk' || n % 4 END,
     'device-' || n % 5000, '/' || CASE WHEN r.rare THEN 'rare' ELSE 'pk' || n % 4 END || '/device-' || n % 5000 || '/x',
     CASE WHEN r.rare THEN '0.0.1-0' ELSE '0.1.0-0' END
   FROM generate_series(1, 50000) n, LATERAL (SELECT n % 5000 = 0 AS rare) r`,
  `INSERT INTO "IngestCount" SELECT TIMESTAMPTZ '2026-11-20Z' - n * INTERVAL '1 minute', 'amqp', 'r', 'stored', 1 FROM generate_series(1, 50000) n`,
  `INSERT INTO "SetAsideReplay" ("id", "filter", "state", "requestedAt", "finishedAt", "total")
   SELECT gen_random_uuid(), '{"from": null, "to": null}', 'done', now() - n * INTERVAL '1 hour', now(), 0 FROM generate_series(1, 2000) n`,
  'VACUUM ANALYZE',
];

const EVER: TimeRange = { from: null, to: null, order: 'desc' };
const PAGE = { limit: 50, after: null };

describe('the plans of queries over years of history', () => {
  let database: TestDatabase;
  let prisma: PrismaService;
  let snapshots: ExplainedSnapshots;

  beforeAll(async () => {
    database = await freshDatabase();
    prisma = new PrismaService({ databaseUrl: database.url });
    for (const statement of HISTORY) await prisma.$executeRawUnsafe(statement);
  }, 120_000);
  afterAll(async () => {
    await prisma.$disconnect();
    await database.drop();
  });

  const device = { productKey: 'pk1', deviceName: 'device-1' };

  /** A question, the partitions it may touch, and the blocks of 8 kB it may read. */
  it.each<[string, (snapshots: Snapshots) => Promise<unknown>, number, number]>([
    ['one device', (s) => new DeviceReader(s).find(device), 0, 60],
    ['one device by its iotId', (s) => new DeviceReader(s).find({ iotId: 'iot-5' }), 0, 60],
    ['the status of a device', (s) => new DeviceReader(s).status(device), 0, 20],
    ['the properties of a device', (s) => new DeviceReader(s).properties(device), 0, 40],
    ['the newest readings of a property', (s) => new ReadingReader(s).history(device, ['p1'], EVER, PAGE), 12, 200],
    ['the newest readings of all properties', (s) => new ReadingReader(s).history(device, null, EVER, PAGE), 12, 1500],
    [
      'the readings of a month',
      (s) =>
        new ReadingReader(s).history(
          device,
          ['p1', 'p2'],
          { from: new Date('2022-03-05Z'), to: new Date('2022-03-25Z'), order: 'asc' },
          PAGE,
        ),
      1,
      60,
    ],
    [
      'a later page of readings',
      (s) => new ReadingReader(s).history(device, null, EVER, { limit: 5, after: ['2021-06-10T00:00:00.000Z', 'p3'] }),
      4,
      400,
    ],
    ['the newest events of a device', (s) => new EventReader(s).ofDevice(device, {}, EVER, PAGE), 20, 400],
    [
      'the events of a device in a month',
      (s) =>
        new EventReader(s).ofDevice(
          device,
          { kinds: ['event-raised'] },
          { from: new Date('2022-03-05Z'), to: new Date('2022-03-25Z'), order: 'desc' },
          PAGE,
        ),
      2,
      60,
    ],
    ['the newest events of all', (s) => new EventReader(s).all({}, EVER, PAGE), 6, 300],
    [
      'a later page of the events of all',
      (s) =>
        new EventReader(s).all({}, EVER, {
          limit: 5,
          after: ['2021-06-10T00:00:00.000Z', '88888888-8888-8888-8888-888888888888'],
        }),
      4,
      200,
    ],
    ['the bindings of a device', (s) => new BindingReader(s).ofDevice(device, 'now', PAGE), 0, 200],
    [
      'the devices of a user',
      (s) => new BindingReader(s).ofUser({ identityId: 'user-1001' }, 'now', false, PAGE),
      0,
      30,
    ],
    ['the newest set-aside messages', (s) => new SetAsideReader(s).list(EVERY_SET_ASIDE, PAGE), 0, 100],
    ...(
      [
        ['of a reason', { reason: 'rare' }, 60],
        ['of a kind', { kind: 'status' }, 60],
        ['of a product', { productKey: 'rare' }, 60],
        ['of a device', { device: { productKey: 'pk1', deviceName: 'device-5' } }, 60],
        ['of a topic', { topic: '/pk1/device-5/x' }, 60],
        ['of a beginning of a topic', { topicPrefix: '/rare/' }, 120],
        ['of a beginning of many topics', { topicPrefix: '/pk' }, 2_700],
        ['of a version', { refusedBy: '0.0.1-0' }, 60],
        ['that were replayed', { replayed: true }, 60],
        ['that were not', { replayed: false }, 100],
        ['of a month', { from: new Date('2026-10-01Z'), to: new Date('2026-11-01Z') }, 100],
      ] satisfies [string, Partial<SetAsideFilter>, number][]
    ).map(([what, filter, blocks]): [string, (snapshots: Snapshots) => Promise<unknown>, number, number] => [
      `set-aside messages ${what}`,
      (s) => new SetAsideReader(s).list({ ...EVERY_SET_ASIDE, ...filter }, PAGE),
      0,
      blocks,
    ]),
    [
      'a later page of the set-aside messages of a reason',
      (s) =>
        new SetAsideReader(s).list(
          { ...EVERY_SET_ASIDE, reason: 'not-json' },
          { limit: 10, after: ['2026-11-01T00:00:00.000Z', '88888888-8888-8888-8888-888888888888'] },
        ),
      0,
      100,
    ],
    [
      'the count of set-aside messages of a product',
      (s) => new SetAsideReader(s).counts({ ...EVERY_SET_ASIDE, productKey: 'rare' }),
      0,
      60,
    ],
    ['the newest replays', (s) => new ReplayJobReader(s).list(PAGE), 0, 30],
  ])('%s needs no scan of a whole table', async (_, ask, partitions, blocks) => {
    snapshots = new ExplainedSnapshots(prisma);
    await ask(snapshots);
    const scans = snapshots.scans();
    expect(scans.length).toBeGreaterThan(0);
    expect(scans.filter((scan) => scan.startsWith('Seq Scan'))).toEqual([]);
    expect(scans.filter((scan) => /_(\d{4}_\d\d|before)/.test(scan)).length).toBeLessThanOrEqual(partitions);
    expect(snapshots.blocks()).toBeLessThanOrEqual(blocks);
  });

  it.each<[string, (snapshots: Snapshots) => Promise<{ readonly next: unknown } | null>, number]>([
    ['a rare type of event', (s) => new EventReader(s).all({ types: ['rare'] }, EVER, PAGE), 1_000],
    [
      'a rare combination of set-aside messages',
      (s) => new SetAsideReader(s).list({ ...EVERY_SET_ASIDE, reason: 'not-json', topicPrefix: '/rare/' }, PAGE),
      4_000,
    ],
  ])('%s is looked for in a part of the table only, and there is a next page to go on', async (_, ask, blocks) => {
    snapshots = new ExplainedSnapshots(prisma);
    const found = await ask(snapshots);
    expect(found?.next).not.toBeNull();
    expect(snapshots.blocks()).toBeLessThanOrEqual(blocks);
  });

  it('finds everything rare by going on from page to page', async () => {
    const reader = new EventReader(new Snapshots(prisma));
    for (const order of ['asc', 'desc'] as const) {
      const found: string[] = [];
      let after: EventPlace | null = null;
      do {
        const page: Page<EventView, EventPlace> = await reader.all(
          { types: ['rare'] },
          { ...EVER, order },
          { limit: 30, after },
        );
        found.push(...page.items.map(({ at }) => at));
        after = page.next;
      } while (after);
      const [row] = await prisma.$queryRawUnsafe<{ count: number }[]>(
        `SELECT count(*)::int AS count FROM "EventLog" WHERE "type" = 'rare'`,
      );
      expect(found).toHaveLength(row!.count);
      expect(found).toEqual(order === 'asc' ? [...found].sort() : [...found].sort().reverse());
    }
  });

  it('reads all counts once, and later only those of the last hours', async () => {
    snapshots = new ExplainedSnapshots(prisma);
    const reader = new LedgerReader(snapshots);
    const now = new Date('2026-11-20T00:00:00Z');
    expect(await reader.totals(now)).toMatchObject({ stored: 50_000 });
    const first = snapshots.blocks();
    expect(await reader.totals(now)).toMatchObject({ stored: 50_000 });
    expect(snapshots.blocks() - first).toBeLessThan(20);
    await prisma.$executeRawUnsafe(
      `INSERT INTO "IngestCount" VALUES ('2026-11-19T23:59:30Z', 'amqp', 's', 'stored', 5)`,
    );
    expect(await reader.totals(now)).toMatchObject({ stored: 50_005 });
    expect(await reader.totals(new Date('2026-11-20T05:00:00Z'))).toMatchObject({ stored: 50_005 });
    expect(await reader.totals(new Date('2026-11-20T05:00:00Z'))).toMatchObject({ stored: 50_005 });
  });
});
