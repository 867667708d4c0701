/** How long a bucket is. */
export type Interval =
  /** Counted on the calendar of a time zone: a day of it may have 23 hours, or 25. */
  | { readonly kind: 'months'; readonly count: number }
  | { readonly kind: 'days'; readonly count: number }
  /** A part of a day, counted by the clock on the wall from midnight. */
  | { readonly kind: 'clock'; readonly ms: number }
  /** Any other length: counted as time goes by, whatever clocks do. */
  | { readonly kind: 'elapsed'; readonly ms: number };

export const DAY_MS = 86_400_000;

/** Longer ones are no use, and numbers stay far from where a double loses count. */
const MOST_COUNTED = 100_000;

const ISO_8601 =
  /^P(?=.)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:[.,](\d{1,3}))?S)?)?$/;

/**
 * Reads an ISO 8601 duration such as `PT5M`, `P1D`, `P2W`, `P1M` or `P1Y`. Months and years go together, weeks and days do, and
 * hours, minutes and seconds (to the millisecond) do.
 * @returns in words, what is wrong with it, when it is none.
 */
export function parseInterval(text: string): Interval | string {
  const match = ISO_8601.exec(text);
  if (!match) return 'must be an ISO 8601 duration such as PT5M, PT1H, P1D, P1W, P1M or P1Y';
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1, 8)
    .map((part: string | undefined) => Number(part ?? 0));
  const fraction = Number((match[8] ?? '').padEnd(3, '0'));
  const parts = {
    months: years * 12 + months,
    days: weeks * 7 + days,
    ms: ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction,
  };
  const given = Object.values(parts).filter((part) => part > 0).length;
  if (given === 0) return 'must be longer than nothing';
  if (given > 1) {
    return 'must not mix what has no common measure: years and months, or weeks and days, or hours, minutes and seconds';
  }
  if (parts.months > MOST_COUNTED || parts.days > MOST_COUNTED || parts.ms > MOST_COUNTED * DAY_MS) {
    return `must be at most ${MOST_COUNTED} days or months`;
  }
  if (parts.months > 0) return { kind: 'months', count: parts.months };
  if (parts.days > 0) return { kind: 'days', count: parts.days };
  return { kind: parts.ms < DAY_MS && DAY_MS % parts.ms === 0 ? 'clock' : 'elapsed', ms: parts.ms };
}
