import { compareValues, type Value } from '../../src/domain/value.js';
import type { Fill } from '../../src/domain/aggregate-functions.js';
import type { Interval } from '../../src/domain/interval.js';
import type { Bounds } from '../../src/storage/reading-source.js';
import type { ReadingRow } from '../support/reading-rows.js';

/**
 * What the documentation says of every function, written down as plainly as possible and without a thought for speed: exact
 * fractions, and every window looked at on its own, millisecond by millisecond where something begins or ends.
 */

export interface ModelQuestion {
  readonly low: number;
  readonly high: number;
  readonly interval: Interval;
  readonly functions: readonly string[];
  readonly fill: Fill;
  readonly now: Date;
}

/** An exact fraction. */
export interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

interface Point {
  readonly at: number;
  readonly value: Value;
}

/** A number of the answer. */
export class Told {
  constructor(
    readonly number: Fraction,
    /** Whether the answer has all of its digits, or as many as a quotient has. */
    readonly exact: boolean,
  ) {}
}

const exactly = (number: Fraction): Told => new Told(number, true);
const told = (number: Fraction): Told => new Told(number, false);
const NOTHING = exactly({ over: 0n, under: 1n });

const EVER: readonly Bounds[] = [{ low: -Infinity, high: Infinity }];

export function modelOf(
  series: readonly (readonly ReadingRow[])[],
  question: ModelQuestion,
  windows: readonly Bounds[] | null,
): unknown[] {
  const times = series.flatMap((rows) => rows.map(({ at }) => at));
  if (times.length === 0) return [];
  const until = Math.min(question.high, Math.max(question.now.getTime(), ...times));
  return series.flatMap((rows, index) => {
    // that there is a property at all is not told in somebody's name who may see none of its readings
    if (windows && !rows.some(({ at }) => windows.some(({ low, high }) => at >= low && at < high))) return [];
    const points = rows.map(({ at, values }) => ({ at, value: values.at(-1)! }));
    return bucketsOf(question).flatMap((bucket): unknown[] => {
      const answers = question.functions.map((name): [string, unknown] => [
        name,
        answer(name, points, bucket, question, windows ?? EVER, until),
      ]);
      const silent = answers.every(([name, value]) => value === null || (name === 'count' && value === NOTHING));
      if (question.fill === 'none' && silent) return [];
      const [from, to] = [bucket.low, bucket.high].map((at) => new Date(at).toISOString());
      return [{ identifier: `p${index + 1}`, from, to, ...Object.fromEntries(answers) }];
    });
  });
}

/** In UTC a day, and what divides it, begins at a multiple since 1970; other lengths count from a Monday. */
function bucketsOf({ interval, low, high }: ModelQuestion): Bounds[] {
  const step = interval.kind === 'days' ? 86_400_000 * interval.count : interval.kind === 'months' ? NaN : interval.ms;
  const origin = Date.UTC(2000, 0, 3);
  const buckets: Bounds[] = [];
  for (let at = low; at < high;) {
    const end = Math.min(high, origin + (Math.floor((at - origin) / step) + 1) * step);
    buckets.push({ low: at, high: end });
    at = end;
  }
  return buckets;
}

function answer(
  name: string,
  points: readonly Point[],
  bucket: Bounds,
  { fill }: ModelQuestion,
  windows: readonly Bounds[],
  until: number,
): unknown {
  const seen = windows.map((window) => points.filter(({ at }) => at >= window.low && at < window.high));
  const inside = seen.flatMap((some) => some.filter(({ at }) => at >= bucket.low && at < bucket.high));
  const numbers = inside.filter(({ value }) => value.kind === 'number');
  const sorted = numbers
    .map(({ value }) => value)
    .sort(compareValues)
    .map(({ text }) => fraction(text));
  const count = sorted.length;
  if (name === 'count') return inside.length === 0 ? NOTHING : exactly(whole(inside.length));
  if (name === 'sum') return count > 0 ? exactly(sorted.reduce(add)) : null;
  if (name === 'first' || name === 'last') {
    const point = name === 'first' ? inside[0] : inside.at(-1);
    return point ? shown(point.value) : filled(fill, bucket, points, windows, until, true);
  }
  if (name === 'delta' || name === 'rate') return change(name, bucket, seen);
  if (name === 'timeWeightedAverage') return timeWeighted(bucket, seen, windows, until);
  if (name === 'durations') return durations(bucket, seen, windows, until);
  if (count === 0) return filled(fill, bucket, points, windows, until, false);
  if (name === 'avg') return told(divide(sorted.reduce(add), whole(count)));
  if (name === 'min') return exactly(sorted[0]!);
  if (name === 'max') return exactly(sorted.at(-1)!);
  const share = divide(fraction(name.slice(1)), whole(100));
  const way = multiply(share, whole(count - 1));
  const below = Number(way.over / way.under);
  const rest = add(way, whole(-below));
  const [lower, upper] = [sorted[below]!, sorted[Math.min(below + 1, count - 1)]!];
  return exactly(add(lower, multiply(rest, add(upper, negative(lower)))));
}

function change(name: 'delta' | 'rate', bucket: Bounds, seen: readonly (readonly Point[])[]): unknown {
  let delta: Fraction | null = null;
  let ms = 0;
  for (const points of seen) {
    const numbers = points.filter(({ value, at }) => value.kind === 'number' && at < bucket.high);
    const inside = numbers.filter(({ at }) => at >= bucket.low);
    const last = inside.at(-1);
    const from = numbers.filter(({ at }) => at < bucket.low).at(-1) ?? (inside.length > 1 ? inside[0] : undefined);
    if (!last || !from) continue;
    delta = add(delta ?? whole(0), add(fraction(last.value.text), negative(fraction(from.value.text))));
    ms += last.at - from.at;
  }
  if (delta === null) return null;
  if (name === 'delta') return exactly(delta);
  return ms > 0 ? told(divide(multiply(delta, whole(1000)), whole(ms))) : null;
}

/** The stretches of a bucket in which one value held, of every window. */
function held(
  bucket: Bounds,
  seen: readonly (readonly Point[])[],
  windows: readonly Bounds[],
  until: number,
): { value: Value; ms: number }[] {
  return windows.flatMap((window, index) =>
    (seen[index] ?? []).flatMap((point, place, all) => {
      const next = all[place + 1]?.at ?? Infinity;
      const from = Math.max(point.at, bucket.low);
      const to = Math.min(next, bucket.high, window.high, until);
      return to > from ? [{ value: point.value, ms: to - from }] : [];
    }),
  );
}

function timeWeighted(
  bucket: Bounds,
  seen: readonly (readonly Point[])[],
  windows: readonly Bounds[],
  until: number,
): unknown {
  const numbersOnly = seen.map((points) => points.filter(({ value }) => value.kind === 'number'));
  const stretches = held(bucket, numbersOnly, windows, until);
  const ms = stretches.reduce((sum, stretch) => sum + stretch.ms, 0);
  if (ms === 0) return null;
  return told(
    divide(stretches.map((each) => multiply(fraction(each.value.text), whole(each.ms))).reduce(add), whole(ms)),
  );
}

function durations(
  bucket: Bounds,
  seen: readonly (readonly Point[])[],
  windows: readonly Bounds[],
  until: number,
): unknown {
  const sums = new Map<string, number>();
  for (const { value, ms } of held(bucket, seen, windows, until)) {
    sums.set(value.text, (sums.get(value.text) ?? 0) + ms);
  }
  if (sums.size === 0) return null;
  return [...sums]
    .sort(([a, aMs], [b, bMs]) => bMs - aMs || Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([text, ms]) => ({
      value: shown({ kind: /^[-\d]/.test(text) ? 'number' : 'json', text }),
      seconds: exactly(divide(whole(ms), whole(1000))),
    }));
}

/** What stands in where there is nothing in a bucket, by the last window that shows some of it. */
function filled(
  fill: Fill,
  bucket: Bounds,
  points: readonly Point[],
  windows: readonly Bounds[],
  until: number,
  any: boolean,
): unknown {
  const shows = windows
    .map(({ low, high }) => ({
      low: Math.max(low, bucket.low),
      high: Math.min(high, bucket.high),
      window: { low, high },
    }))
    .filter(({ low, high }) => low < high);
  if (fill === 'previous') {
    const last = shows.at(-1);
    if (!last || last.low >= until) return null;
    const known = points.filter(
      ({ at, value }) =>
        at >= last.window.low && at < bucket.high && at < last.window.high && (any || value.kind === 'number'),
    );
    const point = known.at(-1);
    return point ? shown(point.value) : null;
  }
  if (fill !== 'linear') return null;
  for (const { low, high, window } of shows) {
    const numbers = points.filter(({ at, value }) => at >= window.low && at < window.high && value.kind === 'number');
    const before = numbers.filter(({ at }) => at < low).at(-1);
    const after = numbers.find(({ at }) => at >= high);
    if (!before || !after) continue;
    const share = divide(whole(low + high - 2 * before.at), whole(2 * (after.at - before.at)));
    const rise = add(fraction(after.value.text), negative(fraction(before.value.text)));
    return told(add(fraction(before.value.text), multiply(rise, share)));
  }
  return null;
}

function shown({ kind, text }: Value): unknown {
  return kind === 'number' ? exactly(fraction(text)) : JSON.parse(text.replace('[1]', '["#1"]'));
}

export const whole = (value: number): Fraction => ({ over: BigInt(value), under: 1n });

export function fraction(text: string): Fraction {
  const [before = '', after = ''] = text.split('.');
  return { over: BigInt(before + after), under: 10n ** BigInt(after.length) };
}

export function add(a: Fraction, b: Fraction): Fraction {
  return { over: a.over * b.under + b.over * a.under, under: a.under * b.under };
}

export const negative = ({ over, under }: Fraction): Fraction => ({ over: -over, under });
const multiply = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under });
const divide = (a: Fraction, b: Fraction): Fraction => multiply(a, { over: b.under, under: b.over });
