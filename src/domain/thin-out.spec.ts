import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NumberAt } from './partial-aggregate.js';
import { chartGrid, equalParts, stretchesFor, thinOut, thinOutChanges } from './thin-out.js';

const reading = (at: number, value: number | string): NumberAt => ({ at, value: String(value) });

const anySeries = fc
  .uniqueArray(fc.tuple(fc.nat(10_000), fc.integer({ min: -50, max: 50 })), { selector: ([at]) => at, maxLength: 200 })
  .map((points) => points.sort(([a], [b]) => a - b).map(([at, value]) => reading(at, value)));

describe('thinning out', () => {
  it('keeps the first and the last, the extremes of every stretch, and no more than asked for', () => {
    fc.assert(
      fc.property(anySeries, fc.integer({ min: 5, max: 60 }), (readings, points) => {
        const stretches = equalParts({ low: 0, high: 10_001 }, stretchesFor(points));
        const kept = thinOut(readings, stretches);
        expect(kept.length).toBeLessThanOrEqual(points);
        expect(kept).toEqual(readings.filter((each) => kept.includes(each)));
        expect([kept[0], kept.at(-1)]).toEqual([readings[0], readings.at(-1)]);
        for (const { low, high } of stretches) {
          const inside = readings.filter(({ at }) => at >= low && at < high).map(({ value }) => Number(value));
          const shown = kept.filter(({ at }) => at >= low && at < high).map(({ value }) => Number(value));
          expect([Math.min(...shown), Math.max(...shown)]).toEqual([Math.min(...inside), Math.max(...inside)]);
        }
      }),
    );
  });

  it('picks what the paper says: the largest triangle with the pick before and the average behind', () => {
    fc.assert(
      fc.property(anySeries, (readings) => {
        const stretches = equalParts({ low: 0, high: 10_001 }, 9);
        const kept = thinOut(readings, stretches);
        for (const pick of picksByTheBook(readings, stretches)) expect(kept).toContain(pick);
      }),
    );
  });

  it('tells integers apart that are the same double', () => {
    const readings = [1, 3, 2, 5, 4].map((last, index) => reading(index + 1, `900719925474099${last}`));
    const kept = thinOut([reading(0, 0), ...readings, reading(9, 0)], [{ low: 0, high: 10 }]).map(({ value }) => value);
    expect(kept).toContain('9007199254740995');
  });

  it('bears numbers that no double holds', () => {
    const huge = `1${'0'.repeat(400)}`;
    const readings = [0, 1, 2, 3, 4, 5].map((at) => reading(at * 1e12, at === 3 ? huge : at));
    expect(thinOut(readings, equalParts({ low: 0, high: 6e12 }, 2)).map(({ value }) => value)).toContain(huge);
  });

  it('has nothing to keep of nothing', () => {
    expect(thinOut([], equalParts({ low: 0, high: 10 }, 3))).toEqual([]);
  });
});

it('keeps the first and the last change of every stretch', () => {
  const changes = [1, 2, 3, 11, 25, 26].map((at) => reading(at, at));
  const parts = equalParts({ low: 0, high: 30 }, 3);
  expect(thinOutChanges(changes, parts).map(({ at }) => at)).toEqual([1, 3, 11, 25, 26]);
});

it('cuts a range into parts of equal length, none of them empty', () => {
  expect(equalParts({ low: 10, high: 20 }, 3)).toEqual([
    { low: 10, high: 13 },
    { low: 13, high: 17 },
    { low: 17, high: 20 },
  ]);
  expect(equalParts({ low: 0, high: 2 }, 5)).toHaveLength(2);
});

/** Largest Triangle Three Buckets as Sveinn Steinarsson wrote it down (2013), on buckets of equal length. */
function picksByTheBook(
  readings: readonly NumberAt[],
  stretches: readonly { readonly low: number; readonly high: number }[],
): NumberAt[] {
  const buckets = stretches
    .map(({ low, high }) => readings.filter(({ at }) => at >= low && at < high))
    .filter((bucket) => bucket.length > 0);
  const picks: NumberAt[] = [];
  let [a] = readings;
  buckets.forEach((bucket, index) => {
    const behind = buckets[index + 1] ?? readings.slice(-1);
    const c = {
      x: behind.reduce((sum, { at }) => sum + at, 0) / behind.length,
      y: behind.reduce((sum, { value }) => sum + Number(value), 0) / behind.length,
    };
    const areas = bucket.map((b) => {
      const [ax, ay, bx, by] = [a!.at, Number(a!.value), b.at, Number(b.value)];
      return Math.abs((ax - c.x) * (by - ay) - (ax - bx) * (c.y - ay)) / 2;
    });
    a = bucket[areas.indexOf(Math.max(...areas))]!;
    picks.push(a);
  });
  return picks;
}

describe('the grid of a chart', () => {
  const [DAY, HOUR] = [24, 1];

  it('begins stretches with whole units where they are longer than one', () => {
    expect(chartGrid({ low: 3, high: 50 }, 20, [DAY, HOUR]).stretches.slice(0, 3)).toEqual([
      { low: 3, high: 5 },
      { low: 5, high: 8 },
      { low: 8, high: 10 },
    ]);
    expect(chartGrid({ low: 3, high: 99 }, 3, [DAY, HOUR])).toEqual({
      stretches: [
        { low: 3, high: 24 },
        { low: 24, high: 72 },
        { low: 72, high: 99 },
      ],
      parts: [
        { low: 3, high: 24 },
        { low: 24, high: 48 },
        { low: 48, high: 72 },
        { low: 72, high: 96 },
        { low: 96, high: 99 },
      ],
    });
  });

  it('has equal parts where they are shorter', () => {
    const range = { low: 3, high: 99 };
    expect(chartGrid(range, 3, [1_000])).toEqual({ stretches: equalParts(range, 3), parts: equalParts(range, 12) });
  });

  it('covers the range without gaps, and every stretch with whole parts', () => {
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 60 }),
        (low, length, count) => {
          const { stretches, parts } = chartGrid({ low, high: low + length }, count, [DAY, HOUR]);
          for (const cut of [stretches, parts]) {
            expect([cut[0]?.low, cut.at(-1)?.high]).toEqual([low, low + length]);
            expect(cut.slice(1).map((each) => each.low)).toEqual(cut.slice(0, -1).map((each) => each.high));
          }
          const edges = new Set(parts.map((part) => part.low));
          if (length / count >= HOUR) expect(stretches.filter((stretch) => !edges.has(stretch.low))).toEqual([]);
        },
      ),
    );
  });
});
