/** A half-open stretch of time in epoch milliseconds: `low` belongs to it, `high` does not. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** How a series is walked when not all of it is wanted. */
export interface Walk {
  readonly order: 'asc' | 'desc';
  /** SQL of how many readings at most. */
  readonly limit: string;
}

/** The value of a reading `r` as JSON text: of several in one millisecond, the greatest by the fixed order. */
export const VALUE_OF_READING = `coalesce(r."number"::text, r."json"::text, (r."several" -> -1)::text)`;

/** The same as a number; null where it is none. */
export const NUMBER_OF_READING = `coalesce(r."number", CASE WHEN jsonb_typeof(r."several" -> -1) = 'number' THEN (r."several" ->> -1)::numeric END)`;

const PACKED = `coalesce(c."start", c."from"), c."step", c."count", c."high", c."low", c."base", c."unit", c."small", c."wide",
  c."numbers", c."json", c."several"`;

/** SQL of the readings of a row `c` of "ReadingChunk". */
export const UNPACK = `"partitions"."unpack"(${PACKED})`;

/**
 * SQL that selects the readings of one series as (`at`, `number`, `json`, `several`): the one place that knows where readings
 * are kept. Each argument is SQL. `low` and `high` are parameters, or partitions outside of them are planned for; what depends on
 * a row of the outer query goes behind them, in a list. `further` are conditions on a row `r` of the result.
 *
 * Readings of months that are over are in chunks. What came for such a month later lies in "PropertyReading" still: beside the
 * chunks, or, where it falls among the readings of one, in it and merged with them when that chunk is opened. With a walk, each
 * side gives no more than is asked for, and no chunk is opened that is not needed.
 */
export function readingsOf(
  series: string,
  low: string | readonly string[],
  high: string | readonly string[],
  further: readonly string[] = [],
  walk?: Walk,
): string {
  const lows = typeof low === 'string' ? [low] : low;
  const highs = typeof high === 'string' ? [high] : high;
  const within = (column: string): string =>
    [...lows.map((bound) => `${column} >= ${bound}`), ...highs.map((bound) => `${column} < ${bound}`)].join(' AND ');
  const also = further.map((condition) => ` AND ${condition}`).join('');
  const order = walk?.order.toUpperCase();
  const first = (by: string): string => (walk ? ` ORDER BY ${by} LIMIT ${walk.limit}` : '');
  const chunks = [
    `c."seriesId" = ${series}`,
    ...lows.flatMap((bound) => [`c."until" >= ${bound}`, `c."from" >= "partitions"."month_of"(${bound})`]),
    ...highs.map((bound) => `c."from" < ${bound}`),
  ].join(' AND ');
  const columns = `r."at", r."number", r."json", r."several"`;
  const hot = `SELECT ${columns} FROM "PropertyReading" r
    WHERE r."seriesId" = ${series} AND ${within('r."at"')}${also}
      AND (r."at" >= (SELECT "partitions"."packed_until"()) OR NOT "partitions"."in_chunk"(r."seriesId", r."at"))
    ${first(`r."at" ${order}`)}`;
  const packed = `SELECT ${columns} FROM "ReadingChunk" c
    CROSS JOIN LATERAL (
      SELECT ARRAY(SELECT l FROM "PropertyReading" l WHERE l."seriesId" = c."seriesId"
        AND l."at" >= c."from" AND l."at" <= c."until" AND ${within('l."at"')}) AS "late" OFFSET 0
    ) l
    CROSS JOIN LATERAL (
      SELECT * FROM ${UNPACK} WHERE cardinality(l."late") = 0
      UNION ALL
      SELECT * FROM "partitions"."unpack_with"(l."late", ${PACKED}) WHERE cardinality(l."late") > 0
    ) r
    WHERE ${chunks} AND (${within('c."from"')} AND ${within('c."until"')} OR ${within('r."at"')})${also}
    ${first(`c."from" ${order}, r."at" ${order}`)}`;
  return `SELECT ${columns} FROM ((${hot}) UNION ALL (${packed})) r${first(`r."at" ${order}`)}`;
}
