import type { NumberAt, PartialAggregate, Stretch } from '../domain/partial-aggregate.js';
import { column } from './columns.js';
import { Parameters } from './read-columns.js';
import { readingsOf } from './reading-source.js';
import type { Query } from './snapshots.js';

/** What is to be summed up: each series over each stretch on its own. */
export interface PartialsQuestion {
  readonly seriesIds: readonly number[];
  /** In order of time, none overlapping another. */
  readonly stretches: readonly Stretch[];
  /** Whether first and last readings are needed, and the area between them: they cost about as much again. */
  readonly ends: boolean;
}

/** The number that a reading counts as, or null: of several values in one millisecond it is the greatest by the fixed order. */
export const NUMBER_OF_READING = `coalesce(r."number", CASE WHEN jsonb_typeof(r."several" -> -1) = 'number' THEN (r."several" ->> -1)::numeric END)`;

interface Row extends Omit<PartialAggregate, 'first' | 'last'> {
  readonly firstAt: number | null;
  readonly first: string | null;
  readonly lastAt: number | null;
  readonly last: string | null;
}

/**
 * The partial aggregates of every series and stretch that has readings, by series and time, from the readings themselves, in one
 * statement for all series: two where some series has numbers and other values at once.
 */
export async function partialAggregates(
  query: Query,
  question: PartialsQuestion,
): Promise<readonly PartialAggregate[]> {
  const rows = await summedUp(query, question, false);
  if (!question.ends) return rows.map(partialOf);
  // Numbers next to each other are found by looking one row back and one ahead: where other values stand between them, this
  // is done again without those.
  const mixed = new Set(rows.filter(({ count, others }) => count > 0 && others > 0).map(({ seriesId }) => seriesId));
  if (mixed.size === 0) return rows.map(partialOf);
  const again = await summedUp(query, { ...question, seriesIds: [...mixed] }, true);
  const exact = new Map(again.map((row) => [`${row.seriesId} ${row.stretch}`, row]));
  return rows.map((row) =>
    partialOf({ ...row, ...exact.get(`${row.seriesId} ${row.stretch}`), others: row.others, count: row.count }),
  );
}

async function summedUp(query: Query, question: PartialsQuestion, numbersOnly: boolean): Promise<Row[]> {
  const { seriesIds, stretches, ends } = question;
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
  const numbers = `SELECT r."at", width_bucket(r."at", (SELECT e."edges" FROM e)) AS "edge", ${NUMBER_OF_READING} AS "number" FROM (${readings}) r`;
  const neighbours = `SELECT n.*, lag(n."edge") OVER w AS "before", lead(n."edge") OVER w AS "after", lead(n."at") OVER w AS "until"
    FROM (${numbers}) n ${numbersOnly ? 'WHERE n."number" IS NOT NULL ' : ''}WINDOW w AS (ORDER BY n."at")`;
  return query<Row>(
    `WITH e AS MATERIALIZED (SELECT ${edges.array} AS "edges")
     SELECT s."id" AS "seriesId", ${edges.stretchOf('g."edge"')} AS "stretch", g.*
     FROM unnest(${series}::int4[]) WITH ORDINALITY AS s("id", "place")
     CROSS JOIN LATERAL (
       SELECT n."edge", count(n."number")::int AS "count", (count(*) - count(n."number"))::int AS "others",
         ${text('sum(n."number")')} AS "sum", min(n."number")::text AS "min", max(n."number")::text AS "max"${ends ? `, ${ENDS}` : ''}
       FROM (${ends ? neighbours : numbers}) n GROUP BY n."edge"
     ) g
     WHERE ${edges.inStretch('g."edge"')}
     ORDER BY s."place", g."edge"`,
    ...parameters.values,
  );
}

const FIRST = 'n."before" IS DISTINCT FROM n."edge"';
const LAST = 'n."after" IS DISTINCT FROM n."edge"';

/** Over rows that know their neighbours. */
const ENDS = `
  (max(n."number") FILTER (WHERE ${FIRST}))::text AS "first", max(${epochMs('n."at"')}) FILTER (WHERE ${FIRST}) AS "firstAt",
  (max(n."number") FILTER (WHERE ${LAST}))::text AS "last", max(${epochMs('n."at"')}) FILTER (WHERE ${LAST}) AS "lastAt",
  ${text(`coalesce(sum(n."number" * (extract(epoch FROM n."until" - n."at") * 1000)) FILTER (WHERE n."after" = n."edge"), 0)`)} AS "area"`;

/**
 * Stretches as the edges that `width_bucket` looks a time up in: one of each stretch's two ends, once where they touch. Edge n
 * (counted from 1) opens what lies before edge n + 1: a stretch, or a gap between two.
 */
function stretchEdges(
  parameters: Parameters,
  stretches: readonly Stretch[],
): { readonly array: string; inStretch(edge: string): string; stretchOf(edge: string): string } {
  const edges: number[] = [];
  const stretchOfEdge: (number | null)[] = [];
  for (const [index, { low, high }] of stretches.entries()) {
    if (edges.at(-1) === low) stretchOfEdge.pop();
    else edges.push(low);
    stretchOfEdge.push(index, null);
    edges.push(high);
  }
  const array = `${parameters.add(
    column(edges, (edge) => new Date(edge)),
    'text',
  )}::timestamptz[]`;
  // Without gaps an edge is its stretch, and no second list need travel.
  if (edges.length === stretches.length + 1) {
    return {
      array,
      inStretch: (edge) => `${edge} BETWEEN 1 AND ${stretches.length}`,
      stretchOf: (edge) => `${edge} - 1`,
    };
  }
  const index = `(${parameters.add(
    column(stretchOfEdge, (stretch) => stretch),
    'text',
  )}::int4[])`;
  return {
    array,
    inStretch: (edge) => `${index}[${edge}] IS NOT NULL`,
    stretchOf: (edge) => `${index}[${edge}]`,
  };
}

/**
 * The last number of each series before `before`, and not before `since`: what still holds where a question begins. Series
 * without any are left out.
 */
export async function lastNumbersBefore(
  query: Query,
  seriesIds: readonly number[],
  { low, high }: Stretch,
): Promise<ReadonlyMap<number, NumberAt>> {
  return numbersNextTo(query, seriesIds, { low, high }, 'desc');
}

/** The first number of each series from `low` on: where a line drawn beyond the end of a question leads. */
export async function firstNumbersFrom(
  query: Query,
  seriesIds: readonly number[],
  { low, high }: Stretch,
): Promise<ReadonlyMap<number, NumberAt>> {
  return numbersNextTo(query, seriesIds, { low, high }, 'asc');
}

async function numbersNextTo(
  query: Query,
  seriesIds: readonly number[],
  { low, high }: Stretch,
  order: 'asc' | 'desc',
): Promise<ReadonlyMap<number, NumberAt>> {
  if (seriesIds.length === 0 || low >= high) return new Map();
  const parameters = new Parameters();
  const series = parameters.add(column(seriesIds, Number), 'text');
  const readings = readingsOf(
    's."id"',
    parameters.add(new Date(low).toISOString(), 'timestamptz'),
    parameters.add(new Date(high).toISOString(), 'timestamptz'),
    [`${NUMBER_OF_READING} IS NOT NULL`],
    { order, limit: '1' },
  );
  const rows = await query<{ id: number; at: number; value: string }>(
    `SELECT s."id", ${epochMs('r."at"')} AS "at", ${NUMBER_OF_READING}::text AS "value"
     FROM unnest(${series}::int4[]) AS s("id") CROSS JOIN LATERAL (${readings}) r`,
    ...parameters.values,
  );
  return new Map(rows.map(({ id, at, value }) => [id, { at, value }]));
}

/** A time as epoch milliseconds; a double holds every one of them. */
export function epochMs(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
}

/** A computed number without the zeros that computing leaves behind. */
function text(number: string): string {
  return `trim_scale(${number})::text`;
}

function partialOf({ seriesId, stretch, count, others, sum, min, max, area = null, ...ends }: Row): PartialAggregate {
  return {
    seriesId,
    stretch,
    count,
    others,
    sum,
    min,
    max,
    first: numberAt(ends.first, ends.firstAt),
    last: numberAt(ends.last, ends.lastAt),
    area: count > 0 ? area : null,
  };
}

function numberAt(value: string | null | undefined, at: number | null | undefined): NumberAt | null {
  return value === null || value === undefined || at === null || at === undefined ? null : { value, at };
}
