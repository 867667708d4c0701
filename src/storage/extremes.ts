import type { NumberAt, Stretch } from '../domain/partial-aggregate.js';
import { column } from './columns.js';
import { Parameters } from './read-columns.js';
import { NUMBER_OF_READING, readingsOf } from './reading-source.js';
import type { Query } from './snapshots.js';
import { stretchEdges } from './stretch-edges.js';

/** The lowest and the highest number of one series in one stretch, each the earliest of its size. */
export interface Extremes {
  readonly seriesId: number;
  /** Which of the stretches asked for, counted from 0. */
  readonly stretch: number;
  /** Readings that are numbers, and others. */
  readonly count: number;
  readonly others: number;
  readonly lowest: NumberAt | null;
  readonly highest: NumberAt | null;
}

interface Row {
  readonly seriesId: number;
  readonly stretch: number;
  readonly count: number;
  readonly others: number;
  readonly low: string | null;
  readonly lowAt: number;
  readonly high: string | null;
  readonly highAt: number;
}

/**
 * The extremes of every series and stretch that has readings, by series and time. A number and its time are compared as one
 * array, so that one look at every reading finds both.
 */
export async function extremes(
  query: Query,
  seriesIds: readonly number[],
  stretches: readonly Stretch[],
): Promise<readonly Extremes[]> {
  const [first, last] = [stretches[0], stretches.at(-1)];
  if (!first || !last || seriesIds.length === 0) return [];
  const parameters = new Parameters();
  const series = parameters.add(column(seriesIds, Number), 'text');
  const edges = stretchEdges(parameters, stretches);
  const readings = readingsOf(
    's."id"',
    parameters.add(new Date(first.low).toISOString(), 'timestamptz'),
    parameters.add(new Date(last.high).toISOString(), 'timestamptz'),
  );
  const rows = await query<Row>(
    `WITH ${edges.cte}
     SELECT s."id" AS "seriesId", ${edges.groupAfter('g."edge"')} AS "stretch", g."count", g."others", g."low"[1]::text AS "low", (g."low"[2] * 1000)::float8 AS "lowAt",
       g."high"[1]::text AS "high", (g."high"[2] * -1000)::float8 AS "highAt"
     FROM unnest(${series}::int4[]) WITH ORDINALITY AS s("id", "place")
     CROSS JOIN LATERAL (
       SELECT r."edge", count(r."n")::int AS "count", (count(*) - count(r."n"))::int AS "others",
         min(ARRAY[r."n", r."second"]) FILTER (WHERE r."n" IS NOT NULL) AS "low",
         max(ARRAY[r."n", -r."second"]) FILTER (WHERE r."n" IS NOT NULL) AS "high"
       FROM (SELECT ${edges.edgeAt('r."at"')} AS "edge", ${NUMBER_OF_READING} AS "n", extract(epoch FROM r."at") AS "second"
             FROM (${readings}) r) r
       GROUP BY r."edge"
     ) g
     WHERE ${edges.isInside('g."edge"')}
     ORDER BY s."place", g."edge"`,
    ...parameters.values,
  );
  return rows.map(({ seriesId, stretch, count, others, low, lowAt, high, highAt }) => ({
    seriesId,
    stretch,
    count,
    others,
    lowest: low === null ? null : { value: low, at: lowAt },
    highest: high === null ? null : { value: high, at: highAt },
  }));
}
