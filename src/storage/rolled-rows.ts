import type { PartialPiece } from '../domain/combine-partials.js';
import type { NumberAt } from '../domain/partial-aggregate.js';
import { column } from './columns.js';
import { epochMs, Parameters } from './read-columns.js';
import type { RolledRow } from './rolled-pieces.js';
import type { Query } from './snapshots.js';

/** Which rows to read. */
export interface RowsWanted {
  /** 24 for days, 1 for hours. */
  readonly hours: 24 | 1;
  readonly wanted: readonly { readonly seriesId: number; readonly low: number; readonly high: number }[];
  /** The buckets whose elements are needed as well. */
  readonly cut: readonly number[];
  readonly ends: boolean;
}

interface Row {
  readonly seriesId: number;
  readonly at: number;
  /** The totals in one text, divided by spaces. */
  readonly total: string;
  /** The lists in one text, divided by spaces, each as PostgreSQL writes an array. */
  readonly lists: string | null;
}

/** Totals and lists in the order in which they are read below; the second halves only where ends are asked for. */
const TOTALS = ['count', 'sum', 'min', 'max', 'first', 'firstAt', 'last', 'lastAt', 'area'];
const LISTS = ['places', 'counts', 'sums', 'minima', 'maxima', 'firsts', 'firstAts', 'lasts', 'lastAts', 'areas'];
const TOTALS_WITHOUT_ENDS = 4;

/** The rows of roll-ups that may be used: a row whose day is marked may not. */
export async function rolledRows(query: Query, { hours, wanted, cut, ends }: RowsWanted): Promise<RolledRow[]> {
  const parameters = new Parameters();
  const columns = [
    parameters.add(
      column(wanted, ({ seriesId }) => seriesId),
      'text',
    ),
    parameters.add(
      column(wanted, ({ low }) => new Date(low)),
      'text',
    ),
    parameters.add(
      column(wanted, ({ high }) => new Date(high)),
      'text',
    ),
  ];
  const low = Math.min(...wanted.map((each) => each.low));
  const high = Math.max(...wanted.map((each) => each.high));
  const totals = TOTALS.slice(0, ends ? TOTALS.length : TOTALS_WITHOUT_ENDS).map((name) => `u."${name}"`);
  const lists = LISTS.slice(0, ends ? LISTS.length : TOTALS_WITHOUT_ENDS + 1).map((name) => `u."${name}"::text`);
  const rows = await query<Row>(
    `SELECT u."seriesId", ${epochMs('u."at"')} AS "at", concat_ws(' ', ${totals.join(', ')}) AS "total",
       CASE WHEN u."places" IS NOT NULL AND u."at" = ANY(${parameters.add(
         column(cut, (bucket) => new Date(bucket)),
         'text',
       )}::timestamptz[]) THEN concat_ws(' ', ${lists.join(', ')}) END AS "lists"
     FROM unnest(${columns[0]}::int4[], ${columns[1]}::timestamptz[], ${columns[2]}::timestamptz[]) AS w("id", "low", "high")
     JOIN "ReadingRollup" u ON u."seriesId" = w."id" AND u."hours" = ${hours} AND u."at" >= w."low" AND u."at" < w."high"
       AND u."at" >= ${parameters.add(new Date(low).toISOString(), 'timestamptz')}
       AND u."at" < ${parameters.add(new Date(high).toISOString(), 'timestamptz')}
     WHERE NOT EXISTS (SELECT FROM "RollupMark" m WHERE m."seriesId" = u."seriesId"
       AND m."day" = date_bin(INTERVAL '1 day', u."at", TIMESTAMPTZ '2000-01-01Z'))`,
    ...parameters.values,
  );
  return rows.map(({ seriesId, at, total, lists: told }) => ({
    seriesId,
    at,
    total: pieceOf(total.split(' '), at),
    elements: told === null ? null : elementsOf(told, at, hours === 24 ? 3_600_000 : 60_000),
  }));
}

function elementsOf(text: string, at: number, elementMs: number): RolledRow['elements'] {
  const [places = [], ...lists] = text.split(' ').map((list) => list.slice(1, -1).split(','));
  return places.map((text, index) => {
    const place = Number(text);
    const cells = lists.map((list) => list[index] ?? '');
    return { place, piece: pieceOf(cells, at + place * elementMs) };
  });
}

function pieceOf(cells: readonly string[], at: number): PartialPiece {
  const [count, sum = null, min = null, max = null, first, firstAt, last, lastAt, area = null] = cells;
  return {
    count: Number(count),
    others: 0,
    sum,
    min,
    max,
    first: numberAt(first, firstAt, at),
    last: numberAt(last, lastAt, at),
    area,
    mixed: null,
  };
}

function numberAt(value: string | undefined, since: string | undefined, at: number): NumberAt | null {
  return value === undefined ? null : { value, at: at + Number(since) };
}
