import type { Stretch } from '../domain/partial-aggregate.js';
import { floor } from './rollup-state.js';

/** A part of a stretch that is not answered yet. */
export interface Rest extends Stretch {
  /** Which of the stretches that were asked for. */
  readonly stretch: number;
}

/** A part of a stretch, and what its readings come to. */
export interface AnsweredPiece<Piece> {
  readonly stretch: number;
  readonly low: number;
  readonly piece: Piece;
}

/** What was rolled up of one bucket of a series. */
export interface RolledRow<Piece> {
  readonly seriesId: number;
  /** When the bucket begins. */
  readonly at: number;
  readonly total: Piece;
  /** By their places in the bucket, in order, those that have readings; null where they are not told. */
  readonly parts: readonly { readonly place: number; readonly piece: Piece }[] | null;
}

/**
 * Answers what the rows of one level can: whole buckets by their totals, parts of them by their parts. What is left, in order,
 * is for the next level.
 * @param rows by when their buckets begin
 */
export function answerFrom<Piece>(
  rows: ReadonlyMap<number, RolledRow<Piece>>,
  asked: readonly Rest[],
  { bucketMs, partMs }: { readonly bucketMs: number; readonly partMs: number },
): { readonly pieces: readonly AnsweredPiece<Piece>[]; readonly rests: readonly Rest[] } {
  const pieces: AnsweredPiece<Piece>[] = [];
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
      const partsFrom = Math.ceil(from / partMs) * partMs;
      const partsTo = floor(to, partMs);
      if (row && to - from === bucketMs) {
        pieces.push({ stretch, low: from, piece: row.total });
      } else if (row?.parts && partsFrom < partsTo) {
        leave(stretch, from, partsFrom);
        for (const { place, piece } of row.parts) {
          const at = bucket + place * partMs;
          if (at >= partsFrom && at < partsTo) pieces.push({ stretch, low: at, piece });
        }
        leave(stretch, partsTo, to);
      } else {
        leave(stretch, from, to);
      }
      from = to;
    }
  }
  return { pieces, rests };
}
