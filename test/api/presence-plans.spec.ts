import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseFilter } from '../../src/api/filter/parse-filter.js';
import { AsOfReader } from '../../src/storage/as-of.reader.js';
import { FlappingReader } from '../../src/storage/flapping.reader.js';
import { PresenceCounter } from '../../src/storage/presence-counter.js';
import { PresenceFleetReader } from '../../src/storage/presence-fleet.reader.js';
import { PresenceReader } from '../../src/storage/presence.reader.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import type { TimeRange } from '../../src/storage/reading.reader.js';
import { SilentReader } from '../../src/storage/silent.reader.js';
import type { Snapshots } from '../../src/storage/snapshots.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { ExplainedSnapshots } from '../support/explained-snapshots.js';

const DEVICE = { productKey: 'pk1', deviceName: 'device-00001' };
const EVER: TimeRange = { from: null, to: null, order: 'desc' };
const PAGE = { limit: 20, after: null };
const DAY_MS = 86_400_000;
const THEN = new Date('2026-06-15Z');
const NOW = new Date('2026-11-21Z');

/** A year of readings and of going on- and offline of `devices` devices, some of which flap. */
const history = (devices: number): readonly string[] => [
  `INSERT INTO "Device" ("productKey", "deviceName", "iotId", "iotIdAt", "online", "firstSeen", "lastSeen", "knownSince")
   SELECT 'pk' || n % 4, 'device-' || lpad(n::text, 5, '0'), 'iot-' || n, '2026-11-20Z', TRUE, '2025-12-01Z',
     TIMESTAMPTZ '2026-11-20Z' - n % 300 * INTERVAL '1 day', '2025-12-01Z' FROM generate_series(1, ${devices}) n`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number")
   SELECT d."id", 'p' || n, d."lastSeen", n FROM "Device" d, generate_series(1, 3) n`,
  `INSERT INTO "PropertyReading" ("at", "seriesId", "number")
   SELECT moment, p."id", 1 FROM generate_series(TIMESTAMPTZ '2025-12-01Z', '2026-11-20Z', INTERVAL '15 days') moment, "DeviceProperty" p`,
  `INSERT INTO "DeviceHistory" ("deviceId", "attribute", "key", "at", "value")
   SELECT "id", 'tag', 'tag-' || n, '2026-01-01Z', 'value' FROM "Device", generate_series(1, 3) n`,
  `INSERT INTO "DeviceIdentity" ("deviceId", "attribute", "value", "at") SELECT "id", 'iotId', "iotId", '2025-12-01Z' FROM "Device"`,
  `INSERT INTO "UserBinding" ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned", "from")
   SELECT "id", 'user-' || "id", 's', 't', '2026-01-01Z', TRUE, TRUE, '2026-01-01Z' FROM "Device"`,
  `INSERT INTO "PresenceHistory" ("deviceId", "at", "orderedBy", "online", "begins")
   SELECT d."id", x.at, x.at, n % 2 = 0, TRUE
   FROM "Device" d, LATERAL (SELECT CASE WHEN d."id" % 40 = 1 THEN 200 ELSE 8 END AS times) t, generate_series(1, t.times) n,
     LATERAL (SELECT TIMESTAMPTZ '2025-12-01Z' + (n * 8000 / t.times + d."id" % 300) * INTERVAL '1 hour' AS at) x`,
  `INSERT INTO "EventLog" ("at", "hash", "deviceId", "kind", "value", "receivedAt")
   SELECT moment, gen_random_uuid(), d."id", 'event-raised', '{}', moment
   FROM generate_series(TIMESTAMPTZ '2025-12-01Z', '2026-11-20Z', INTERVAL '20 days') moment, "Device" d`,
  `INSERT INTO "PresenceTouched" ("deviceId", "at") SELECT "id", '0001-01-01Z' FROM "Device"`,
];

type Ask = (snapshots: Snapshots) => Promise<unknown>;

const fleet = { deleted: false, filter: null };
const nobody = { deleted: false, filter: parseFilter('state.p1 gt 5') };
const hours = (count: number): number[] =>
  Array.from({ length: count }, (_, hour) => THEN.getTime() + hour * 3_600_000);
const days = (count: number): number[] =>
  Array.from({ length: count }, (_, day) => THEN.getTime() + (day - count) * DAY_MS);

/** A question and the blocks of 8 kB that it may read. */
const QUESTIONS: readonly (readonly [string, Ask, number])[] = [
  ['a device as of half a year ago', (s) => new AsOfReader(s, {}).find(DEVICE, THEN), 150],
  ['a device by its iotId of then', (s) => new AsOfReader(s, {}).find({ iotId: 'iot-5' }, THEN), 150],
  ['a page of the fleet as of then', (s) => new AsOfReader(s, {}).list(fleet, THEN, PAGE), 2_500],
  [
    'a later page of the fleet as of then',
    (s) => new AsOfReader(s, {}).list(fleet, THEN, { limit: 20, after: ['pk2', 'device-00100'] }),
    2_500,
  ],
  ['the intervals of a device', (s) => new PresenceReader(s).intervals(DEVICE, EVER, PAGE), 600],
  ['how long a device was online', (s) => new PresenceReader(s).summary(DEVICE, { from: null, to: null }, NOW), 900],
  ['the fleet now', (s) => new PresenceFleetReader(s).now(PAGE), 60],
  ['a curve by the hour', (s) => new PresenceFleetReader(s).curve(hours(200), null), 150],
  ['a curve by the day of a product', (s) => new PresenceFleetReader(s).curve(days(90), 'pk2'), 100],
];

/** Questions that look at no more than so many rows, however many there are. */
const BOUNDED: readonly (readonly [string, Ask, number])[] = [
  ['the fleet before there was one', (s) => new AsOfReader(s, {}).list(fleet, new Date('2020-01-01Z'), PAGE), 2_000],
  ['a condition that nobody fulfilled', (s) => new AsOfReader(s, {}).list(nobody, THEN, PAGE), 80_000],
  ['who flaps', (s) => new FlappingReader(s).most(THEN.getTime() - 7 * DAY_MS, THEN.getTime(), 20, null), 25_000],
  ['who is silent', (s) => new SilentReader(s).list({ factor: 3, productKey: null, now: NOW }, PAGE), 80_000],
];

interface Mirror {
  readonly database: TestDatabase;
  readonly prisma: PrismaService;
}

async function mirrorOf(devices: number): Promise<Mirror> {
  const database = await freshDatabase();
  const prisma = new PrismaService({ databaseUrl: database.url });
  for (const statement of history(devices)) await prisma.$executeRawUnsafe(statement);
  await new PresenceCounter(prisma).work();
  await prisma.$executeRawUnsafe('VACUUM ANALYZE');
  return { database, prisma };
}

describe('the plans of questions about other times', () => {
  let small: Mirror;
  let large: Mirror;

  beforeAll(async () => {
    small = await mirrorOf(100);
    large = await mirrorOf(1_000);
  }, 180_000);
  afterAll(async () => {
    for (const { database, prisma } of [small, large]) {
      await prisma.$disconnect();
      await database.drop();
    }
  });

  async function explained({ prisma }: Mirror, ask: Ask): Promise<ExplainedSnapshots> {
    const snapshots = new ExplainedSnapshots(prisma);
    await ask(snapshots);
    return snapshots;
  }

  it.each(QUESTIONS)(
    '%s scans no table, and ten times the devices make it at most twice the work',
    async (_, ask, blocks) => {
      const many = await explained(large, ask);
      const few = await explained(small, ask);
      expect(many.scans().filter((scan) => scan.startsWith('Seq Scan'))).toEqual([]);
      expect(many.blocks()).toBeLessThanOrEqual(blocks);
      expect(many.blocks()).toBeLessThanOrEqual(2 * few.blocks() + 50);
    },
  );

  it.each(BOUNDED)('%s is looked for among so many devices', async (_, ask, blocks) => {
    const many = await explained(large, ask);
    expect(many.blocks()).toBeLessThanOrEqual(blocks);
  });
});
