import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { openColdStore, type ColdStore, type ShownReading } from '../support/cold-store.js';

jest.setTimeout(60_000);

const MONTH = Date.UTC(2026, 2, 1);
const MONTH_MS = 31 * 86_400_000;
const LATER = new Date(Date.UTC(2026, 6, 1));

let store: ColdStore;
beforeAll(async () => {
  store = await openColdStore();
});
afterAll(() => store.close());

/** A value as the columns of a reading: [number, json, several]. */
type Columns = readonly [number: string | null, json: string | null, several: string | null];

async function insert(table: string, series: number, readings: ReadonlyMap<number, Columns>): Promise<void> {
  const rows = [...readings].map(([at, [number, json, several]]) => ({
    at: new Date(at).toISOString(),
    number,
    json,
    several,
  }));
  await store.sql(
    `INSERT INTO ${table} ("seriesId", "at", "number", "json", "several")
     SELECT $1::int, r."at", r."number"::numeric, r."json"::jsonb, r."several"::jsonb
     FROM json_to_recordset($2::text::json) AS r("at" timestamptz, "number" text, "json" text, "several" text)`,
    series,
    JSON.stringify(rows),
  );
}

const shown = (readings: ReadonlyMap<number, Columns>): Promise<ShownReading[]> =>
  store.sql(
    `SELECT r."at"::timestamptz(3)::text AS "at", r."number"::numeric::text AS "number", r."json"::jsonb::text AS "json", r."several"::jsonb::text AS "several"
     FROM json_to_recordset($1::text::json) AS r("at" timestamptz, "number" text, "json" text, "several" text) ORDER BY r."at"`,
    JSON.stringify(
      [...readings].map(([at, [number, json, several]]) => ({ at: new Date(at).toISOString(), number, json, several })),
    ),
  );

const digits = (most: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{0,${most}}$`));
/** Numbers as devices report them, and those that fit no machine number. */
const aNumberText = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -30_000, max: 30_000 }).map((n) => String(n)) },
  { weight: 4, arbitrary: fc.integer({ min: -99_999, max: 99_999 }).map((n) => String(n / 100)) },
  { weight: 2, arbitrary: fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((n) => String(n)) },
  { weight: 1, arbitrary: fc.tuple(digits(18), digits(9)).map(([whole, part]) => `-${whole}.${part}`) },
  { weight: 1, arbitrary: digits(60) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('0', '1e30', '1.50', 'NaN', '0.0000000000000000000000000001', '9223372036854775807'),
  },
);
const aJsonText = fc.oneof(
  fc.constantFrom('true', 'false', 'null', '"on"', '"off"', '[]', '{"a": {"b": 99.0}}'),
  fc
    .string()
    .filter((text) => !text.includes('\0'))
    .map((text) => JSON.stringify(text.toWellFormed())),
);
const aSeveralText = fc.constantFrom('[1, 2]', '[99.5, "on"]', '[true, {"a": 1}]');
const columns = fc.oneof(
  { weight: 10, arbitrary: aNumberText.map((number): Columns => [number, null, null]) },
  { weight: 2, arbitrary: aJsonText.map((json): Columns => [null, json, null]) },
  { weight: 1, arbitrary: aSeveralText.map((several): Columns => [null, null, several]) },
);
const plain = fc.integer({ min: 0, max: 3_000 }).map((n): Columns => [String(n / 10), null, null]);
/** Times as they come: every so often with a wobble and gaps, or whenever. */
const times = fc.oneof(
  fc
    .tuple(
      fc.integer({ min: 1, max: 600_000 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 20 })), { maxLength: 40 }),
    )
    .map(([every, steps]) => {
      let slot = 0;
      return steps.map(([wobble, gap]) => MONTH + (((slot += gap) * every) % (MONTH_MS - 900)) + wobble);
    }),
  fc.array(fc.integer({ min: 0, max: MONTH_MS - 1 }), { maxLength: 30 }).map((all) => all.map((ms) => MONTH + ms)),
  fc.constant([MONTH, MONTH + 1, MONTH + 2, MONTH + MONTH_MS - 1]),
);
const aSeriesOfReadings = fc.oneof(columns, plain).chain((first) =>
  times.chain((all) =>
    fc
      .array(first[0] !== null && first[1] === null ? fc.oneof(plain, columns) : columns, {
        minLength: all.length,
        maxLength: all.length,
      })
      .map((values) => new Map(all.map((at, n) => [at, values[n] ?? first]))),
  ),
);

describe('packed readings', () => {
  it('are what they were, to the last digit and millisecond', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aSeriesOfReadings, { minLength: 1, maxLength: 12 }), async (many) => {
        await store.sql(`TRUNCATE "PropertyReading", "ReadingChunk", "StorageMonth"`);
        await store.addMonth(new Date(MONTH));
        const series: number[] = [];
        for (const readings of many) {
          const id = await store.aSeries();
          series.push(id);
          await insert('"PropertyReading"', id, readings);
        }
        await store.keep(LATER);
        expect(await store.sql(`SELECT FROM "PropertyReading"`)).toEqual([]);
        for (const [n, readings] of many.entries())
          expect(await store.read(series[n] ?? 0, new Date(MONTH), LATER)).toEqual(await shown(readings));
      }),
      { numRuns: 8 },
    );
  });
});
