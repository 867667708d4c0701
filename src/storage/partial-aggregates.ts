import type { NumberAt, PartialAggregate, Stretch, ValueAt } from '../domain/partial-aggregate.js';
import { column } from './columns.js';
import { epochMs, Parameters } from './read-columns.js';
import { NUMBER_OF_READING, readingsOf, VALUE_OF_READING } from './reading-source.js';
import type { Query } from './snapshots.js';
import { stretchEdges } from './stretch-edges.js';

/** What is to be summed up: each series over each stretch on its own. */
export interface PartialsQuestion {
  readonly seriesIds: readonly number[];
  /** In order of time, none overlapping another. */
  readonly stretches: readonly Stretch[];
  /** Whether first and last readings are needed, and the area between them: they cost about as much again. */
  readonly ends: boolean;
}

type Sums = Pick<PartialAggregate, 'seriesId' | 'stretch' | 'count' | 'others' | 'sum' | 'min' | 'max'>;

/** The first and the last row of a stretch: of any kind, or numbers only. */
interface Ends {
  readonly first: string;
  readonly firstAt: number;
  readonly last: string;
  readonly lastAt: number;
  readonly area: string | null;
}

/**
 * The partial aggregates of every series and stretch that has readings, by series and time, from the readings themselves, in one
 * statement for all series: two where some series has numbers and other values at once.
 */
export async function partialAggregates(
  query: Query,
  question: PartialsQuestion,
): Promise<readonly PartialAggregate[]> {
  const { seriesIds, ends } = question;
  if (seriesIds.length === 0 || question.stretches.length === 0) return [];
  if (!ends) return (await summedUp<Sums>(query, question, 'no ends')).map((sums) => ({ ...sums, ...NO_ENDS }));
  const rows = await summedUp<Sums & Ends>(query, question, 'any kind');
  // What is next to a reading is found by looking one row ahead: where other values stand between numbers, this is done again
  // without those.
  const mixed = new Set(rows.filter(({ count, others }) => count > 0 && others > 0).map(({ seriesId }) => seriesId));
  const again =
    mixed.size > 0 ? await summedUp<Sums & Ends>(query, { ...question, seriesIds: [...mixed] }, 'numbers only') : [];
  const numbersOnly = new Map(again.map((row) => [`${row.seriesId} ${row.stretch}`, row]));
  return rows.map((row) => {
    const numbers = row.others === 0 ? row : numbersOnly.get(`${row.seriesId} ${row.stretch}`);
    const { first, firstAt, last, lastAt, area: _, ...sums } = row;
    return {
      ...sums,
      first: numbers ? { value: numbers.first, at: numbers.firstAt } : null,
      last: numbers ? { value: numbers.last, at: numbers.lastAt } : null,
      area: numbers ? numbers.area : null,
      mixed: row.others > 0 ? { first: { value: first, at: firstAt }, last: { value: last, at: lastAt } } : null,
    };
  });
}

const NO_ENDS = { first: null, last: null, area: null, mixed: null };

async function summedUp<Row>(
  query: Query,
  { seriesIds, stretches }: PartialsQuestion,
  ends: 'no ends' | 'any kind' | 'numbers only',
): Promise<Row[]> {
  const parameters = new Parameters();
  const series = parameters.add(column(seriesIds, Number), 'text');
  const edges = stretchEdges(parameters, stretches);
  const readings = readingsOf(
    's."id"',
    parameters.add(new Date(stretches[0]?.low ?? 0).toISOString(), 'timestamptz'),
    parameters.add(new Date(stretches.at(-1)?.high ?? 0).toISOString(), 'timestamptz'),
  );
  const numbers = `SELECT r."at", ${edges.edgeAt('r."at"')} AS "edge", ${NUMBER_OF_READING} AS "n", r."number", r."json", r."several"
    FROM (${readings}) r`;
  const neighbours = `SELECT r.*, lag(r."edge") OVER w AS "before", lead(r."edge") OVER w AS "after", lead(r."at") OVER w AS "until"
    FROM (${numbers}) r ${ends === 'numbers only' ? 'WHERE r."n" IS NOT NULL ' : ''}WINDOW w AS (ORDER BY r."at")`;
  return query<Row>(
    `WITH ${edges.cte}
     SELECT s."id" AS "seriesId", ${edges.groupAfter('g."edge"')} AS "stretch", g."count", g."others", g."sum", g."min", g."max"${
       ends === 'no ends' ? '' : ', g."first", g."firstAt", g."last", g."lastAt", g."area"'
     }
     FROM unnest(${series}::int4[]) WITH ORDINALITY AS s("id", "place")
     CROSS JOIN LATERAL (
       SELECT r."edge", count(r."n")::int AS "count", (count(*) - count(r."n"))::int AS "others",
         trim_scale(sum(r."n"))::text AS "sum", min(r."n")::text AS "min", max(r."n")::text AS "max"${ends === 'no ends' ? '' : `, ${ENDS}`}
       FROM (${ends === 'no ends' ? numbers : neighbours}) r GROUP BY r."edge"
     ) g
     WHERE ${edges.isInside('g."edge"')}
     ORDER BY s."place", g."edge"`,
    ...parameters.values,
  );
}

const FIRST = 'r."before" IS DISTINCT FROM r."edge"';
const LAST = 'r."after" IS DISTINCT FROM r."edge"';

/** Over rows that know their neighbours. */
const ENDS = `
  max(${VALUE_OF_READING}) FILTER (WHERE ${FIRST}) AS "first", max(${epochMs('r."at"')}) FILTER (WHERE ${FIRST}) AS "firstAt",
  max(${VALUE_OF_READING}) FILTER (WHERE ${LAST}) AS "last", max(${epochMs('r."at"')}) FILTER (WHERE ${LAST}) AS "lastAt",
  trim_scale(coalesce(sum(r."n" * (extract(epoch FROM r."until" - r."at") * 1000)) FILTER (WHERE r."after" = r."edge"), 0))::text AS "area"`;

/** The last number of each series in a stretch: what still holds behind it. Series without any are left out. */
export async function lastNumbers(
  query: Query,
  seriesIds: readonly number[],
  stretch: Stretch,
): Promise<ReadonlyMap<number, NumberAt>> {
  return outermost(query, seriesIds, stretch, 'desc', [`${NUMBER_OF_READING} IS NOT NULL`]);
}

/** The first number of each series in a stretch: where a line drawn up to it leads. Series without any are left out. */
export async function firstNumbers(
  query: Query,
  seriesIds: readonly number[],
  stretch: Stretch,
): Promise<ReadonlyMap<number, NumberAt>> {
  return outermost(query, seriesIds, stretch, 'asc', [`${NUMBER_OF_READING} IS NOT NULL`]);
}

/** The last reading of each series in a stretch, of any kind. */
export async function lastValues(
  query: Query,
  seriesIds: readonly number[],
  stretch: Stretch,
): Promise<ReadonlyMap<number, ValueAt>> {
  return outermost(query, seriesIds, stretch, 'desc', []);
}

async function outermost(
  query: Query,
  seriesIds: readonly number[],
  { low, high }: Stretch,
  order: 'asc' | 'desc',
  conditions: readonly string[],
): Promise<ReadonlyMap<number, ValueAt>> {
  if (seriesIds.length === 0 || low >= high) return new Map();
  const parameters = new Parameters();
  const series = parameters.add(column(seriesIds, Number), 'text');
  const readings = readingsOf(
    's."id"',
    parameters.add(new Date(low).toISOString(), 'timestamptz'),
    parameters.add(new Date(high).toISOString(), 'timestamptz'),
    conditions,
    { order, limit: '1' },
  );
  const rows = await query<{ id: number; at: number; value: string }>(
    `SELECT s."id", ${epochMs('r."at"')} AS "at", ${VALUE_OF_READING} AS "value"
     FROM unnest(${series}::int4[]) AS s("id") CROSS JOIN LATERAL (${readings}) r`,
    ...parameters.values,
  );
  return new Map(rows.map(({ id, at, value }) => [id, { at, value }]));
}
