import { Injectable } from '@nestjs/common';
import { compareText } from '../domain/value.js';
import { type DeviceReference, findDevice, type FoundDevice } from './device.reader.js';
import { JsonText } from './json-text.js';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import { type Bounds, readingsOf, VALUE_OF_READING } from './reading-source.js';
import { type Query, Snapshots } from './snapshots.js';

/** A half-open stretch of time and the direction to walk it in. */
export interface TimeRange {
  readonly from: Date | null;
  readonly to: Date | null;
  readonly order: 'asc' | 'desc';
}

/** A value that was reported, and when. */
export interface ReadingView {
  readonly identifier: string;
  /** When several values came for one millisecond, the greatest by the fixed order. */
  readonly value: JsonText;
  readonly at: Instant;
  /** Only when several values came for one millisecond: all of them, in the fixed order. */
  readonly values?: JsonText;
}

/** The place of a reading in its list. */
export type ReadingPlace = readonly [at: Instant, identifier: string];

interface Row {
  readonly identifier: string;
  readonly at: Instant;
  readonly value: string;
  readonly values: string | null;
}

interface Series {
  readonly id: number;
  readonly identifier: string;
}

/** Answers what properties were at other times. */
@Injectable()
export class ReadingReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * The readings of the named properties, or of all.
   * @returns null when there is no such device.
   * @throws SeveralDevices
   */
  async history(
    reference: DeviceReference,
    identifiers: readonly string[] | null,
    range: TimeRange,
    page: PageRequest<ReadingPlace>,
  ): Promise<Page<ReadingView, ReadingPlace> | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const series = await query<Series>(
        `SELECT p."id", p."identifier" FROM "DeviceProperty" p
         WHERE p."deviceId" = $1::int AND ($2::text IS NULL OR p."identifier" = ANY(ARRAY(SELECT json_array_elements_text($2::text::json))))`,
        device.id,
        identifiers && JSON.stringify(identifiers),
      );
      const rows = await readings(query, series, heardWithin(device, range), range.order, page);
      return pageOf(rows, page.limit, readingView, ({ at, identifier }) => [at, identifier] as const);
    });
  }
}

/** No reading lies outside of what was first and last heard: so a question without a range touches few partitions. */
function heardWithin(device: FoundDevice, { from, to }: TimeRange): Bounds | null {
  if (device.firstSeen === null || device.lastSeen === null) return null;
  return {
    low: Math.max(Date.parse(device.firstSeen), from?.getTime() ?? -Infinity),
    high: Math.min(Date.parse(device.lastSeen) + 1, to?.getTime() ?? Infinity),
  };
}

/** The newest (or oldest) of each series, merged. Partitions outside of the bounds are not even planned for. */
async function readings(
  query: Query,
  series: readonly Series[],
  bounds: Bounds | null,
  order: 'asc' | 'desc',
  page: PageRequest<ReadingPlace>,
): Promise<Row[]> {
  if (!bounds) return [];
  const stretches = series
    .map((one) => ({ ...one, ...behind(page.after, one.identifier, bounds, order) }))
    .filter(({ low, high }) => low < high);
  if (stretches.length === 0) return [];
  const low = Math.min(...stretches.map((stretch) => stretch.low));
  const high = Math.max(...stretches.map((stretch) => stretch.high));
  const parameters = new Parameters();
  const wanted = parameters.add(
    JSON.stringify(stretches.map((one) => ({ ...one, low: utc(one.low), high: utc(one.high) }))),
    'text',
  );
  const limit = parameters.add(page.limit + 1, 'int');
  const direction = order.toUpperCase();
  return query<Row>(
    `SELECT s."identifier", ${instant('r."at"')} AS "at",
       ${VALUE_OF_READING} AS "value", r."several"::text AS "values"
     FROM json_to_recordset(${wanted}::json) AS s("id" int, "identifier" text, "low" timestamptz, "high" timestamptz)
     CROSS JOIN LATERAL (${readingsOf(
       's."id"',
       parameters.add(utc(low), 'timestamptz'),
       parameters.add(utc(high), 'timestamptz'),
       ['r."at" >= s."low"', 'r."at" < s."high"'],
       { order, limit },
     )}) r
     ORDER BY r."at" ${direction}, s."identifier" COLLATE "C" ${direction} LIMIT ${limit}`,
    ...parameters.values,
  );
}

/** What is left of the bounds for one series behind a place of the merged list. */
function behind(place: ReadingPlace | null, identifier: string, bounds: Bounds, order: 'asc' | 'desc'): Bounds {
  if (!place) return bounds;
  const at = Date.parse(place[0]);
  const side = compareText(identifier, place[1]);
  return order === 'desc'
    ? { low: bounds.low, high: Math.min(bounds.high, side < 0 ? at + 1 : at) }
    : { low: Math.max(bounds.low, side > 0 ? at : at + 1), high: bounds.high };
}

function utc(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function readingView({ identifier, at, value, values }: Row): ReadingView {
  return { identifier, value: new JsonText(value), at, ...(values !== null && { values: new JsonText(values) }) };
}
