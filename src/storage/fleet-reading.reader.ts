import { Injectable } from '@nestjs/common';
import { compareText } from '../domain/value.js';
import { instant, type Instant, Parameters } from './read-columns.js';
import { type Bounds, readingsOf } from './reading-source.js';
import { type Query, Snapshots } from './snapshots.js';

/** Which readings of the fleet; what is undefined does not matter. */
export interface FleetReadingFilter {
  readonly productKey?: string | undefined;
  readonly identifiers?: readonly string[] | undefined;
  readonly from: Date | null;
  readonly to: Date | null;
}

/** The place of a reading in the fleet: device by device, series by series, the oldest first. */
export type FleetReadingPlace = readonly [productKey: string, deviceName: string, identifier: string, at: Instant];

/** How the text of a reading begins; PostgreSQL adds value, time and values. */
export interface ReadingText {
  readonly format: 'ndjson' | 'csv';
  /** The fields before the value, of one series: device and identifier. */
  readonly beginning: (device: string, identifier: string) => string;
}

/** A page of readings as text. */
export interface ReadingPage {
  readonly text: string;
  readonly rows: number;
  readonly next: FleetReadingPlace | null;
}

interface Names {
  readonly productKey: string;
  readonly deviceName: string;
  readonly identifier: string;
}

/** A series, or a device without any. */
interface Row extends Names {
  readonly id: number | null;
  readonly firstSeen: Instant | null;
  readonly lastSeen: Instant | null;
}

/** A series with what is left of it. */
interface Series extends Names, Bounds {
  readonly id: number;
}

interface Stretch {
  readonly series: readonly Series[];
  /** Where the walk goes on behind these devices; null when they are the last. */
  readonly behind: FleetReadingPlace | null;
}

interface Lines {
  readonly text: string | null;
  readonly rows: number;
  readonly series: number | null;
  readonly at: Instant | null;
}

/** A look begins with so many devices, and takes more of them as long as they hold little. */
const FEW_DEVICES = 16;
const MANY_DEVICES = 1024;
/** A page looks at no more devices than this: of a time in which they were silent, it may be empty, with a `next` all the same. */
const LOOKED_AT = 4096;

/** Behind everything of a series. */
const LAST: Instant = '9999-12-31T23:59:59.999Z';

/**
 * Reads every reading of the fleet, device by device, for exports. PostgreSQL writes the text: a row of the page is nothing to
 * this process but bytes, which is what makes it fast (docs/decisions/0021).
 */
@Injectable()
export class FleetReadingReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** The readings behind a place, at most `limit` of them. A page can be short while `next` says that there is more. */
  async page(
    filter: FleetReadingFilter,
    { limit, after }: { readonly limit: number; readonly after: FleetReadingPlace | null },
    text: ReadingText,
  ): Promise<ReadingPage> {
    return this.snapshots.read(async (query) => {
      const parts: string[] = [];
      let [rows, looked, devices, place] = [0, 0, FEW_DEVICES, after];
      do {
        const stretch = await seriesBehind(query, filter, place, devices);
        for (const series of turnsOf(stretch.series, place)) {
          const lines = await linesOf(query, series, limit - rows, text);
          parts.push(lines.text ?? '');
          rows += lines.rows;
          if (rows >= limit) return { text: parts.join(''), rows, next: placeOf(series, lines) };
        }
        place = stretch.behind;
        looked += devices;
        devices = Math.min(devices * 4, MANY_DEVICES);
      } while (place !== null && looked < LOOKED_AT);
      return { text: parts.join(''), rows, next: place };
    });
  }
}

/** The series of the next devices in the order of the walk, each with the times that are left of it. */
async function seriesBehind(
  query: Query,
  filter: FleetReadingFilter,
  place: FleetReadingPlace | null,
  devices: number,
): Promise<Stretch> {
  const parameters = new Parameters();
  const conditions = ['TRUE'];
  if (filter.productKey !== undefined) conditions.push(`d."productKey" = ${parameters.add(filter.productKey, 'text')}`);
  if (place) {
    const [productKey, deviceName] = place.slice(0, 2).map((part) => parameters.add(part, 'text'));
    conditions.push(`(d."productKey", d."deviceName") >= (${productKey}, ${deviceName})`);
  }
  const wanted = filter.identifiers
    ? `AND p."identifier" = ANY(ARRAY(SELECT json_array_elements_text(${parameters.add(JSON.stringify(filter.identifiers), 'text')}::json)))`
    : '';
  const rows = await query<Row>(
    `SELECT p."id", d."productKey", d."deviceName", coalesce(p."identifier", '') AS "identifier",
       ${instant('d."firstSeen"')} AS "firstSeen", ${instant('d."lastSeen"')} AS "lastSeen"
     FROM (SELECT * FROM "Device" d WHERE ${conditions.join(' AND ')}
           ORDER BY d."productKey", d."deviceName" LIMIT ${parameters.add(devices, 'int')}) d
     LEFT JOIN "DeviceProperty" p ON p."deviceId" = d."id" ${wanted}
     ORDER BY d."productKey", d."deviceName", p."identifier" COLLATE "C"`,
    ...parameters.values,
  );
  const last = rows.at(-1);
  const found = new Set(rows.map(({ productKey, deviceName }) => JSON.stringify([productKey, deviceName]))).size;
  return {
    series: rows.flatMap((row) => seriesOf(row, filter, place)),
    behind: last && found === devices ? [last.productKey, last.deviceName, last.identifier, LAST] : null,
  };
}

/**
 * The series that a page ended amid is read by itself: it may hold many pages, and of those beside it as many rows would be read as
 * the page has room for, to be thrown away.
 */
function turnsOf(series: readonly Series[], place: FleetReadingPlace | null): readonly (readonly Series[])[] {
  const [first, ...others] = series;
  const amid =
    first &&
    place &&
    [first.productKey, first.deviceName, first.identifier].every((name, index) => name === place[index]);
  return amid ? [[first], others] : [series];
}

/** A series of a row, unless nothing is left of it. */
function seriesOf(row: Row, { from, to }: FleetReadingFilter, place: FleetReadingPlace | null): Series[] {
  const { id, firstSeen, lastSeen, ...names } = row;
  // No reading lies outside of what was first and last heard.
  if (id === null || firstSeen === null || lastSeen === null) return [];
  const low = Math.max(Date.parse(firstSeen), from?.getTime() ?? -Infinity, beginning(row, place));
  const high = Math.min(Date.parse(lastSeen) + 1, to?.getTime() ?? Infinity);
  return low < high ? [{ id, ...names, low, high }] : [];
}

/** From when on the readings of a series lie behind a place. */
function beginning({ productKey, deviceName, identifier }: Row, place: FleetReadingPlace | null): number {
  if (place?.[0] !== productKey || place[1] !== deviceName) return -Infinity;
  const order = compareText(identifier, place[2]);
  return order < 0 ? Infinity : order > 0 ? -Infinity : Date.parse(place[3]) + 1;
}

/** The first readings of these series, one series after the other, as text. */
async function linesOf(
  query: Query,
  series: readonly Series[],
  limit: number,
  { format, beginning: begin }: ReadingText,
): Promise<Lines> {
  if (series.length === 0) return { text: null, rows: 0, series: null, at: null };
  const parameters = new Parameters();
  const wanted = parameters.add(
    JSON.stringify(
      series.map(({ id, productKey, deviceName, identifier, low, high }) => ({
        id,
        beginning: begin(`${productKey}:${deviceName}`, identifier),
        low: utc(low),
        high: utc(high),
      })),
    ),
    'text',
  );
  // Partitions outside of these are not even planned for.
  const low = parameters.add(utc(Math.min(...series.map((one) => one.low))), 'timestamptz');
  const high = parameters.add(utc(Math.max(...series.map((one) => one.high))), 'timestamptz');
  const most = parameters.add(limit, 'int');
  const [lines] = await query<Lines>(
    `WITH page AS MATERIALIZED (
       SELECT s."place", s."beginning", r.*
       FROM ROWS FROM (json_to_recordset(${wanted}::json) AS ("id" int, "beginning" text, "low" timestamptz, "high" timestamptz))
         WITH ORDINALITY AS s("id", "beginning", "low", "high", "place")
       CROSS JOIN LATERAL (${readingsOf('s."id"', [low, 's."low"'], [high, 's."high"'], [], { order: 'asc', limit: most })}) r
       ORDER BY s."place", r."at" LIMIT ${most})
     SELECT string_agg(${LINES[format]}, '' ORDER BY r."place", r."at") AS "text", count(*)::int AS "rows",
       (SELECT l."place"::int FROM page l ORDER BY l."place" DESC, l."at" DESC LIMIT 1) AS "series",
       (SELECT ${instant('l."at"')} FROM page l ORDER BY l."place" DESC, l."at" DESC LIMIT 1) AS "at"
     FROM page r`,
    ...parameters.values,
  );
  return lines ?? { text: null, rows: 0, series: null, at: null };
}

/** When several values came for one millisecond, the value is the greatest by the fixed order. */
const JSON_VALUE = `coalesce(r."json", r."several" -> -1)::text`;

/** SQL of the text of a reading. Numbers need no quotes in either format. */
const LINES = {
  ndjson: `r."beginning" || coalesce(r."number"::text, ${JSON_VALUE}) || ',"at":"' || ${instant('r."at"')} || '"'
    || coalesce(',"values":' || r."several"::text, '') || E'}\n'`,
  csv: `r."beginning" || coalesce(r."number"::text, ${csvField(JSON_VALUE)}) || ',' || ${instant('r."at"')} || ','
    || coalesce(${csvField('r."several"::text')}, '') || E'\r\n'`,
} as const;

/** SQL of a text as a field of CSV (RFC 4180). */
function csvField(text: string): string {
  return `CASE WHEN ${text} ~ '[",\r\n]' THEN '"' || replace(${text}, '"', '""') || '"' ELSE ${text} END`;
}

function placeOf(series: readonly Series[], { series: ordinal, at }: Lines): FleetReadingPlace | null {
  const last = series[(ordinal ?? 0) - 1];
  return last && at !== null ? [last.productKey, last.deviceName, last.identifier, at] : null;
}

function utc(epochMs: number): Instant {
  return new Date(epochMs).toISOString();
}
