import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RetentionSettings } from '../../src/domain/retention.js';
import { aNumber, anEvent, aReading } from '../support/api.js';
import { type ColdStore, openColdStore } from '../support/cold-store.js';
import { decodedAs } from '../support/writer.js';

jest.setTimeout(60_000);

const MARCH = new Date(Date.UTC(2026, 2, 10));
/** Days after the end of March, at noon. */
const after = (days: number): Date => new Date(Date.UTC(2026, 3, 1 + days, 12));

const SETTINGS = {
  retentionReadingsDays: 60,
  retentionEventsDays: 60,
  productRetention: new Map([
    ['brief', { readings: 10, events: 10 }],
    ['long', { readings: null, events: 90 }],
  ]),
  packReadingsAfterDays: 30,
} satisfies RetentionSettings & { packReadingsAfterDays: number };

let store: ColdStore;
beforeAll(async () => {
  store = await openColdStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.sql(
    `TRUNCATE "PropertyReading", "ReadingChunk", "StorageMonth", "EventLog", "ReadingRollup", "Device" CASCADE`,
  );
  await store.sql(`DO $$ DECLARE name TEXT; BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'partitions'::regnamespace AND relname ~ '^ReadingChunk_month_' LOOP
      EXECUTE format('DROP TABLE IF EXISTS "partitions".%I', name);
    END LOOP; END $$`);
  await store.addMonth(MARCH);
  await store.partitions.add([{ table: 'EventLog', day: '2026-03-10' }]);
  const products = ['brief', 'long', 'other'];
  await store.writer.write(
    products.flatMap((productKey) =>
      [1, 2, 3].map((n) => {
        const at = new Date(MARCH.getTime() + n * 1000);
        const device = { productKey, deviceName: 'd' };
        return decodedAs([aReading(device, 'p', aNumber(String(n)), at), anEvent(device, 'e', at)]);
      }),
    ),
  );
});

/** The products that have readings or events, as a reader sees them. */
const kept = async (view: 'PropertyReadingView' | 'EventLogView'): Promise<string[]> =>
  (
    await store.sql<{ product: string }>(
      `SELECT DISTINCT split_part("device", ':', 1) AS "product" FROM "${view}" ORDER BY 1`,
    )
  ).map(({ product }) => product);

const partitions = async (pattern: string): Promise<string[]> =>
  (
    await store.sql<{ name: string }>(
      `SELECT relname::text AS "name" FROM pg_class WHERE relnamespace = 'partitions'::regnamespace AND relkind = 'r' AND relname ~ $1 ORDER BY 1`,
      pattern,
    )
  ).map(({ name }) => name);

const drop = (now: Date, settings: RetentionSettings = SETTINGS): Promise<readonly string[]> =>
  store.partitions.dropExpired(now, { dedupeDays: 366, ...settings });

describe('a product with a retention of its own', () => {
  it('loses its rows of a month before the rest does, where nothing is packed yet', async () => {
    expect(await store.keep(after(9), SETTINGS)).toMatchObject({ swept: 0 });
    expect(await store.keep(after(11), SETTINGS)).toMatchObject({ swept: 6, packed: new Map() });
    expect(await kept('PropertyReadingView')).toEqual(['long', 'other']);
    expect(await kept('EventLogView')).toEqual(['long', 'other']);
    expect(await store.keep(after(11), SETTINGS)).toMatchObject({ swept: 0 });
  });

  it('loses what its readings were rolled up to before it loses them, and keeps its chunks until then', async () => {
    await store.partitions.add([{ table: 'ReadingRollup', day: '2026-03-10' }]);
    await store.sql(
      `INSERT INTO "ReadingRollup" ("at", "seriesId", "count", "firstAt", "lastAt", "minAt", "maxAt", "hours", "sum", "min", "max", "first", "last", "area")
       SELECT '2026-03-10Z', "id", 3, 1000, 3000, 1000, 3000, 24, 6, 1, 3, 1, 3, 3000 FROM "DeviceProperty"`,
    );
    const rolledUp = async (): Promise<unknown> =>
      (await store.sql<{ device: string }>(`SELECT "device" FROM "ReadingRollupView" ORDER BY 1`)).map(
        ({ device }) => device,
      );
    await store.keep(after(31), SETTINGS);
    expect(await rolledUp()).toEqual(['long:d', 'other:d']);
    expect(await drop(after(61))).not.toContain('ReadingChunk_2026_03');
    await store.keep(after(61), SETTINGS);
    expect(await rolledUp()).toEqual(['long:d']);
    expect(await drop(after(61))).toContain('ReadingChunk_2026_03');
    const brief = { ...SETTINGS, productRetention: new Map([['long', { readings: 90 }]]) };
    const gone = ['ReadingChunk_of_long_2026_03', 'ReadingRollup_2026_03'];
    expect(await drop(after(91), brief)).toEqual(expect.arrayContaining(gone));
  });

  it('keeps its events when the rest loses them, and loses them with the partition', async () => {
    await store.keep(after(61), SETTINGS);
    expect(await drop(after(61))).not.toContain('EventLog_2026_03');
    expect(await kept('EventLogView')).toEqual(['long']);
    expect(await drop(after(91))).toContain('EventLog_2026_03');
  });

  it('has packed readings in partitions of its own, which outlive those of the rest', async () => {
    await store.keep(after(31), SETTINGS);
    expect(await partitions('^ReadingChunk_.*2026_03')).toEqual([
      'ReadingChunk_2026_03',
      'ReadingChunk_of_long_2026_03',
    ]);
    expect(await partitions('^PropertyReading_2026_03')).toEqual([]);
    expect(await kept('PropertyReadingView')).toEqual(['long', 'other']);
    expect(await drop(after(61))).toContain('ReadingChunk_2026_03');
    expect(await kept('PropertyReadingView')).toEqual(['long']);
    expect(await drop(after(20_000))).not.toContain('ReadingChunk_of_long_2026_03');
    expect(
      await store.sql(
        `SELECT "product", "packed"::int FROM "StorageMonth" WHERE "table" = 'PropertyReading' AND "packed" <> 0`,
      ),
    ).toEqual([{ product: 'long', packed: 3 }]);
  });

  it('takes along what was packed before it had one', async () => {
    const without = { retentionReadingsDays: 60, packReadingsAfterDays: 30 };
    await store.keep(after(31), without);
    expect(await partitions('^ReadingChunk_.*2026_03')).toEqual(['ReadingChunk_2026_03']);
    expect(await drop(after(61))).not.toContain('ReadingChunk_2026_03');
    expect(await store.keep(after(61), SETTINGS)).toMatchObject({ sorted: 2 });
    expect(await kept('PropertyReadingView')).toEqual(['long', 'other']);
    expect(await drop(after(61))).toContain('ReadingChunk_2026_03');
    expect(await kept('PropertyReadingView')).toEqual(['long']);
  });

  it('falls back to the rule of the rest when it loses its own', async () => {
    await store.keep(after(31), SETTINGS);
    const without = { ...SETTINGS, productRetention: new Map() };
    expect(await drop(after(61), without)).toEqual(
      expect.arrayContaining(['ReadingChunk_2026_03', 'ReadingChunk_of_long_2026_03']),
    );
    expect(await kept('PropertyReadingView')).toEqual([]);
  });

  it('has late readings and events written, or counted as expired, by its own rule', async () => {
    const writer = store.writerWith({ replica: 'rules', ...SETTINGS });
    const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);
    const told = (productKey: string, days: number) => {
      const device = { productKey, deviceName: 'd' };
      return decodedAs([aReading(device, 'q', aNumber('1'), daysAgo(days)), anEvent(device, 'late', daysAgo(days))]);
    };
    await writer.write([told('brief', 12), told('brief', 2), told('long', 70), told('other', 70), told('other', 50)]);
    const events = await store.sql(`SELECT "device" FROM "EventLogView" WHERE "identifier" = 'late' ORDER BY 1`);
    const readings = await store.sql(`SELECT "device" FROM "PropertyReadingView" WHERE "identifier" = 'q' ORDER BY 1`);
    const expected = [{ device: 'brief:d' }, { device: 'long:d' }, { device: 'other:d' }];
    expect({ events, readings }).toEqual({ events: expected, readings: expected });
    expect(
      await store.sql(`SELECT "count"::int FROM "IngestCount" WHERE "replica" = 'rules' AND "outcome" = 'expired'`),
    ).toEqual([{ count: 2 }]);
  });
});
