import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AGGREGATE_FUNCTIONS, FILLS, type Fill } from '../../src/domain/aggregate-functions.js';
import type { Interval } from '../../src/domain/interval.js';
import { AggregateReader } from '../../src/storage/aggregate.reader.js';
import type { Bounds } from '../../src/storage/reading-source.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { exactJson } from '../../src/api/exact-json.js';
import { NOON } from '../support/messages.js';
import { aSeries, insertReadings, type ReadingRow } from '../support/reading-rows.js';
import { openStore, type TestStore } from '../support/writer.js';
import { add, type Fraction, fraction, modelOf, negative, Told, whole } from './aggregate-model.js';

const SPAN = { low: NOON, high: NOON + 100_000 };
const PERCENTILES = ['p0', 'p50', 'p99.9', 'p100'];
const FUNCTIONS = [...AGGREGATE_FUNCTIONS, ...PERCENTILES];

describe('aggregates, held against a model that walks through every millisecond that matters', () => {
  let store: TestStore;
  let reader: AggregateReader;
  let devices = 0;

  beforeAll(async () => {
    store = await openStore();
    reader = new AggregateReader(new Snapshots(store.prisma));
  });
  afterAll(() => store.close());

  /** A device with one property for each series, heard whenever there is a reading. */
  async function aDevice(series: readonly (readonly ReadingRow[])[]): Promise<string> {
    const deviceName = `d${++devices}`;
    const times = series.flatMap((rows) => rows.map(({ at }) => at));
    const [first, last] = [Math.min(...times), Math.max(...times)].map((at) =>
      Number.isFinite(at) ? new Date(at).toISOString() : null,
    );
    const ids = await store.prisma.$queryRawUnsafe<{ id: number }[]>(
      `WITH d AS (INSERT INTO "Device" ("productKey", "deviceName", "firstSeen", "lastSeen")
                  VALUES ('pk', $1, $2::text::timestamptz, $3::text::timestamptz) RETURNING "id")
       INSERT INTO "DeviceProperty" ("deviceId", "identifier") SELECT d."id", 'p' || n FROM d, generate_series(1, $4::int) n
       RETURNING "DeviceProperty"."id"`,
      deviceName,
      first,
      last,
      series.length,
    );
    await insertReadings(store.prisma, new Map(series.map((rows, index) => [ids[index]?.id ?? 0, rows])));
    return deviceName;
  }

  it('says what the model says, of any readings, interval, fill and windows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc
            .constantFrom('numbers' as const, 'others' as const, 'mixed' as const)
            .chain((kind) => aSeries(kind, SPAN, 14)),
          {
            minLength: 1,
            maxLength: 2,
          },
        ),
        fc.constantFrom<Interval>(
          { kind: 'clock', ms: 10_000 },
          { kind: 'elapsed', ms: 7_000 },
          { kind: 'clock', ms: 60_000 },
          { kind: 'days', count: 1 },
        ),
        fc.constantFrom<Fill>(...FILLS),
        fc.tuple(fc.integer({ min: -20_000, max: 110_000 }), fc.integer({ min: 1, max: 130_000 })),
        fc.integer({ min: -10_000, max: 140_000 }),
        fc.option(anyWindows()),
        async (series, interval, fill, [from, length], now, windows) => {
          const deviceName = await aDevice(series);
          const question = {
            identifiers: null,
            from: new Date(NOON + from),
            to: new Date(NOON + from + length),
            interval,
            timeZone: 'UTC',
            functions: FUNCTIONS,
            fill,
            // in somebody's name, nothing is told of what a device dates later than now
            now: new Date(windows ? Math.max(NOON + now, SPAN.high) : NOON + now),
          };
          const rows = await reader.aggregates({ productKey: 'pk', deviceName }, question, windows ?? undefined);
          const expected = modelOf(series, { ...question, low: NOON + from, high: NOON + from + length }, windows);
          expect(compared(JSON.parse(withTexts(rows)), expected, greatest(series))).toEqual(expected);
        },
      ),
      { numRuns: 250 },
    );
  });
});

/** An answer as JSON whose numbers are texts, so that no digit is lost in comparing. */
function withTexts(rows: unknown): string {
  return exactJson(rows).replace(/(?<=":|\[)-?\d+(\.\d+)?(?=[,}\]])/g, '"#$&"');
}

/** An answer in which every number that agrees with the expected one is replaced by it. */
function compared(actual: unknown, expected: unknown, scale: Fraction): unknown {
  if (expected instanceof Told) {
    if (typeof actual !== 'string' || !actual.startsWith('#')) return actual;
    const off = add(fraction(actual.slice(1)), negative(expected.number));
    const [over, under] = [off.over < 0n ? -off.over : off.over, off.under < 0n ? -off.under : off.under];
    // 20 digits of something no larger than a thousand times the greatest number
    const agrees = expected.exact ? over === 0n : over * 10n ** 16n * scale.under <= scale.over * under;
    return agrees ? expected : actual;
  }
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return actual.map((each, index) => compared(each, expected[index], scale));
  }
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) return actual;
  const wanted = expected as Record<string, unknown>;
  return Object.fromEntries(Object.entries(actual).map(([key, value]) => [key, compared(value, wanted[key], scale)]));
}

function greatest(series: readonly (readonly ReadingRow[])[]): Fraction {
  const sizes = series.flatMap((rows) =>
    rows.flatMap(({ values }) =>
      values.flatMap(({ kind, text }) => (kind === 'number' ? [fraction(text.replace('-', ''))] : [])),
    ),
  );
  return sizes.reduce((a, b) => (a.over * b.under > b.over * a.under ? a : b), whole(1));
}

function anyWindows(): fc.Arbitrary<readonly Bounds[]> {
  return fc.uniqueArray(fc.integer({ min: -30_000, max: 130_000 }), { minLength: 2, maxLength: 6 }).map((edges) => {
    const sorted = edges.sort((a, b) => a - b).map((edge) => NOON + edge);
    return sorted.flatMap((low, index) => {
      const high = sorted[index + 1];
      return index % 2 === 0 && high !== undefined ? [{ low, high }] : [];
    });
  });
}
