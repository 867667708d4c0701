import { Injectable } from '@nestjs/common';
import type { FilterExpression } from '../domain/filter-expression.js';
import { type Change, findChanges, type Pointer } from './changed-row.views.js';
import { filterSql } from './filter-sql.js';
import { instant, Parameters } from './read-columns.js';
import { type Query, Snapshots } from './snapshots.js';

/** A place in the log: behind so many changes of a row. `mark` tells a row from one of the same number in another life of the database. */
export interface LogPlace {
  readonly seq: number;
  /** When the row was written, in microseconds since 1970. */
  readonly mark: number;
  readonly index: number;
}

/** Some changes in their order, and the place behind them. */
export interface LogStretch {
  /** Which log this is. */
  readonly epoch: string;
  readonly changes: readonly PlacedChange[];
  readonly end: LogPlace;
}

/** A change, and the place behind it; null where more of the same pointer follow. */
export type PlacedChange = Change & { readonly place: LogPlace | null };

/** How far the log goes, and who may still add to what is before that. */
export interface LogHead {
  readonly seq: number;
  /** The transactions that are writing into the log. */
  readonly writers: readonly string[];
}

/** The place is not in the log any more, or never was in this one. */
export class LostPlace extends Error {
  override readonly name = 'LostPlace';

  /** @param keptFrom everything committed since then is in the log. */
  constructor(
    readonly reason: 'dropped' | 'other-log',
    readonly keptFrom: string,
  ) {
    super(reason === 'dropped' ? 'the place is not in the log any more' : 'the place is of another log');
  }
}

/** No more changes are looked up at once. */
const STRETCH = 500;
/** Where a log begins. */
export const BEGINNING: LogPlace = { seq: 0, mark: 0, index: 0 };

interface StateRow {
  readonly epoch: string;
  readonly keptFrom: string;
  readonly droppedSeq: string;
  readonly droppedMark: string;
  readonly droppedSize: number;
}

interface LogRow {
  readonly seq: string;
  readonly mark: string;
  readonly size: number;
}

const mark = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::int8::text`;
const LOG_ROW = `l."seq"::text AS "seq", ${mark('l."writtenAt"')} AS "mark", l."size"`;

/** Reads the log of changes, in its own order, which is the same for every replica. */
@Injectable()
export class ChangeLogReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * First how far the log goes, then who writes into it at the moment. Whoever took a number up to that head held the table's
   * lock before, and holds it until what it wrote can be seen: once those writers are gone, nothing can come before the head.
   */
  async head(): Promise<LogHead> {
    return this.snapshots.read(
      async (query) => {
        const [row] = await query<{ seq: string }>(
          `SELECT CASE WHEN "is_called" THEN "last_value" ELSE 0 END::text AS "seq" FROM "ChangeLog_seq_seq"`,
        );
        const writers = await query<{ id: string }>(`SELECT l."virtualtransaction" AS "id" ${WRITERS}`);
        return { seq: Number(row?.seq ?? 0), writers: writers.map(({ id }) => id) };
      },
      { urgent: true },
    );
  }

  /** The last place not behind `seq`, if that is behind `after`. */
  async last(after: number, seq: number): Promise<LogPlace | null> {
    return this.snapshots.read(
      async (query) => {
        const [row] = await query<LogRow>(
          `SELECT ${LOG_ROW} FROM "ChangeLog" l WHERE l."seq" > $1::int8 AND l."seq" <= $2::int8 ORDER BY l."seq" DESC LIMIT 1`,
          String(after),
          String(seq),
        );
        return row ? behind(row) : null;
      },
      { urgent: true },
    );
  }

  /** The place for whoever wants all that is committed from now on, and which log it is in. */
  async now(): Promise<{ readonly epoch: string; readonly place: LogPlace }> {
    return this.snapshots.read(async (query) => {
      const place = await placeOfNow(query);
      return { epoch: (await state(query)).epoch, place };
    });
  }

  /**
   * The place for whoever wants all that was committed since a time.
   * @throws LostPlace
   */
  async since(from: Date): Promise<{ readonly epoch: string; readonly place: LogPlace }> {
    return this.snapshots.read(async (query) => {
      const { epoch, keptFrom } = await state(query);
      if (from < new Date(keptFrom)) throw new LostPlace('dropped', keptFrom);
      const now = await placeOfNow(query);
      const [row] = await query<LogRow>(
        `SELECT ${LOG_ROW} FROM "ChangeLog" l WHERE l."writtenAt" >= $1::timestamptz ORDER BY l."writtenAt", l."seq" LIMIT 1`,
        from.toISOString(),
      );
      const first = row ? { ...behind(row), index: 0 } : now;
      return { epoch, place: first.seq <= now.seq ? first : now };
    });
  }

  /**
   * Makes sure that everything behind a place is in the log.
   * @param epoch the beginning of it, as an id tells it.
   * @throws LostPlace
   */
  async check(epoch: string, place: LogPlace): Promise<{ readonly epoch: string }> {
    return this.snapshots.read(async (query) => {
      const current = await state(query);
      if (!current.epoch.startsWith(epoch)) throw new LostPlace('other-log', current.keptFrom);
      if (place.seq === 0) {
        if (Number(current.droppedSeq) > 0) throw new LostPlace('dropped', current.keptFrom);
        return current;
      }
      const [row] = await query<LogRow>(
        `SELECT ${LOG_ROW} FROM "ChangeLog" l WHERE l."seq" = $1::int8`,
        String(place.seq),
      );
      const known = row ?? droppedRow(current, place);
      if (!known) throw lost(current, place);
      if (Number(known.mark) !== place.mark || place.index > known.size)
        throw new LostPlace('other-log', current.keptFrom);
      if (!row && place.index < known.size) throw new LostPlace('dropped', current.keptFrom);
      return current;
    });
  }

  /**
   * What changed behind a place, up to some hundred changes.
   * @param epoch the log that the place is in
   * @param until how far the log may be read
   * @throws LostPlace when something behind the place was dropped meanwhile.
   */
  async read(epoch: string, after: LogPlace, until: LogPlace): Promise<LogStretch> {
    return this.snapshots.read(async (query) => {
      const current = await state(query);
      if (current.epoch !== epoch) throw new LostPlace('other-log', current.keptFrom);
      const dropped = Number(current.droppedSeq);
      const read = after.seq === dropped && after.index === current.droppedSize;
      if (after.seq <= dropped && !read && dropped > 0) throw new LostPlace('dropped', current.keptFrom);
      const rows = await rowsFrom(query, after, until);
      const last = rows.at(-1);
      if (!last) return { epoch, changes: [], end: until };
      const pointers = await pointersOf(query, after, last);
      const places = new Map(rows.map((row) => [row.seq, row]));
      const changes = await findChanges(query, pointers);
      const cut = pointers.length === STRETCH ? pointers.at(-1) : undefined;
      return {
        epoch,
        changes: changes.map((change, number) => ({
          ...change,
          place: changes[number + 1]?.pointer === change.pointer ? null : placeOf(change.pointer, places),
        })),
        end: cut ? placeOf(cut, places) : behind(last),
      };
    });
  }

  /** Which of these devices a filter means, as they are now. */
  async matching(filter: FilterExpression, deviceIds: readonly number[]): Promise<ReadonlySet<number>> {
    if (deviceIds.length === 0) return new Set();
    const parameters = new Parameters();
    const ids = parameters.add(`{${deviceIds.join(',')}}`, 'text');
    const rows = await this.snapshots.read((query) =>
      query<{ id: number }>(
        `SELECT d."id" FROM "Device" d WHERE d."id" = ANY(${ids}::int4[]) AND ${filterSql(filter, parameters)}`,
        ...parameters.values,
      ),
    );
    return new Set(rows.map(({ id }) => id));
  }
}

/** Inserting takes this lock before the row gets its number, and a commit gives it back after the row can be seen. */
const WRITERS = `FROM pg_locks l
WHERE l."locktype" = 'relation' AND l."database" = (SELECT "oid" FROM pg_database WHERE "datname" = current_database())
  AND l."relation" = '"ChangeLog"'::regclass AND l."mode" = 'RowExclusiveLock' AND l."granted"`;

/**
 * The last row written before any of the transactions that are writing now began: theirs come behind it. One whose beginning
 * cannot be seen (another role's) is taken for a minute old.
 */
const PLACE_OF_NOW = `
WITH writers AS MATERIALIZED (
  SELECT coalesce(a."xact_start", clock_timestamp() - INTERVAL '1 minute') AS began
  FROM (SELECT l."pid" ${WRITERS}) w LEFT JOIN pg_stat_activity a ON a."pid" = w."pid"
)
SELECT ${LOG_ROW} FROM "ChangeLog" l
WHERE l."writtenAt" < (SELECT coalesce(min(w.began), 'infinity') FROM writers w) ORDER BY l."seq" DESC LIMIT 1`;

async function placeOfNow(query: Query): Promise<LogPlace> {
  const [row] = await query<LogRow>(PLACE_OF_NOW);
  if (row) return behind(row);
  const { droppedSeq, droppedMark, droppedSize } = await state(query);
  return { seq: Number(droppedSeq), mark: Number(droppedMark), index: droppedSize };
}

async function state(query: Query): Promise<StateRow> {
  const [row] = await query<StateRow>(
    `SELECT s."epoch"::text AS "epoch", s."keptFrom"::text AS "keptFrom", s."droppedSeq"::text AS "droppedSeq",
       coalesce(${mark('s."droppedAt"')}, '0') AS "droppedMark", s."droppedSize"
     FROM "ChangeLogState" s`,
  );
  if (!row) throw new Error('ChangeLogState has no row: its migration made one');
  return row;
}

function droppedRow({ droppedSeq, droppedMark, droppedSize }: StateRow, { seq }: LogPlace): LogRow | null {
  return Number(droppedSeq) === seq ? { seq: droppedSeq, mark: droppedMark, size: droppedSize } : null;
}

function lost({ droppedSeq, keptFrom }: StateRow, { seq }: LogPlace): LostPlace {
  return new LostPlace(seq <= Number(droppedSeq) ? 'dropped' : 'other-log', keptFrom);
}

/** Rows of the log from the one that `after` is in, as many as a stretch has room for. */
async function rowsFrom(query: Query, after: LogPlace, until: LogPlace): Promise<LogRow[]> {
  const rows = await query<LogRow>(
    `SELECT ${LOG_ROW} FROM "ChangeLog" l WHERE l."seq" >= $1::int8 AND l."seq" <= $2::int8 ORDER BY l."seq" LIMIT ${STRETCH}`,
    String(after.seq),
    String(until.seq),
  );
  let changes = -after.index;
  const enough = rows.findIndex(({ size }) => (changes += size) >= STRETCH);
  return enough < 0 ? rows : rows.slice(0, enough + 1);
}

/** $1 and $3 the first and the last row, $2 how many changes of the first are known. */
const POINTERS = `
SELECT l."seq"::text AS "seq", c."index", c."kind", c."id", ${instant('c."at"')} AS "at", c."hash"::text AS "hash"
FROM "ChangeLog" l CROSS JOIN LATERAL (
  SELECT row_number() OVER (ORDER BY k."rank", k."o")::int AS "index", k.* FROM (
    SELECT 1 AS "rank", 'device' AS "kind", i."id", NULL::timestamptz AS "at", NULL::uuid AS "hash", i."o"
      FROM unnest(l."devices") WITH ORDINALITY AS i("id", "o")
    UNION ALL SELECT 2, 'presence', i."id", NULL, NULL, i."o" FROM unnest(l."presences") WITH ORDINALITY AS i("id", "o")
    UNION ALL SELECT 3, 'binding', i."id", i."at", NULL, i."o"
      FROM unnest(l."bindingDevices", l."bindingTimes") WITH ORDINALITY AS i("id", "at", "o")
    UNION ALL SELECT 4, 'event', NULL, i."at", i."hash", i."o"
      FROM unnest(l."eventTimes", l."eventHashes") WITH ORDINALITY AS i("at", "hash", "o")
    UNION ALL SELECT 5, 'reading', i."id", i."at", NULL, i."o"
      FROM unnest(l."readingSeries", l."readingTimes") WITH ORDINALITY AS i("id", "at", "o")
  ) k
) c
WHERE l."seq" >= $1::int8 AND l."seq" <= $3::int8 AND (l."seq" > $1::int8 OR c."index" > $2::int)
ORDER BY l."seq", c."index" LIMIT ${STRETCH}`;

async function pointersOf(query: Query, after: LogPlace, last: LogRow): Promise<Pointer[]> {
  return query<Pointer>(POINTERS, String(after.seq), after.index, last.seq);
}

function behind({ seq, mark: written, size }: LogRow): LogPlace {
  return { seq: Number(seq), mark: Number(written), index: size };
}

function placeOf({ seq, index }: Pointer, rows: ReadonlyMap<string, LogRow>): LogPlace {
  const row = rows.get(seq);
  if (!row) throw new Error('a row of the log that was just read is missing');
  return { ...behind(row), index };
}
