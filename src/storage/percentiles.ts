import type { Piece } from '../domain/pieces.js';
import type { CanonicalNumber } from '../domain/value.js';
import { column } from './columns.js';
import { Parameters } from './read-columns.js';
import { NUMBER_OF_READING, readingsOf } from './reading-source.js';
import type { Query } from './snapshots.js';
import { stretchEdges } from './stretch-edges.js';

/** The percentiles of the numbers of one series in one bucket, in the order of the shares that were asked for. */
export interface BucketPercentiles {
  readonly seriesId: number;
  readonly bucket: number;
  readonly values: readonly CanonicalNumber[];
}

/**
 * Exact percentiles: a share of the way through the sorted numbers, on a straight line between two of them where it falls
 * between. PostgreSQL's own `percentile_cont` counts in doubles.
 * @param shares decimal text from 0 to 1
 */
export async function percentilesOf(
  query: Query,
  seriesIds: readonly number[],
  pieces: readonly Piece[],
  shares: readonly string[],
): Promise<readonly BucketPercentiles[]> {
  const [first, last] = [pieces[0], pieces.at(-1)];
  if (!first || !last || seriesIds.length === 0 || shares.length === 0) return [];
  const parameters = new Parameters();
  const series = parameters.add(column(seriesIds, Number), 'text');
  const wanted = parameters.add(
    column(shares, (share) => share),
    'text',
  );
  const edges = stretchEdges(
    parameters,
    pieces,
    pieces.map(({ bucket }) => bucket),
  );
  const readings = readingsOf(
    's."id"',
    parameters.add(new Date(first.low).toISOString(), 'timestamptz'),
    parameters.add(new Date(last.high).toISOString(), 'timestamptz'),
  );
  return query<BucketPercentiles>(
    `WITH ${edges.cte}
     SELECT s."id" AS "seriesId", g."bucket", p."values"
     FROM unnest(${series}::int4[]) WITH ORDINALITY AS s("id", "place")
     CROSS JOIN LATERAL (
       SELECT r."bucket", array_agg(r."n" ORDER BY r."n") AS "sorted", count(*) AS "count"
       FROM (SELECT ${edges.groupAfter(edges.edgeAt('r."at"'))} AS "bucket", ${NUMBER_OF_READING} AS "n" FROM (${readings}) r) r
       WHERE r."n" IS NOT NULL AND r."bucket" IS NOT NULL GROUP BY r."bucket"
     ) g
     CROSS JOIN LATERAL (
       SELECT array_agg(trim_scale(n."low" + (n."high" - n."low") * (n."way" - floor(n."way")))::text ORDER BY n."place") AS "values"
       FROM (
         SELECT w."place", w."way", g."sorted"[floor(w."way")::int + 1] AS "low", g."sorted"[ceil(w."way")::int + 1] AS "high"
         FROM (SELECT p."place", p."share" * (g."count" - 1) AS "way" FROM unnest(${wanted}::numeric[]) WITH ORDINALITY p("share", "place")) w
       ) n
     ) p
     ORDER BY s."place", g."bucket"`,
    ...parameters.values,
  );
}
