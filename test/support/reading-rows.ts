import fc from 'fast-check';
import { compareValues, type Value } from '../../src/domain/value.js';
import type { PrismaService } from '../../src/storage/prisma.service.js';

/** All values of one millisecond of a series, in their fixed order. */
export interface ReadingRow {
  readonly at: number;
  readonly values: readonly Value[];
}

/** Puts readings where they are kept, without a writer: quick, for tests that need many. */
export async function insertReadings(
  prisma: PrismaService,
  series: ReadonlyMap<number, readonly ReadingRow[]>,
): Promise<void> {
  const rows = [...series].flatMap(([seriesId, readings]) =>
    readings.map(({ at, values }) => {
      const [value] = values;
      if (!value) throw new Error('a reading has a value');
      return {
        seriesId,
        at: new Date(at).toISOString(),
        number: values.length === 1 && value.kind === 'number' ? value.text : null,
        json: values.length === 1 && value.kind === 'json' ? value.text : null,
        several: values.length > 1 ? `[${values.map(({ text }) => text).join(', ')}]` : null,
      };
    }),
  );
  await prisma.$executeRawUnsafe(
    `INSERT INTO "PropertyReading" ("at", "seriesId", "number", "json", "several")
     SELECT "at", "seriesId", "number", "json"::jsonb, "several"::jsonb FROM json_to_recordset($1::json)
       AS r("at" timestamptz, "seriesId" int, "number" numeric, "json" text, "several" text)`,
    JSON.stringify(rows),
  );
}

const aNumber = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -40, max: 40 }).map((quarters) => String(quarters / 4)) },
  { weight: 1, arbitrary: fc.constantFrom('1234567890123456789', '-1234567890123456789', '0.0000000000000000001') },
);
const anything: fc.Arbitrary<Value> = fc
  .constantFrom('true', 'false', '"on"', '"1"', 'null', '{"a": [1]}')
  .map((text) => ({
    kind: 'json',
    text,
  }));
const number: fc.Arbitrary<Value> = aNumber.map((text) => ({ kind: 'number', text }));

/** What a series may look like: numbers alone, other values alone, or both. */
export type SeriesKind = 'numbers' | 'others' | 'mixed';

/** A series with readings between two times, often at the same places, sometimes several in one millisecond. */
export function aSeries(
  kind: SeriesKind,
  { low, high }: { readonly low: number; readonly high: number },
  maxLength = 30,
): fc.Arbitrary<readonly ReadingRow[]> {
  const value = { numbers: number, others: anything, mixed: fc.oneof(number, anything) }[kind];
  const at = fc.oneof(
    fc.integer({ min: low, max: high - 1 }),
    fc.integer({ min: 0, max: 12 }).map((step) => Math.min(high - 1, low + Math.floor(((high - low) * step) / 12))),
  );
  const row = fc.record({
    at,
    values: fc.oneof(
      { weight: 9, arbitrary: fc.tuple(value) },
      { weight: 1, arbitrary: fc.array(value, { minLength: 2, maxLength: 3 }) },
    ),
  });
  return fc
    .uniqueArray(row, { selector: (each) => each.at, maxLength })
    .map((rows) =>
      [...rows].sort((a, b) => a.at - b.at).map(({ at: when, values }) => ({ at: when, values: distinct(values) })),
    );
}

function distinct(values: readonly Value[]): readonly Value[] {
  return [...new Map(values.map((value) => [value.text, value])).values()].sort(compareValues);
}
