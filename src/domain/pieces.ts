import type { Stretch } from './partial-aggregate.js';

/** What of a bucket may be looked at. */
export interface Piece extends Stretch {
  /** Which bucket it belongs to, and which window shows it; each counted from 0. */
  readonly bucket: number;
  readonly window: number;
}

/** The parts of the windows that lie in a stretch. */
export function windowsWithin(windows: readonly Stretch[], { low, high }: Stretch): readonly Stretch[] {
  return windows
    .map((window) => ({ low: Math.max(window.low, low), high: Math.min(window.high, high) }))
    .filter((window) => window.low < window.high);
}

/** Buckets as they are seen through windows; both are in order of time, and none of a kind overlaps another. */
export function piecesOf(buckets: readonly Stretch[], windows: readonly Stretch[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let window = 0;
  for (const [bucket, { low, high }] of buckets.entries()) {
    while ((windows[window]?.high ?? Infinity) <= low) window++;
    for (let seen = window; (windows[seen]?.low ?? Infinity) < high; seen++) {
      const { low: opens = 0, high: closes = 0 } = windows[seen] ?? {};
      pieces.push({ bucket, window: seen, low: Math.max(low, opens), high: Math.min(high, closes) });
    }
  }
  return pieces;
}
