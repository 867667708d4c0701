/** A time as REST tells it: RFC 3339, UTC, milliseconds, for instance `2026-11-22T07:35:00.000Z`. */
export type Instant = string;

/** SQL for a timestamptz column as an Instant. Text, because JavaScript dates are invalid outside of some years in Prisma. */
export function instant(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** SQL for a timestamptz column as epoch milliseconds: a double holds every one of them. */
export function epochMs(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
}

/** A page of a list: at most `limit` items, beginning behind the last item of the page before. */
export interface PageRequest<Key> {
  readonly limit: number;
  readonly after: Key | null;
}

/** `next` is the key of the last item looked at, or null when nothing follows. */
export interface Page<Item, Key> {
  readonly items: readonly Item[];
  readonly next: Key | null;
}

/** Cuts a page off rows of which one more than `limit` was asked for. */
export function pageOf<Row, Item, Key>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  key: (row: Row) => Key,
): Page<Item, Key> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map(item), next: last === undefined ? null : key(last) };
}

/** Collects parameters and gives each its place in the SQL. */
export class Parameters {
  readonly values: unknown[] = [];

  /** The place of a value, cast to `type`: `$1::text`. */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}
