import type { NumberAt, Stretch } from '../domain/partial-aggregate.js';
import { compareNumbers } from '../domain/value.js';
import { type Extremes, extremes } from './extremes.js';
import { type PieceKind, rolledUp } from './rolled-answers.js';
import type { Query } from './snapshots.js';

type ExtremesPiece = Omit<Extremes, 'seriesId' | 'stretch'>;

/** What `extremes` answers, from roll-ups where they can be used. */
export async function rolledExtremes(
  query: Query,
  seriesIds: readonly number[],
  stretches: readonly Stretch[],
): Promise<readonly Extremes[]> {
  return rolledUp(query, seriesIds, stretches, EXTREMES);
}

const EXTREMES: PieceKind<ExtremesPiece> = {
  last: 'maxAt',
  ofRow: (told) => ({
    count: Number(told.text('count')),
    others: 0,
    lowest: { value: told.text('min'), at: told.time('minAt') },
    highest: { value: told.text('max'), at: told.time('maxAt') },
  }),
  ofReadings: extremes,
  together: (pieces) =>
    pieces.reduce((whole, piece) => ({
      count: whole.count + piece.count,
      others: whole.others + piece.others,
      lowest: further(whole.lowest, piece.lowest, -1),
      highest: further(whole.highest, piece.highest, 1),
    })),
};

/** The lower (-1) or the higher (1) of two numbers; where they are equal, the one before. */
function further(before: NumberAt | null, behind: NumberAt | null, side: -1 | 1): NumberAt | null {
  if (!before || !behind) return before ?? behind;
  return compareNumbers(behind.value, before.value) * side > 0 ? behind : before;
}
