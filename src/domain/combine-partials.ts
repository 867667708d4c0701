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
    sum: summed(numbers.map(({ sum }) => sum)),
    min: extreme(
      numbers.map(({ min }) => min),
      -1,
    ),
    max: extreme(
      numbers.map(({ max }) => max),
      1,
    ),
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

function summed(texts: readonly (CanonicalNumber | null)[]): CanonicalNumber | null {
  const known = texts.filter((text) => text !== null);
  if (known.length === 0) return null;
  return decimalText(known.reduce((sum, text) => plus(sum, decimal(text)), ZERO));
}

/** The least for -1, the greatest for 1. */
function extreme(texts: readonly (CanonicalNumber | null)[], side: -1 | 1): CanonicalNumber | null {
  let found: CanonicalNumber | null = null;
  for (const text of texts) {
    if (text !== null && (found === null || compareNumbers(text, found) * side > 0)) found = text;
  }
  return found;
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
