import type { Random } from '../random.js';

const HOUR_MS = 3_600_000;
/** Devices live in UTC+8, as the platform's mainland region does. */
const ZONE_MS = 8 * HOUR_MS;

/** Hours since local midnight, with fractions. */
export const hourOfDay = (now: number): number => ((now + ZONE_MS) / HOUR_MS) % 24;

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

const LONGEST_STEP_MS = 600_000;

/** How much time a thing has lived through since it was last asked: none at first, never backwards, never in one leap. */
export class Stopwatch {
  private last: number | null = null;

  elapsedMs(now: number): number {
    const elapsed = this.last === null ? 0 : clamped(now - this.last, 0, LONGEST_STEP_MS);
    this.last = Math.max(now, this.last ?? now);
    return elapsed;
  }
}
