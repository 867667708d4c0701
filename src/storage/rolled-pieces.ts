import type { PartialPiece } from '../domain/combine-partials.js';
import type { Stretch } from '../domain/partial-aggregate.js';
import { floor } from './rollup-state.js';

/** A part of a stretch that is not answered yet. */
export interface Rest extends Stretch {
  /** Which of the stretches that were asked for. */
  readonly stretch: number;
}

/** A part of a stretch, and what its readings come to. */
export interface AnsweredPiece {
  readonly stretch: number;
  readonly low: number;
  readonly piece: PartialPiece;
}

/** What was rolled up of one bucket of a series. */
export interface RolledRow {
  readonly seriesId: number;
  /** When the bucket begins. */
  readonly at: number;
  readonly total: PartialPiece;
  /** By their places in the bucket, in order, those that have readings; null where they are not told. */
  readonly elements: readonly { readonly place: number; readonly piece: PartialPiece }[] | null;
}

/**
 * Answers what the rows of one level can: whole buckets by their totals, parts of them by their elements. What is left, in order,
 * is for the next level.
 * @param rows by when their buckets begin
 */
export function answerFrom(
  rows: ReadonlyMap<number, RolledRow>,
  asked: readonly Rest[],
  { bucketMs, elementMs }: { readonly bucketMs: number; readonly elementMs: number },
): { readonly pieces: readonly AnsweredPiece[]; readonly rests: readonly Rest[] } {
  const pieces: AnsweredPiece[] = [];
  const rests: { low: number; high: number; readonly stretch: number }[] = [];
  const leave = (stretch: number, low: number, high: number): void => {
    if (low >= high) return;
    const before = rests.at(-1);
    if (before?.stretch === stretch && before.high === low) before.high = high;
    else rests.push({ low, high, stretch });
  };
  for (const { stretch, low, high } of asked) {
    for (let from = low; from < high;) {
      const bucket = floor(from, bucketMs);
      const to = Math.min(high, bucket + bucketMs);
      const row = rows.get(bucket);
      const elementsFrom = Math.ceil(from / elementMs) * elementMs;
      const elementsTo = floor(to, elementMs);
      if (row && to - from === bucketMs) {
        pieces.push({ stretch, low: from, piece: row.total });
      } else if (row?.elements && elementsFrom < elementsTo) {
        leave(stretch, from, elementsFrom);
        for (const { place, piece } of row.elements) {
          const at = bucket + place * elementMs;
          if (at >= elementsFrom && at < elementsTo) pieces.push({ stretch, low: at, piece });
        }
        leave(stretch, elementsTo, to);
      } else {
        leave(stretch, from, to);
      }
      from = to;
    }
  }
  return { pieces, rests };
}
