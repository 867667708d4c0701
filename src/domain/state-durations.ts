import type { ValueAt } from './partial-aggregate.js';
import type { Piece } from './pieces.js';
import type { CanonicalJson } from './value.js';

/** For how many milliseconds each value held in a bucket. */
export type Durations = ReadonlyMap<CanonicalJson, number>;

/**
 * How long a property had each value, by bucket.
 * @param changes by window: the readings that differ from the one before, in order of time
 * @param before what held when the first piece began
 * @param until up to when the last value holds
 */
export function stateDurations(
  pieces: readonly Piece[],
  changes: ReadonlyMap<number, readonly ValueAt[]>,
  before: ValueAt | null,
  until: number,
): ReadonlyMap<number, Durations> {
  const buckets = new Map<number, Map<CanonicalJson, number>>();
  const hold = (bucket: number, value: CanonicalJson, ms: number): void => {
    if (ms <= 0) return;
    const durations = buckets.get(bucket) ?? new Map<CanonicalJson, number>();
    durations.set(value, (durations.get(value) ?? 0) + ms);
    buckets.set(bucket, durations);
  };
  let window: number | null = null;
  let state: CanonicalJson | null = null;
  let ahead: readonly ValueAt[] = [];
  let next = 0;
  for (const piece of pieces) {
    if (piece.window !== window) {
      state = window === null ? (before?.value ?? null) : null;
      window = piece.window;
      ahead = changes.get(window) ?? [];
      next = 0;
    }
    let from = piece.low;
    for (let change = ahead[next]; change && change.at < piece.high; change = ahead[++next]) {
      if (state !== null) hold(piece.bucket, state, change.at - from);
      [state, from] = [change.value, change.at];
    }
    if (state !== null) hold(piece.bucket, state, Math.min(piece.high, until) - from);
  }
  return buckets;
}
