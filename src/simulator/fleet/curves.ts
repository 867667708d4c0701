import type { Random } from '../random.js';

const HOUR_MS = 3_600_000;
/** Devices live in UTC+8, as the platform's mainland region does. */
const ZONE_MS = 8 * HOUR_MS;

/** Hours since local midnight, with fractions. */
export const hourOfDay = (now: number): number => ((now + ZONE_MS) / HOUR_MS) % 24;

/** Days since 1970 at local midnight. */
export const localDay = (now: number): number => Math.floor((now + ZONE_MS) / (24 * HOUR_MS));

/** 0 to 1 over the day, 1 at `peakHour`. */
export const dayCurve = (now: number, peakHour: number): number =>
  (1 + Math.cos(((hourOfDay(now) - peakHour) / 24) * 2 * Math.PI)) / 2;

export const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

export const clamped = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** A value that wanders about its mean and is pulled back to it: weather, load, a radio's signal. */
export class Drift {
  private offset = 0;

  /** `spread` is the standard deviation in the long run, `memoryMs` how long it remembers where it was. */
  constructor(
    private readonly random: Random,
    private readonly spread: number,
    private readonly memoryMs: number,
  ) {
    this.offset = random.noise() * spread;
  }

  after(elapsedMs: number): number {
    const kept = Math.exp(-elapsedMs / this.memoryMs);
    this.offset = this.offset * kept + this.random.noise() * this.spread * Math.sqrt(1 - kept * kept);
    return this.offset;
  }
}

/** A thing lives through a long time in steps of about this length, so that duty cycles and day curves are not leapt over. */
const STEP_MS = 120_000;
/** More than this many steps at once are made longer instead. */
const MOST_STEPS = 400;

/** A piece of time that a thing lives through: it ends `at` (ms since 1970) and takes `elapsedMs`. */
export interface Step {
  readonly at: number;
  readonly elapsedMs: number;
}

/** How much time a thing has lived through since it was last asked: none at first, never backwards. */
export class Stopwatch {
  private last: number | null = null;

  /** One step at least, which takes no time when none has passed. */
  steps(now: number): Step[] {
    const from = this.last ?? now;
    this.last = Math.max(now, from);
    const elapsed = this.last - from;
    const count = clamped(Math.ceil(elapsed / STEP_MS), 1, MOST_STEPS);
    return Array.from({ length: count }, (_, i) => ({
      at: elapsed === 0 ? now : from + (elapsed * (i + 1)) / count,
      elapsedMs: elapsed / count,
    }));
  }
}
