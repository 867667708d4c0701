import type { NumberAt, Stretch, ValueAt } from './partial-aggregate.js';
import { compareNumbers } from './value.js';

/** Of each stretch its lowest and highest reading are kept, and the one that LTTB picks. */
const KEPT_OF_STRETCH = 3;

/** Each stretch is looked at in so many parts, which leaves LTTB the lowest and highest of each to pick from. */
const PARTS_OF_STRETCH = 4;

/** Into how many stretches of equal length a range is cut, so that what is kept of them is no more than `points`. */
export function stretchesFor(points: number): number {
  return Math.floor((points - 2) / KEPT_OF_STRETCH);
}

/** The range in so many parts of equal length; those shorter than a millisecond are left out. */
export function equalParts({ low, high }: Stretch, count: number): readonly Stretch[] {
  const edge = (index: number): number => low + Math.round(((high - low) * index) / count);
  return Array.from({ length: count }, (_, index) => ({ low: edge(index), high: edge(index + 1) })).filter(
    (part) => part.low < part.high,
  );
}

/** Stretches of about equal length for LTTB, and the parts of each whose extremes it picks from. */
export interface ChartGrid {
  readonly stretches: readonly Stretch[];
  readonly parts: readonly Stretch[];
}

/**
 * The grid of a chart of so many stretches. Where they are longer than a unit, they begin with whole units and have units for parts:
 * what is known of whole hours and days is known without looking at their readings.
 * @param units in milliseconds, the longest first
 */
export function chartGrid(range: Stretch, count: number, units: readonly number[]): ChartGrid {
  const stretches = equalParts(range, count);
  const unit = units.find((each) => (range.high - range.low) / count >= each);
  if (unit === undefined) return { stretches, parts: equalParts(range, count * PARTS_OF_STRETCH) };
  const edges = [range.low, ...stretches.slice(1).map(({ low }) => Math.round(low / unit) * unit), range.high];
  return { stretches: between(edges), parts: between(wholeUnits(range, unit)) };
}

function wholeUnits({ low, high }: Stretch, unit: number): readonly number[] {
  const edges = [low];
  for (let edge = Math.floor(low / unit + 1) * unit; edge < high; edge += unit) edges.push(edge);
  return [...edges, high];
}

function between(edges: readonly number[]): readonly Stretch[] {
  return edges
    .slice(1)
    .map((high, index) => ({ low: edges[index] ?? high, high }))
    .filter(({ low, high }) => low < high);
}

/**
 * As few readings as draw the same picture: the first and the last, of every stretch the lowest and the highest, so that no spike
 * is lost, and the one that Largest Triangle Three Buckets picks: whose triangle with the reading picked before and the middle of
 * the stretch behind is the largest.
 * @param readings in order of time
 * @param stretches in order of time
 */
export function thinOut(readings: readonly NumberAt[], stretches: readonly Stretch[]): readonly NumberAt[] {
  const [first, last] = [readings[0], readings.at(-1)];
  if (!first || !last) return [];
  const filled = inStretches(readings, stretches);
  const kept = new Set<NumberAt>([first, last]);
  let picked = first;
  for (const [index, inside] of filled.entries()) {
    kept.add(inside.reduce((lowest, each) => (order(each, lowest) < 0 ? each : lowest)));
    kept.add(inside.reduce((highest, each) => (order(each, highest) > 0 ? each : highest)));
    picked = largestTriangle(picked, inside, middle(filled[index + 1] ?? [last]));
    kept.add(picked);
  }
  return [...kept].sort((a, b) => a.at - b.at);
}

/** The first and the last change of every stretch: what was there when it ended is always told. */
export function thinOutChanges(changes: readonly ValueAt[], stretches: readonly Stretch[]): readonly ValueAt[] {
  const kept = inStretches(changes, stretches).flatMap((inside) => [inside[0], inside.at(-1)]);
  return [...new Set(kept)].flatMap((change) => (change ? [change] : []));
}

/** The readings of each stretch that has any. */
function inStretches<Reading extends ValueAt>(
  readings: readonly Reading[],
  stretches: readonly Stretch[],
): readonly (readonly [Reading, ...Reading[]])[] {
  const filled: [Reading, ...Reading[]][] = [];
  let next = 0;
  for (const { high } of stretches) {
    let inside: [Reading, ...Reading[]] | null = null;
    for (let reading = readings[next]; reading && reading.at < high; reading = readings[++next]) {
      if (inside) inside.push(reading);
      else inside = [reading];
    }
    if (inside) filled.push(inside);
  }
  return filled;
}

function order(a: NumberAt, b: NumberAt): number {
  return compareNumbers(a.value, b.value);
}

interface Place {
  readonly at: number;
  readonly height: number;
}

function largestTriangle(before: NumberAt, inside: readonly [NumberAt, ...NumberAt[]], behind: Place): NumberAt {
  let [largest] = inside;
  let most = -1;
  for (const each of inside) {
    const area = Math.abs(
      (before.at - behind.at) * (height(each) - height(before)) -
        (before.at - each.at) * (behind.height - height(before)),
    );
    if (area > most) [largest, most] = [each, area];
  }
  return largest;
}

function middle(readings: readonly NumberAt[]): Place {
  const sum = readings.reduce((at, reading) => ({ at: at.at + reading.at, height: at.height + height(reading) }), {
    at: 0,
    height: 0,
  });
  return { at: sum.at / readings.length, height: sum.height / readings.length };
}

/** A double does for choosing; what is told is exact. Numbers that no double holds are as high as can still be multiplied. */
function height({ value }: NumberAt): number {
  return Math.max(-1e280, Math.min(1e280, Number(value)));
}
