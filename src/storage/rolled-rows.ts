import type { PartialPiece } from '../domain/combine-partials.js';
import { column } from './columns.js';
import { epochMs, Parameters } from './read-columns.js';
import type { RolledRow } from './rolled-pieces.js';
import type { Query } from './snapshots.js';

/** Rows of one level of roll-ups: of days, which tell their hours, or of hours, which tell their minutes. */
export interface Level {
  readonly hours: 24 | 1;
  readonly bucketMs: number;
  readonly partMs: number;
}

/** Which rows to read. */
export interface RowsWanted {
  readonly wanted: readonly { readonly seriesId: number; readonly low: number; readonly high: number }[];
  /** The buckets whose parts are needed as well. */
  readonly cut: readonly number[];
  readonly ends: boolean;
}

interface Row {
  readonly seriesId: number;
  readonly at: number;
  /** Like a line of `parts`, without the place. */
  readonly total: string;
  readonly parts: string | null;
}

/** The rows of roll-ups that may be used: a row whose day is marked may not. */
export async function rolledRows(query: Query, level: Level, { wanted, cut, ends }: RowsWanted): Promise<RolledRow[]> {
  const parameters = new Parameters();
  const text = <T>(rows: readonly T[], cell: (row: T) => number | Date): string =>
    parameters.add(column(rows, cell), 'text');
  const ids = text(wanted, ({ seriesId }) => seriesId);
  const lows = text(wanted, ({ low }) => new Date(low));
  const highs = text(wanted, ({ high }) => new Date(high));
  const cuts = text(cut, (bucket) => new Date(bucket));
  const time = (epochMs: number): string => parameters.add(new Date(epochMs).toISOString(), 'timestamptz');
  const rows = await query<Row>(
    `SELECT u."seriesId", ${epochMs('u."at"')} AS "at", concat_ws(' ', u."count", u."sum", u."min", u."max"${
      ends ? ', u."first", u."firstAt", u."last", u."lastAt", u."area"' : ''
    }) AS "total", CASE WHEN u."at" = ANY((SELECT ${cuts}::timestamptz[])::timestamptz[]) THEN u."parts" END AS "parts"
     FROM unnest(${ids}::int4[], ${lows}::timestamptz[], ${highs}::timestamptz[]) AS w("id", "low", "high")
     JOIN "ReadingRollup" u ON u."seriesId" = w."id" AND u."hours" = ${level.hours} AND u."at" >= w."low" AND u."at" < w."high"
     WHERE u."at" >= ${time(Math.min(...wanted.map(({ low }) => low)))} AND u."at" < ${time(Math.max(...wanted.map(({ high }) => high)))}
       AND NOT EXISTS (SELECT FROM "RollupMark" m WHERE m."seriesId" = u."seriesId"
         AND m."day" = date_bin(INTERVAL '1 day', u."at", TIMESTAMPTZ '2000-01-01Z'))`,
    ...parameters.values,
  );
  return rows.map(({ seriesId, at, total, parts }) => ({
    seriesId,
    at,
    total: pieceOf(total.split(' '), 0, at, ends),
    parts: parts === null ? null : partsOf(parts, at, level.partMs, ends),
  }));
}

function partsOf(text: string, at: number, partMs: number, ends: boolean): RolledRow['parts'] {
  return text.split('\n').map((line) => {
    const cells = line.split(' ');
    const place = Number(cells[0]);
    return { place, piece: pieceOf(cells, 1, at + place * partMs, ends) };
  });
}

/** @param from which cell is the first */
function pieceOf(cells: readonly string[], from: number, at: number, ends: boolean): PartialPiece {
  const cell = (index: number): string => cells[from + index] ?? '';
  return {
    count: Number(cell(0)),
    others: 0,
    sum: cell(1),
    min: cell(2),
    max: cell(3),
    first: ends ? { value: cell(4), at: at + Number(cell(5)) } : null,
    last: ends ? { value: cell(6), at: at + Number(cell(7)) } : null,
    area: ends ? cell(8) : null,
    mixed: null,
  };
}
