import { decimal, decimalText, plus, times, ZERO } from './decimal.js';
import type { NumberAt, PartialAggregate } from './partial-aggregate.js';
import { type CanonicalNumber, compareNumbers } from './value.js';

/** What the readings of one series come to in a part of a stretch. */
export type PartialPiece = Omit<PartialAggregate, 'seriesId' | 'stretch'>;

/**
 * What pieces of one series, in order of time and none overlapping another, come to together: exactly what would be said of all
 * of their readings at once. Between two pieces the last number of the one holds until the first of the other.
 */
export function combinePartials(pieces: readonly PartialPiece[]): PartialPiece | null {
  const [only] = pieces;
  if (!only) return null;
  if (pieces.length === 1) return only;
  const others = pieces.reduce((sum, piece) => sum + piece.others, 0);
  const numbers = pieces.filter(({ count }) => count > 0);
  return {
    count: numbers.reduce((sum, { count }) => sum + count, 0),
    others,
    sum: summed(numbers),
    min: least(numbers),
    max: greatest(numbers),
    first: numbers[0]?.first ?? null,
    last: numbers.at(-1)?.last ?? null,
    area: area(numbers),
    mixed: others > 0 ? ends(pieces) : null,
  };
}

/** The first and the last reading of any kind. */
function ends(pieces: readonly PartialPiece[]): PartialPiece['mixed'] {
  const first = pieces[0]?.mixed?.first ?? pieces[0]?.first;
  const last = pieces.at(-1)?.mixed?.last ?? pieces.at(-1)?.last;
  return first && last ? { first, last } : null;
}

/** The sum of the sums, which are canonical; null where there are none. */
export function summed(pieces: readonly Pick<PartialPiece, 'sum'>[]): CanonicalNumber | null {
  if (pieces.length === 1) return pieces[0]?.sum ?? null;
  const known = pieces.flatMap(({ sum }) => sum ?? []);
  return known.length === 0 ? null : decimalText(known.reduce((sum, text) => plus(sum, decimal(text)), ZERO));
}

/** The least number of all pieces; null where there is none. */
export function least(pieces: readonly Pick<PartialPiece, 'min'>[]): CanonicalNumber | null {
  return pieces.reduce<CanonicalNumber | null>(
    (found, { min }) => (found === null || (min !== null && compareNumbers(min, found) < 0) ? min : found),
    null,
  );
}

/** The greatest number of all pieces; null where there is none. */
export function greatest(pieces: readonly Pick<PartialPiece, 'max'>[]): CanonicalNumber | null {
  return pieces.reduce<CanonicalNumber | null>(
    (found, { max }) => (found === null || (max !== null && compareNumbers(max, found) > 0) ? max : found),
    null,
  );
}

function area(pieces: readonly PartialPiece[]): CanonicalNumber | null {
  let whole = ZERO;
  let before: NumberAt | null = null;
  for (const { area: own, first, last } of pieces) {
    if (own === null || first === null) return null;
    if (before) whole = plus(whole, times(decimal(before.value), first.at - before.at));
    whole = plus(whole, decimal(own));
    before = last;
  }
  return before && decimalText(whole);
}
