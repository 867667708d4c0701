import { column } from './columns.js';
import { epochMs, Parameters } from './read-columns.js';
import type { RolledRow } from './rolled-pieces.js';
import { TOLD } from './rollup-statements.js';
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
}

type Told = (typeof TOLD)[number];

const PLACE = Object.fromEntries(TOLD.map((name, place) => [name, place])) as Record<Told, number>;

/** What is told of a bucket of a series. */
export class ToldBucket {
  constructor(
    private readonly cells: readonly string[],
    private readonly from: number,
    private readonly begin: number,
  ) {}

  text(name: Told): string {
    return this.cells[this.from + PLACE[name]] ?? '';
  }

  /** A time, in epoch milliseconds. */
  time(name: 'firstAt' | 'lastAt' | 'minAt' | 'maxAt'): number {
    return this.begin + Number(this.text(name));
  }
}

/** Makes pieces of rows. */
export interface RowReader<Piece> {
  /** What is behind this one is not looked at. */
  readonly last: Told;
  readonly ofRow: (told: ToldBucket) => Piece;
}

interface Row {
  readonly seriesId: number;
  readonly at: number;
  /** Like a line of `parts`, without the place. */
  readonly total: string;
  readonly parts: string | null;
}

/** The rows of roll-ups that may be used, as pieces: a row whose day is marked may not. */
export async function rolledRows<Piece>(
  query: Query,
  level: Level,
  { wanted, cut }: RowsWanted,
  { last, ofRow }: RowReader<Piece>,
): Promise<RolledRow<Piece>[]> {
  const parameters = new Parameters();
  const text = <T>(rows: readonly T[], cell: (row: T) => number | Date): string =>
    parameters.add(column(rows, cell), 'text');
  const ids = text(wanted, ({ seriesId }) => seriesId);
  const lows = text(wanted, ({ low }) => new Date(low));
  const highs = text(wanted, ({ high }) => new Date(high));
  const cuts = text(cut, (bucket) => new Date(bucket));
  const time = (epochMs: number): string => parameters.add(new Date(epochMs).toISOString(), 'timestamptz');
  const rows = await query<Row>(
    `SELECT u."seriesId", ${epochMs('u."at"')} AS "at", concat_ws(' ', ${TOLD.map((name) => `u."${name}"`).join(', ')}) AS "total",
       CASE WHEN u."at" = ANY((SELECT ${cuts}::timestamptz[])::timestamptz[]) THEN u."parts" END AS "parts"
     FROM unnest(${ids}::int4[], ${lows}::timestamptz[], ${highs}::timestamptz[]) AS w("id", "low", "high")
     JOIN "ReadingRollup" u ON u."seriesId" = w."id" AND u."hours" = ${level.hours} AND u."at" >= w."low" AND u."at" < w."high"
     WHERE u."at" >= ${time(Math.min(...wanted.map(({ low }) => low)))} AND u."at" < ${time(Math.max(...wanted.map(({ high }) => high)))}
       AND NOT EXISTS (SELECT FROM "RollupMark" m WHERE m."seriesId" = u."seriesId"
         AND m."day" = date_bin(INTERVAL '1 day', u."at", TIMESTAMPTZ '2000-01-01Z'))`,
    ...parameters.values,
  );
  const cells = PLACE[last] + 1;
  return rows.map(({ seriesId, at, total, parts }) => ({
    seriesId,
    at,
    total: ofRow(new ToldBucket(total.split(' ', cells), 0, at)),
    parts:
      parts?.split('\n').map((line) => {
        const told = line.split(' ', cells + 1);
        const place = Number(told[0]);
        return { place, piece: ofRow(new ToldBucket(told, 1, at + place * level.partMs)) };
      }) ?? null,
  }));
}
