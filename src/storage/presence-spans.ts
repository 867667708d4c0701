/** The lengths of time by which the fleet is counted, the longest first. */
export const SPANS = ['ever', 'month', 'day', 'hour', 'minute'] as const;
export type Span = (typeof SPANS)[number];

/** All products together. */
export const EVERY_PRODUCT = '';

const MINUTE_MS = 60_000;
const LENGTHS_MS = { minute: MINUTE_MS, hour: 60 * MINUTE_MS, day: 24 * 60 * MINUTE_MS } as const;

/** When the span that holds a moment began (UTC), in epoch milliseconds. */
export function spanStart(span: Span, at: number): number {
  if (span === 'ever') return 0;
  if (span !== 'month') return Math.floor(at / LENGTHS_MS[span]) * LENGTHS_MS[span];
  const date = new Date(at);
  // `Date.UTC` takes the years 0 to 99 for the last century's
  return new Date(0).setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** The longest span that begins at every one of these moments, or null when one of them lies within a minute. */
export function commonSpan(moments: readonly number[]): Exclude<Span, 'ever'> | null {
  for (const span of ['month', 'day', 'hour', 'minute'] as const) {
    if (moments.every((at) => spanStart(span, at) === at)) return span;
  }
  return null;
}
