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

/**
 * SQL that selects the readings of one series as (`at`, `number`, `json`, `several`): the one place that knows where readings
 * are kept. Each argument is SQL. `low` and `high` should be parameters rather than columns, or partitions outside of them are
 * planned for; what depends on a row of the outer query goes into `further`.
 */
export function readingsOf(
  series: string,
  low: string,
  high: string,
  further: readonly string[] = [],
  walk?: Walk,
): string {
  const conditions = [`r."seriesId" = ${series}`, `r."at" >= ${low}`, `r."at" < ${high}`, ...further];
  const end = walk ? ` ORDER BY r."at" ${walk.order.toUpperCase()} LIMIT ${walk.limit}` : '';
  return `SELECT r."at", r."number", r."json", r."several" FROM "PropertyReading" r WHERE ${conditions.join(' AND ')}${end}`;
}
