import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deviceQuestion, deviceSort } from '../../src/api/devices.queries.js';
import { matchesFilter } from '../../src/domain/filter-match.js';
import { ALL_FIELDS, DEVICE_FIELDS } from '../../src/storage/device-fields.js';
import { DeviceListReader } from '../../src/storage/device-list.reader.js';
import { type DevicePlace, SORT_FIELDS } from '../../src/storage/device-order.js';
import type { DeviceView } from '../../src/storage/device-view.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import type { Page } from '../../src/storage/read-columns.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { ExplainedSnapshots } from '../support/explained-snapshots.js';

/** A fleet in which some things are rare: device n has an error if 1,000 divides n, and so on. */
const fleet = (from: number, to: number): string[] => [
  `INSERT INTO "Device" ("productKey", "deviceName", "iotId", "iotIdAt", "deviceType", "online", "since", "firstSeen", "lastSeen",
     "lifecycle", "gatewayProductKey", "gatewayDeviceName")
   SELECT 'pk' || n % 4, 'device-' || lpad((n * 7919 % 100000)::text, 5, '0'), CASE WHEN n % 3 > 0 THEN 'iot-' || n END, now(), 'type' || n % 5,
     CASE WHEN n % 50 > 0 THEN n % 10 > 0 END, CASE WHEN n % 50 > 0 THEN TIMESTAMPTZ '2026-01-01Z' + n % 997 * INTERVAL '1 minute' END,
     TIMESTAMPTZ '2025-01-01Z' + n * INTERVAL '1 minute', TIMESTAMPTZ '2026-11-20Z' - n * INTERVAL '20 seconds',
     CASE WHEN n % 500 = 0 THEN 'delete' END, CASE WHEN n % 8 = 0 THEN 'gw' END, CASE WHEN n % 8 = 0 THEN 'g' || n % 1000 END
   FROM generate_series(${from}, ${to}) n`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number")
   SELECT d."id", p, now(), CASE p WHEN 'error' THEN CASE WHEN d."id" % 1000 = 0 THEN 7 ELSE 0 END WHEN 'temperature' THEN d."id" % 400 / 10.0 ELSE d."id" * 0.37 END
   FROM "Device" d, unnest(ARRAY['error', 'temperature', 'energy']) p WHERE d."id" BETWEEN ${from} AND ${to}`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "json")
   SELECT d."id", 'mode', now(), to_jsonb(CASE WHEN d."id" % 2000 = 0 THEN 'rare' ELSE 'auto' END) FROM "Device" d WHERE d."id" BETWEEN ${from} AND ${to}`,
  `INSERT INTO "DeviceTag" SELECT d."id", 'room', 'room-' || d."id" % 1500, now() FROM "Device" d WHERE d."id" BETWEEN ${from} AND ${to}`,
  `INSERT INTO "UserBinding" ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned", "from")
   SELECT d."id", 'user-' || d."id" / 3, 's', 't', '2026-01-01Z', TRUE, TRUE, '2026-01-01Z' FROM "Device" d WHERE d."id" BETWEEN ${from} AND ${to}`,
];

const SMALL = 2_000;
const LARGE = 20_000;

/** What is asked, in which order, and how many blocks of 8 kB a page of 20 may read. */
const QUESTIONS: [filter: string, sort: string, blocks: number][] = [
  ['', 'productKey', 1_000],
  ['state.error eq 7', 'productKey', 1_200],
  ['state.temperature ge 39.9', 'productKey', 16_000],
  ['state.temperature gt 20', '-since', 16_000],
  ['state.temperature gt 20 and state.temperature lt 20.2 and online eq true', 'productKey', 40_000],
  ['state.mode eq "rare"', 'deviceName', 1_200],
  ['tags.room eq "room-77"', '-lastSeen', 1_200],
  ['tags.room in ("room-77", "room-78") or state.error eq 7', 'productKey', 4_000],
  ['owner eq "user-12"', 'productKey', 400],
  ['gateway eq "gw:g8"', 'productKey', 2_000],
  ['deviceName startsWith "device-0001"', 'productKey', 1_000],
  ['iotId eq "iot-7"', 'productKey', 300],
  ['lastSeen ge "2026-11-19T23:50:00Z" and online eq false', 'firstSeen', 4_000],
  ['firstSeen lt "2025-01-01T00:30:00Z"', '-firstSeen', 1_500],
  ['not (state.error eq 0)', 'productKey', 40_000],
  ['productKey eq "pk3" and state.mode eq "rare"', 'productKey', 2_000],
];

describe('finding devices', () => {
  let database: TestDatabase;
  let prisma: PrismaService;
  const blocksOfSmall = new Map<string, number>();

  beforeAll(async () => {
    database = await freshDatabase();
    prisma = new PrismaService({ databaseUrl: database.url });
    await fill(1, SMALL);
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await database.drop();
  });

  async function fill(from: number, to: number): Promise<void> {
    for (const statement of [...fleet(from, to), 'VACUUM ANALYZE']) await prisma.$executeRawUnsafe(statement);
  }

  async function ask(filter: string, sort: string): Promise<ExplainedSnapshots> {
    const snapshots = new ExplainedSnapshots(prisma);
    const question = deviceQuestion({ ...(filter !== '' && { filter }), deleted: false });
    await new DeviceListReader(snapshots).list(question, deviceSort(sort), ALL_FIELDS, { limit: 20, after: null });
    return snapshots;
  }

  async function walk(filter: string, sort: string, limit: number): Promise<Partial<DeviceView>[]> {
    const reader = new DeviceListReader(new Snapshots(prisma));
    const question = deviceQuestion({ ...(filter !== '' && { filter }), deleted: true });
    const found: Partial<DeviceView>[] = [];
    let after: DevicePlace | null = null;
    do {
      const page: Page<Partial<DeviceView>, DevicePlace> = await reader.list(question, deviceSort(sort), ALL_FIELDS, {
        limit,
        after,
      });
      found.push(...page.items);
      after = page.next;
    } while (after);
    return found;
  }

  it('finds the same by indexes as by looking at every device', async () => {
    const all = (await walk('', 'productKey', 1_000)) as DeviceView[];
    expect(all).toHaveLength(SMALL);
    for (const [filter, sort] of QUESTIONS) {
      const { filters } = deviceQuestion({ ...(filter !== '' && { filter }), deleted: true });
      const expected = all.filter((view) => filters.every((each) => matchesFilter(each, view))).map(nameOf);
      expect([filter, (await walk(filter, sort, 200)).map(nameOf).sort()]).toEqual([filter, expected.sort()]);
    }
  });

  it.each(SORT_FIELDS.flatMap((field) => [field, `-${field}`]))('sorts by %s, page by page', async (sort) => {
    const whole = await walk('state.temperature gt 39 or tags.room contains "7"', sort, 1_000);
    const { field, descending } = deviceSort(sort);
    const values = whole.map((view) => view[field]);
    const valued = values.filter((value) => value !== null).map(String);
    expect(values.slice(0, valued.length).map(String)).toEqual(valued); // those without a value come last
    const sorted = [...valued].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(valued).toEqual(descending ? sorted.reverse() : sorted);
    expect((await walk('state.temperature gt 39 or tags.room contains "7"', sort, 97)).map(nameOf)).toEqual(
      whole.map(nameOf),
    );
  });

  it.each(QUESTIONS)('%s by %s needs no scan of a whole table', async (filter, sort, blocks) => {
    const snapshots = await ask(filter, sort);
    blocksOfSmall.set(filter, snapshots.blocks());
    expect(snapshots.scans().filter((scan) => scan.startsWith('Seq Scan'))).toEqual([]);
    expect(snapshots.blocks()).toBeLessThanOrEqual(blocks);
  });

  it('reads nothing that was not asked for', async () => {
    const snapshots = new ExplainedSnapshots(prisma);
    const fields = { names: new Set(['deviceName', 'properties'] as const), tags: null, properties: ['error'] };
    const page = { limit: 1, after: null };
    const sort = deviceSort('productKey');
    const { items } = await new DeviceListReader(snapshots).list({ filters: [] }, sort, fields, page);
    expect(items).toEqual([{ deviceName: expect.any(String), properties: { error: expect.anything() } }]);
    expect(snapshots.scans().filter((scan) => /DeviceTag|UserBinding/.test(scan))).toEqual([]);
    expect(DEVICE_FIELDS.length).toBeGreaterThan(2);
  });

  describe('with ten times the devices', () => {
    beforeAll(() => fill(SMALL + 1, LARGE), 120_000);

    it.each(QUESTIONS)(
      '%s by %s takes no more than twice the work, or what a page may',
      async (filter, sort, blocks) => {
        const snapshots = await ask(filter, sort);
        expect(snapshots.scans().filter((scan) => scan.startsWith('Seq Scan'))).toEqual([]);
        expect(snapshots.blocks()).toBeLessThanOrEqual(Math.max(2 * (blocksOfSmall.get(filter) ?? 0), blocks));
      },
    );

    it('counts exactly where an index can, and else estimates or looks at all, as it is told', async () => {
      const reader = new DeviceListReader(new Snapshots(prisma));
      const few = deviceQuestion({ filter: 'state.error eq 7', deleted: true });
      const many = deviceQuestion({ filter: 'state.temperature ge 10', deleted: true });
      expect(await reader.count(few, 'estimated')).toEqual({ value: 20, exact: true });
      expect(await reader.count(many, 'exact')).toEqual({ value: 15_000, exact: true });
      const { value, exact } = await reader.count(many, 'estimated');
      expect(exact).toBe(false);
      expect(Math.abs(value - 15_000)).toBeLessThan(1_500);
    });

    it('finds a part of a name by an index, or by walking', async () => {
      const found = async (q: string): Promise<[number, boolean]> => {
        const snapshots = new ExplainedSnapshots(prisma);
        const question = deviceQuestion({ q, deleted: true });
        const page = { limit: 20, after: null };
        const { items, next } = await new DeviceListReader(snapshots).list(
          question,
          deviceSort('productKey'),
          ALL_FIELDS,
          page,
        );
        expect(snapshots.scans().filter((scan) => scan.startsWith('Seq Scan'))).toEqual([]);
        return [items.length, next === null];
      };
      expect(await found('EVICE-07919')).toEqual([1, true]);
      expect(await found('iot-18000')).toEqual([0, true]); // a multiple of 3 has none
      expect(await found('OT-19')).toEqual([20, false]);
      expect(await found('中文')).toEqual([0, false]);
      expect(await found('e_07919')).toEqual([0, true]);
    });

    it('looks at a part of the devices for a page, and goes on with the next', async () => {
      const rare = 'not (state.error eq 0)'; // no index has what is not there
      const snapshots = new ExplainedSnapshots(prisma);
      const question = deviceQuestion({ filter: rare, deleted: true });
      const page = { limit: 20, after: null };
      const { items, next } = await new DeviceListReader(snapshots).list(
        question,
        deviceSort('deviceName'),
        ALL_FIELDS,
        page,
      );
      expect(items.length).toBeLessThan(20);
      expect(next).not.toBeNull();
      expect(await walk(rare, 'deviceName', 20)).toHaveLength(20);
    });
  });
});

function nameOf({ productKey, deviceName }: Partial<DeviceView>): string {
  return `${productKey}:${deviceName}`;
}
