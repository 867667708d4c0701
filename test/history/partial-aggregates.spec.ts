import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PartialAggregate, Stretch } from '../../src/domain/partial-aggregate.js';
import {
  firstNumbers,
  lastNumbers,
  partialAggregates,
  type PartialsQuestion,
} from '../../src/storage/partial-aggregates.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { NOON } from '../support/messages.js';
import { aSeries, insertReadings, type ReadingRow } from '../support/reading-rows.js';
import { openStore, type TestStore } from '../support/writer.js';
import { numbersOf, scaled, unscaled } from './brute-force.js';

const SPAN = { low: NOON, high: NOON + 100_000 };

describe('partial aggregates of raw readings', () => {
  let store: TestStore;
  let snapshots: Snapshots;
  let nextSeries = 1;

  beforeAll(async () => {
    store = await openStore();
    snapshots = new Snapshots(store.prisma);
  });
  afterAll(() => store.close());

  const ask = (question: PartialsQuestion): Promise<readonly PartialAggregate[]> =>
    snapshots.read((query) => partialAggregates(query, question));

  /** @returns the series' ids */
  async function kept(...series: readonly (readonly ReadingRow[])[]): Promise<number[]> {
    const ids = series.map(() => nextSeries++);
    await insertReadings(store.prisma, new Map(series.map((rows, index) => [ids[index] ?? 0, rows])));
    return ids;
  }

  it('says of every series and stretch what adding up by hand says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.constantFrom('numbers', 'others', 'mixed').chain((kind) => aSeries(kind, SPAN)),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        stretches(),
        fc.boolean(),
        async (series, wanted, ends) => {
          const seriesIds = await kept(...series);
          const expected = series.flatMap((rows, index) => byHand(seriesIds[index] ?? 0, rows, wanted, ends));
          expect(await ask({ seriesIds, stretches: wanted, ends })).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('finds the last number before, and the first one after', async () => {
    await fc.assert(
      fc.asyncProperty(aSeries('mixed', SPAN), fc.nat(100_000), fc.nat(100_000), async (rows, one, other) => {
        const [id = 0] = await kept(rows);
        const bounds = { low: NOON + Math.min(one, other), high: NOON + Math.max(one, other) };
        const inside = numbersOf(rows).filter(({ at }) => at >= bounds.low && at < bounds.high);
        const before = await snapshots.read((query) => lastNumbers(query, [id], bounds));
        const after = await snapshots.read((query) => firstNumbers(query, [id], bounds));
        expect([before.get(id), after.get(id)]).toEqual([inside.at(-1), inside[0]]);
      }),
      { numRuns: 60 },
    );
  });

  it('loses no digit of 19-digit integers, nor of a sum of them', async () => {
    const values = ['1234567890123456789', '9223372036854775807', '0.1'];
    const [id = 0] = await kept(
      values.map((text, index) => ({ at: NOON + index * 10, values: [{ kind: 'number', text }] })),
    );
    const [partial] = await ask({ seriesIds: [id], stretches: [SPAN], ends: true });
    expect(partial).toMatchObject({
      sum: '10457939926978232596.1',
      max: '9223372036854775807',
      area: '104579399269782325960',
    });
  });

  it('has nothing to say without series or stretches', async () => {
    expect(await ask({ seriesIds: [], stretches: [SPAN], ends: true })).toEqual([]);
    expect(await ask({ seriesIds: [1], stretches: [], ends: true })).toEqual([]);
  });
});

/** Some that touch, and some with gaps between them. */
function stretches(): fc.Arbitrary<readonly Stretch[]> {
  return fc
    .tuple(fc.uniqueArray(fc.nat(100_000), { minLength: 2, maxLength: 12 }), fc.boolean(), fc.nat())
    .map(([edges, gaps, dropped]) => {
      const sorted = edges.sort((a, b) => a - b);
      const all = sorted.slice(1).map((high, index) => ({ low: NOON + (sorted[index] ?? 0), high: NOON + high }));
      return all.filter((_, index) => !gaps || all.length === 1 || index !== dropped % all.length);
    });
}

function byHand(
  seriesId: number,
  rows: readonly ReadingRow[],
  wanted: readonly Stretch[],
  ends: boolean,
): PartialAggregate[] {
  return wanted.flatMap(({ low, high }, stretch) => {
    const inside = rows.filter(({ at }) => at >= low && at < high);
    if (inside.length === 0) return [];
    const numbers = numbersOf(inside);
    const values = numbers.map(({ value }) => scaled(value)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const or = (value: bigint | undefined): string | null => (value === undefined ? null : unscaled(value));
    const some = numbers.length > 0;
    const area = numbers.reduce((sum, { value, at }, index) => {
      const next = numbers[index + 1];
      return next ? sum + scaled(value) * BigInt(next.at - at) : sum;
    }, 0n);
    return {
      seriesId,
      stretch,
      count: numbers.length,
      others: inside.length - numbers.length,
      sum: some ? unscaled(values.reduce((sum, value) => sum + value, 0n)) : null,
      min: or(values[0]),
      max: or(values.at(-1)),
      first: ends && numbers[0] ? numbers[0] : null,
      last: (ends ? numbers.at(-1) : null) ?? null,
      area: some && ends ? unscaled(area) : null,
      mixed:
        ends && numbers.length < inside.length ? { first: valueOf(inside[0]), last: valueOf(inside.at(-1)) } : null,
    };
  });
}

function valueOf(row: ReadingRow | undefined): { value: string; at: number } {
  return { value: row?.values.at(-1)?.text ?? '', at: row?.at ?? 0 };
}
