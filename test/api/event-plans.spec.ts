import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BindingReader } from '../../src/storage/binding.reader.js';
import { ErasureReader } from '../../src/storage/erasure.reader.js';
import { EventCountReader } from '../../src/storage/event-count.reader.js';
import { EventReader } from '../../src/storage/event.reader.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import type { TimeRange } from '../../src/storage/reading.reader.js';
import type { Snapshots } from '../../src/storage/snapshots.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { ExplainedSnapshots } from '../support/explained-snapshots.js';

const DEVICE = { productKey: 'pk1', deviceName: 'device-1' };
const EVER: TimeRange = { from: null, to: null, order: 'desc' };
const PAGE = { limit: 20, after: null };
const USER = { identityId: 'user-1' };
const MONTH = { from: new Date('2022-03-05Z'), to: new Date('2022-03-25Z'), order: 'desc' } as const;
const BUCKETS = [
  { low: Date.parse('2022-03-05Z'), high: Date.parse('2022-03-15Z') },
  { low: Date.parse('2022-03-15Z'), high: Date.parse('2022-03-25Z') },
];

/** Four years of events of `devices` devices, each two days; every kind, type, identifier and request but some are common. */
const history = (devices: number): readonly string[] => [
  `INSERT INTO "Device" ("productKey", "deviceName", "firstSeen", "lastSeen")
   SELECT 'pk' || n % 4, 'device-' || n, '2019-01-01Z', '2022-12-31Z' FROM generate_series(1, ${devices}) n`,
  `INSERT INTO "UserBinding" ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned", "from", "until")
   SELECT d."id", 'user-' || (d."id" + 4) / 5, 's', 't', y.at, TRUE, TRUE, y.at, y.at + INTERVAL '300 days'
   FROM "Device" d, generate_series(TIMESTAMPTZ '2019-01-01Z', '2022-01-01Z', INTERVAL '1 year') AS y(at)`,
  `INSERT INTO "EventLog" ("at", "hash", "deviceId", "kind", "identifier", "type", "requestId", "value", "receivedAt")
   SELECT t.at + d."id" * INTERVAL '1 second', gen_random_uuid(), d."id", CASE WHEN r.rare THEN 'rare' WHEN d."id" % 2 = 0 THEN 'event-raised' ELSE 'command-replied' END,
     CASE WHEN r.rare THEN 'Rare' ELSE 'Alarm' END, 'info', CASE WHEN d."id" % 2 = 1 THEN d."id" || '-' || t.at END, '{"text": "nothing"}', t.at
   FROM generate_series(TIMESTAMPTZ '2019-01-01Z', '2022-12-31Z', INTERVAL '2 days') AS t(at), "Device" d,
     LATERAL (SELECT d."id" = 7 AND extract(day FROM t.at) = 3 AS rare) r`,
  `INSERT INTO "Erasure" ("id", "hash", "key", "state", "phase", "requestedAt", "finishedAt")
   SELECT gen_random_uuid(), 'a', 'b', 'done', 'set-aside', now() - n * INTERVAL '1 hour', now() FROM generate_series(1, ${devices * 10}) n`,
  'VACUUM ANALYZE',
];

type Ask = (snapshots: Snapshots) => Promise<unknown>;

/** A question and the blocks of 8 kB that it may read. */
const QUESTIONS: readonly (readonly [string, Ask, number])[] = [
  ['a rare kind', (s) => new EventReader(s).all({ kinds: ['rare'] }, EVER, PAGE), 500],
  ['a frequent kind', (s) => new EventReader(s).all({ kinds: ['event-raised'] }, EVER, PAGE), 300],
  ['several kinds', (s) => new EventReader(s).all({ kinds: ['event-raised', 'rare'] }, EVER, PAGE), 700],
  ['a rare identifier', (s) => new EventReader(s).all({ identifiers: ['Rare'] }, EVER, PAGE), 500],
  ['a kind in a month', (s) => new EventReader(s).all({ kinds: ['event-raised'] }, MONTH, PAGE), 100],
  [
    'a later page of a kind',
    (s) =>
      new EventReader(s).all({ kinds: ['event-raised'] }, EVER, {
        limit: 20,
        after: ['2021-06-10T00:00:00.000Z', '88888888-8888-8888-8888-888888888888'],
      }),
    300,
  ],
  [
    'a request',
    (s) => new EventReader(s).all({ requestId: '1-2020-01-01 00:00:00+00', kinds: ['command-replied'] }, EVER, PAGE),
    900,
  ],
  ['a kind of a device', (s) => new EventReader(s).ofDevice(DEVICE, { kinds: ['command-replied'] }, MONTH, PAGE), 100],
  ['a device in the name of a user', (s) => new EventReader(s).ofDevice(DEVICE, {}, EVER, PAGE, USER), 700],
  ['the devices of a user', (s) => new EventReader(s).all({}, EVER, PAGE, USER), 2_500],
  [
    'the counts of a device',
    (s) => new EventCountReader(s).ofDevice(DEVICE, { filter: {}, buckets: BUCKETS, by: 'kind', user: undefined }),
    150,
  ],
  [
    'the counts of a rare kind',
    (s) =>
      new EventCountReader(s).all({ filter: { kinds: ['rare'] }, buckets: BUCKETS, by: undefined, user: undefined }),
    60,
  ],
  ['the bindings of a device', (s) => new BindingReader(s).ofDevice(DEVICE, 'ever', PAGE), 60],
  ['a user’s devices', (s) => new BindingReader(s).ofUser({ identityId: 'user-1' }, 'ever', false, PAGE), 100],
  ['the newest erasures', (s) => new ErasureReader(s).list(PAGE), 30],
];

describe.each([40, 400])('the plans of questions about events of %i devices', (devices) => {
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

  // the bounds are the same for ten times the data
  it.each(QUESTIONS)('%s needs no scan of a whole table', async (_, ask, blocks) => {
    const snapshots = new ExplainedSnapshots(prisma);
    await ask(snapshots);
    const scans = snapshots.scans();
    expect(scans.length).toBeGreaterThan(0);
    if (devices > 40) expect(scans.filter((scan) => scan.startsWith('Seq Scan'))).toEqual([]);
    expect(snapshots.blocks()).toBeLessThanOrEqual(blocks);
  });
});
