import { combinePartials, type PartialPiece } from '../domain/combine-partials.js';
import type { PartialAggregate } from '../domain/partial-aggregate.js';
import { partialAggregates, type PartialsQuestion } from './partial-aggregates.js';
import { type PieceKind, rolledUp } from './rolled-answers.js';
import type { Query } from './snapshots.js';

/** What `partialAggregates` answers, from roll-ups where they can be used. */
export async function rolledPartials(
  query: Query,
  { seriesIds, stretches, ends }: PartialsQuestion,
): Promise<readonly PartialAggregate[]> {
  return rolledUp(query, seriesIds, stretches, ends ? WITH_ENDS : SUMS);
}

const SUMS: PieceKind<PartialPiece> = {
  last: 'max',
  ofRow: (told) => ({
    count: Number(told.text('count')),
    others: 0,
    sum: told.text('sum'),
    min: told.text('min'),
    max: told.text('max'),
    first: null,
    last: null,
    area: null,
    mixed: null,
  }),
  ofReadings: (query, seriesIds, stretches) => partialAggregates(query, { seriesIds, stretches, ends: false }),
  together: combinePartials,
};

const WITH_ENDS: PieceKind<PartialPiece> = {
  last: 'area',
  ofRow: (told) => ({
    ...SUMS.ofRow(told),
    first: { value: told.text('first'), at: told.time('firstAt') },
    last: { value: told.text('last'), at: told.time('lastAt') },
    area: told.text('area'),
  }),
  ofReadings: (query, seriesIds, stretches) => partialAggregates(query, { seriesIds, stretches, ends: true }),
  together: combinePartials,
};
