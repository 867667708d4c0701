import type { CanonicalJson, CanonicalNumber } from './value.js';

/** A half-open stretch of time in epoch milliseconds: `low` belongs to it, `high` does not. */
export interface Stretch {
  readonly low: number;
  readonly high: number;
}

/** A number that was reported, and when (epoch milliseconds). */
export interface NumberAt {
  readonly value: CanonicalNumber;
  readonly at: number;
}

/** A value that was reported, and when (epoch milliseconds). */
export interface ValueAt {
  readonly value: CanonicalJson;
  readonly at: number;
}

/**
 * What can be said of the readings of one series in one stretch of time, so that stretches next to each other can be put together.
 * Several values of one millisecond count as one reading, the greatest of them by the fixed order.
 */
export interface PartialAggregate {
  readonly seriesId: number;
  /** Which of the stretches that were asked for, counted from 0. */
  readonly stretch: number;
  /** Readings that are numbers. All that follows is about these. */
  readonly count: number;
  /** Readings that are anything else. */
  readonly others: number;
  /** Null, like all that follows, where no reading is a number. */
  readonly sum: CanonicalNumber | null;
  readonly min: CanonicalNumber | null;
  readonly max: CanonicalNumber | null;
  /** Null also where ends were not asked for. */
  readonly first: NumberAt | null;
  readonly last: NumberAt | null;
  /**
   * The area under the steps (each number holds until the next one) from the first reading to the last, in value times
   * milliseconds. What holds before the first and after the last is known only next door. Null also where it was not asked for.
   */
  readonly area: CanonicalNumber | null;
  /**
   * The first and the last reading of any kind, where some are no numbers: where all are, `first` and `last` say so already. Null
   * also where ends were not asked for.
   */
  readonly mixed: { readonly first: ValueAt; readonly last: ValueAt } | null;
}
