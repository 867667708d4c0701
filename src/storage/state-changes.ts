import type { Stretch, ValueAt } from '../domain/partial-aggregate.js';
import { column } from './columns.js';
import { epochMs, Parameters } from './read-columns.js';
import { readingsOf, VALUE_OF_READING } from './reading-source.js';
import type { Query } from './snapshots.js';

/** A reading whose value differs from that of the reading before it, or the first one in its window. */
export interface StateChange extends ValueAt {
  readonly seriesId: number;
  /** Which of the windows, counted from 0. */
  readonly window: number;
}

/**
 * Where values change: of each series and window, in order of time. Every window is looked at on its own.
 * @param most no more rows than this
 */
export async function stateChanges(
  query: Query,
  seriesIds: readonly number[],
  windows: readonly Stretch[],
  most: number,
): Promise<readonly StateChange[]> {
  const [first, last] = [windows[0], windows.at(-1)];
  if (!first || !last || seriesIds.length === 0) return [];
  const parameters = new Parameters();
  const series = parameters.add(column(seriesIds, Number), 'text');
  const lows = parameters.add(
    column(windows, ({ low }) => new Date(low)),
    'text',
  );
  const highs = parameters.add(
    column(windows, ({ high }) => new Date(high)),
    'text',
  );
  const readings = readingsOf(
    's."id"',
    parameters.add(new Date(first.low).toISOString(), 'timestamptz'),
    parameters.add(new Date(last.high).toISOString(), 'timestamptz'),
    ['r."at" >= w."low"', 'r."at" < w."high"'],
  );
  return query<StateChange>(
    `SELECT s."id" AS "seriesId", w."place"::int - 1 AS "window", ${epochMs('r."at"')} AS "at", r."value"
     FROM unnest(${series}::int4[]) WITH ORDINALITY AS s("id", "place")
     CROSS JOIN unnest(${lows}::timestamptz[], ${highs}::timestamptz[]) WITH ORDINALITY AS w("low", "high", "place")
     CROSS JOIN LATERAL (
       SELECT r."at", r."value", lag(r."value") OVER (ORDER BY r."at") AS "before"
       FROM (SELECT r."at", ${VALUE_OF_READING} AS "value" FROM (${readings}) r) r
     ) r
     WHERE r."value" IS DISTINCT FROM r."before"
     ORDER BY s."place", w."place", r."at" LIMIT ${parameters.add(most, 'int')}`,
    ...parameters.values,
  );
}
