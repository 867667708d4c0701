import { Temporal } from 'temporal-polyfill';
import { DAY_MS, type Interval } from './interval.js';
import type { Stretch } from './partial-aggregate.js';

/** Days and weeks are counted from a Monday, months and years from a January; of the first by the clock of the time zone. */
const MONDAY = Date.UTC(2000, 0, 3);
const JANUARY = { year: 2000, month: 1 };

/** Whether there is such an IANA time zone. */
export function isTimeZone(name: string): boolean {
  try {
    return (
      /^[A-Za-z]/.test(name) &&
      Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).epochMilliseconds === 0
    );
  } catch {
    return false;
  }
}

/**
 * A stretch of time, cut wherever a bucket of the interval begins, in order. The first and the last piece are what the stretch
 * has of their buckets.
 * @returns null when there are more than `most`.
 */
export function bucketsOf(
  interval: Interval,
  timeZone: string,
  stretch: Stretch,
  most: number,
): readonly Stretch[] | null {
  const { low, high } = stretch;
  if (low >= high) return [];
  if ((high - low) / longest(interval) > most) return null;
  const edges = [low];
  for (const edge of beginnings(interval, timeZone, stretch)) {
    if (edges.push(edge) > most) return null;
  }
  return edges.map((edge, index) => ({ low: edge, high: edges[index + 1] ?? high }));
}

/** No bucket is longer: what clocks are put back in a day is never more than a day. */
function longest(interval: Interval): number {
  switch (interval.kind) {
    case 'months':
      return interval.count * 31 * DAY_MS + DAY_MS;
    case 'days':
      return (interval.count + 1) * DAY_MS;
    case 'clock':
      return interval.ms + DAY_MS;
    case 'elapsed':
      return interval.ms;
    default:
      return interval satisfies never;
  }
}

/** Every beginning of a bucket that lies inside of the stretch, its ends not counted, in order. */
function beginnings(interval: Interval, timeZone: string, stretch: Stretch): Iterable<number> {
  switch (interval.kind) {
    case 'months':
      return monthBeginnings(interval.count, timeZone, stretch);
    case 'days':
      return clockBeginnings({ step: interval.count * DAY_MS, twice: false }, timeZone, stretch);
    case 'clock':
      return clockBeginnings({ step: interval.ms, twice: true }, timeZone, stretch);
    case 'elapsed':
      return elapsedBeginnings(interval.ms, timeZone, stretch);
    default:
      return interval satisfies never;
  }
}

function* monthBeginnings(count: number, timeZone: string, { low, high }: Stretch): Iterable<number> {
  const { year, month } = Temporal.Instant.fromEpochMilliseconds(low).toZonedDateTimeISO(timeZone);
  let months = Math.floor(((year - JANUARY.year) * 12 + month - JANUARY.month) / count) * count;
  for (;;) {
    months += count;
    const first = { year: JANUARY.year + Math.floor(months / 12), month: JANUARY.month + mod(months, 12), day: 1 };
    const begin = Temporal.PlainDate.from(first).toZonedDateTime({ timeZone }).epochMilliseconds;
    if (begin >= high) return;
    if (begin > low) yield begin;
  }
}

function* elapsedBeginnings(ms: number, timeZone: string, { low, high }: Stretch): Iterable<number> {
  const origin = Temporal.PlainDate.from('2000-01-03').toZonedDateTime({ timeZone }).epochMilliseconds;
  for (let begin = origin + (Math.floor((low - origin) / ms) + 1) * ms; begin < high; begin += ms) yield begin;
}

/**
 * A bucket begins whenever the clock on the wall comes to a multiple of the step, or is put forward over one. When it is put
 * back and comes to the same multiple twice, a part of a day begins twice, and a day does not.
 */
function* clockBeginnings(
  { step, twice }: { readonly step: number; readonly twice: boolean },
  timeZone: string,
  { low, high }: Stretch,
): Iterable<number> {
  const bucketAt = (local: number): number => Math.floor((local - MONDAY) / step);
  // A day that begins twice may have begun already.
  const start = twice ? low : low - 2 * DAY_MS;
  let before: number | null = null;
  let begun = -Infinity;
  for (const { from, until, offset } of offsets(timeZone, start, high)) {
    const showing = bucketAt(from + offset);
    const comesTo = before !== null && bucketAt(from + before - 1) < showing;
    const againAt = before !== null && offset < before && mod(from + offset - MONDAY, step) === 0;
    if (twice ? comesTo || againAt : comesTo && showing > begun) {
      if (from > low && from < high) yield from;
    }
    begun = Math.max(begun, showing);
    for (let bucket = showing + 1; ; bucket++) {
      const begin = MONDAY + bucket * step - offset;
      if (begin >= until || begin >= high) break;
      if (twice || bucket > begun) {
        begun = bucket;
        if (begin > low) yield begin;
      }
    }
    before = offset;
  }
}

interface Offset {
  readonly from: number;
  readonly until: number;
  /** What the clock on the wall shows, less UTC, in milliseconds. */
  readonly offset: number;
}

/** The offsets of a time zone one after another; the first holds at `low`. */
function* offsets(timeZone: string, low: number, high: number): Iterable<Offset> {
  let at = Temporal.Instant.fromEpochMilliseconds(low).toZonedDateTimeISO(timeZone);
  while (at.epochMilliseconds < high) {
    const next = at.getTimeZoneTransition('next');
    yield {
      from: at.epochMilliseconds,
      until: next?.epochMilliseconds ?? Infinity,
      offset: at.offsetNanoseconds / 1e6,
    };
    if (!next) return;
    at = next;
  }
}

function mod(value: number, by: number): number {
  return value - Math.floor(value / by) * by;
}
