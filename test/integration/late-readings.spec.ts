import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { compareValues, type Value } from '../../src/domain/value.js';
import { aJson, aNumber, aReading } from '../support/api.js';
import { type ColdStore, openColdStore, type ShownReading } from '../support/cold-store.js';
import { until } from '../support/until.js';
import { decodedAs } from '../support/writer.js';

jest.setTimeout(60_000);

const MARCH = Date.UTC(2026, 2, 1);
const APRIL = Date.UTC(2026, 3, 1);
const MAY = Date.UTC(2026, 4, 1);
const HOUR_MS = 3_600_000;

let store: ColdStore;
beforeAll(async () => {
  store = await openColdStore();
});
afterAll(() => store.close());
beforeEach(() => store.sql(`TRUNCATE "PropertyReading", "ReadingChunk", "StorageMonth", "Device" CASCADE`));

/** What was reported of one series, by millisecond: the values in their fixed order. */
class Reported {
  private readonly readings = new Map<number, readonly Value[]>();

  add(at: number, value: Value): void {
    const known = this.readings.get(at) ?? [];
    if (known.some((each) => compareValues(each, value) === 0)) return;
    this.readings.set(at, [...known, value].sort(compareValues));
  }

  shown({ low = -Infinity, high = Infinity } = {}): ShownReading[] {
    return [...this.readings]
      .filter(([at]) => at >= low && at < high)
      .sort(([a], [b]) => a - b)
      .map(([at, values]) => shown(at, values));
  }
}

function shown(at: number, values: readonly Value[]): ShownReading {
  const [first] = values;
  const one = values.length === 1 ? first : undefined;
  return {
    at: new Date(at).toISOString(),
    number: one?.kind === 'number' ? one.text : null,
    json: one?.kind === 'json' ? one.text : null,
    several: one ? null : `[${values.map(({ text }) => text).join(', ')}]`,
  };
}

const device = { productKey: 'a1', deviceName: 'd' };
const report = (at: number, value: Value) => decodedAs([aReading(device, 'p', value, new Date(at))]);

async function series(): Promise<number> {
  const [row] = await store.sql<{ id: number }>(`SELECT "id" FROM "DeviceProperty"`);
  return row?.id ?? 0;
}

async function read(
  low: number,
  high: number,
  walk?: { order: 'asc' | 'desc'; limit: number },
): Promise<ShownReading[]> {
  const rows = await store.read(await series(), new Date(low), new Date(high), walk);
  return rows.map((row) => ({ ...row, at: new Date(row.at.replace(/\+00$/, 'Z')).toISOString() }));
}

/** All readings between two times, page by page. */
async function pages(low: number, high: number, order: 'asc' | 'desc', limit: number): Promise<ShownReading[]> {
  const found: ShownReading[] = [];
  for (let [from, to] = [low, high]; ;) {
    const page = await read(from, to, { order, limit });
    found.push(...page);
    const last = page.at(-1);
    if (!last || page.length < limit) return found;
    if (order === 'asc') from = Date.parse(last.at) + 1;
    else to = Date.parse(last.at);
  }
}

/** Hours around the change of a month, close enough together to meet often. */
const anInstant = fc
  .tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: 0, max: 1 }))
  .map(([hour, ms]) => APRIL + hour * HOUR_MS + ms);
const aValue = fc.constantFrom<Value>(aNumber('1'), aNumber('2.5'), aNumber('99'), aJson('"on"'), aJson('{"a": 1}'));
const sizes = fc.record({
  batchReadings: fc.integer({ min: 1, max: 9 }),
  chunkReadings: fc.integer({ min: 1, max: 9 }),
});
const steps = fc.array(
  fc.record({
    reports: fc.array(fc.record({ at: anInstant, value: aValue }), { minLength: 1, maxLength: 30 }),
    packed: fc.subarray([MARCH, APRIL]),
    sizes,
  }),
  { minLength: 1, maxLength: 5 },
);

describe('readings that come for a packed month', () => {
  it('are read as if nothing had ever been packed, in pages of any size, both ways, between any times', async () => {
    await fc.assert(
      fc.asyncProperty(steps, anInstant, anInstant, fc.integer({ min: 2, max: 9 }), async (story, a, b, limit) => {
        await store.sql(`TRUNCATE "PropertyReading", "ReadingChunk", "StorageMonth", "Device" CASCADE`);
        const reported = new Reported();
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        for (const step of story) {
          for (const { at, value } of step.reports) reported.add(at, value);
          await store.writer.write(step.reports.map(({ at, value }) => report(at, value)));
          for (const month of step.packed) await store.pack(new Date(month), step.sizes);
          expect(await read(MARCH, MAY)).toEqual(reported.shown());
          expect(await read(low, high)).toEqual(reported.shown({ low, high }));
        }
        expect(await pages(low, high, 'asc', limit)).toEqual(reported.shown({ low, high }));
        expect(await pages(low, high, 'desc', limit)).toEqual(reported.shown({ low, high }).reverse());
        const view = await store.sql(`SELECT "at"::text, "value" FROM "PropertyReadingView" ORDER BY "at"`);
        expect(view).toHaveLength(reported.shown().length);
        const overlaps = await store.sql(
          `SELECT FROM "ReadingChunk" a JOIN "ReadingChunk" b USING ("seriesId") WHERE a."from" < b."from" AND a."until" >= b."from"`,
        );
        expect(overlaps).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it('are packed with the others at the next packing, a day later', async () => {
    const write = async (...values: readonly (readonly [at: number, value: string])[]): Promise<void> => {
      await store.writer.write(values.map(([at, value]) => report(MARCH + at, aNumber(value))));
    };
    const later = (hours: number): Date => new Date(MAY + hours * HOUR_MS);
    await write([0, '1'], [60_000, '2'], [120_000, '3']);
    expect(await store.keep(later(0))).toMatchObject({ packed: new Map([['2026-03-01', 3]]) });
    await write([60_000, '2'], [60_000, '7'], [90_000, '4']);
    expect(await store.keep(later(23))).toMatchObject({ packed: new Map() });
    expect(await store.sql(`SELECT FROM "PropertyReading"`)).toHaveLength(2);
    const all = await read(MARCH, APRIL);
    expect(all.map(({ number, several }) => number ?? several)).toEqual(['1', '[2, 7]', '4', '3']);
    expect(await store.keep(later(24))).toMatchObject({ packed: new Map([['2026-03-01', 2]]) });
    expect(await store.sql(`SELECT FROM "PropertyReading"`)).toEqual([]);
    expect(await read(MARCH, APRIL)).toEqual(all);
    expect(await store.sql(`SELECT "packed"::int FROM "StorageMonth"`)).toEqual([{ packed: 4 }]);
  });
});

describe('a month that is being packed', () => {
  const EVERY_MS = 60_000;
  const at = (n: number): number => MARCH + n * EVERY_MS;
  const fill = async (count: number): Promise<void> => {
    await store.writer.write(Array.from({ length: count }, (_, n) => report(at(n), aNumber(String(n)))));
  };
  const small = { batchReadings: 20, chunkReadings: 7 };

  it('is read and written all the while, each reading once', async () => {
    await fill(600);
    let packing = true;
    const packs = (async () => {
      for (let n = 0; n < 3; n++) await store.pack(new Date(MARCH), small);
    })().finally(() => (packing = false));
    const late = (async () => {
      // The same again, another value at the same time, and one between two others.
      for (let n = 0; packing || n < 20; n++) {
        const place = (n * 37) % 600;
        await store.writer.write([
          report(at(place), aNumber(String(place))),
          report(at(place), aNumber('1000')),
          report(at(place) + 1, aNumber('2000')),
        ]);
      }
    })();
    const found: number[] = [];
    while (packing) {
      const times = (await read(MARCH, APRIL)).map((row) => Date.parse(row.at));
      expect(new Set(times).size).toBe(times.length);
      found.push(times.filter((time) => time % EVERY_MS === 0).length);
    }
    await Promise.all([packs, late]);
    expect(new Set(found)).toEqual(new Set([600]));
  });

  it('loses nothing when the packing dies, and is packed by the next', async () => {
    await fill(300);
    const before = await read(MARCH, APRIL);
    const packing = store.pack(new Date(MARCH), { batchReadings: 1, chunkReadings: 7 }).then(
      () => 'done',
      () => 'died',
    );
    await until(async () => expect(await store.sql(`SELECT FROM "ReadingChunk" LIMIT 1`)).toHaveLength(1));
    await store.sql(
      `SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'living-mirror storage'`,
    );
    expect(await packing).toBe('died');
    expect(await store.sql(`SELECT FROM "PropertyReading" LIMIT 1`)).toHaveLength(1);
    expect(await read(MARCH, APRIL)).toEqual(before);
    await store.pack(new Date(MARCH), small);
    expect(await store.sql(`SELECT FROM "PropertyReading"`)).toEqual([]);
    expect(await read(MARCH, APRIL)).toEqual(before);
  });

  it('stays as it was for whoever looks at a moment before', async () => {
    await fill(50);
    await store.prisma.$transaction(
      async (tx) => {
        const count = async (): Promise<unknown> =>
          tx.$queryRawUnsafe(`SELECT count(*)::int FROM "partitions"."EveryReading"`);
        expect(await count()).toEqual([{ count: 50 }]);
        await store.keep(new Date(MAY));
        expect(await count()).toEqual([{ count: 50 }]);
      },
      { isolationLevel: 'RepeatableRead', timeout: 60_000 },
    );
    expect(await store.sql(`SELECT to_regclass('"partitions"."PropertyReading_2026_03"') IS NULL AS "gone"`)).toEqual([
      { gone: false },
    ]);
    await store.keep(new Date(MAY));
    expect(await store.sql(`SELECT to_regclass('"partitions"."PropertyReading_2026_03"') IS NULL AS "gone"`)).toEqual([
      { gone: true },
    ]);
    expect(await read(MARCH, APRIL)).toHaveLength(50);
  });

  it('leaves no empty partition behind for good, although somebody was in the way once', async () => {
    await fill(50);
    await store.keep(new Date(MAY));
    await store.addMonth(new Date(MARCH)); // as if it could not be dropped
    await store.keep(new Date(MAY));
    expect(await store.sql(`SELECT to_regclass('"partitions"."PropertyReading_2026_03"') IS NULL AS "gone"`)).toEqual([
      { gone: true },
    ]);
    expect(await read(MARCH, APRIL)).toHaveLength(50);
  });
});
