import { compareText } from '../domain/value.js';
import { instant, type Instant, type PageRequest, Parameters } from './read-columns.js';
import { type Bounds, readingsOf, VALUE_OF_READING } from './reading-source.js';
import type { Query } from './snapshots.js';

/** A series in a merged list, with the stretches of it that are shown. */
export interface ListedSeries {
  readonly id: number;
  readonly productKey: string;
  readonly deviceName: string;
  readonly identifier: string;
  readonly stretches: readonly Bounds[];
}

/** The place of a reading in a merged list. At one time, devices and identifiers are in the order of their names' bytes. */
export type MergedPlace = readonly [at: Instant, productKey: string, deviceName: string, identifier: string];

export interface MergedRow extends Pick<ListedSeries, 'productKey' | 'deviceName' | 'identifier'> {
  readonly at: Instant;
  readonly value: string;
  readonly values: string | null;
}

/** The newest (or oldest) readings of all series together, one more than the page holds. Partitions without any are not planned for. */
export async function mergedReadings(
  query: Query,
  series: readonly ListedSeries[],
  order: 'asc' | 'desc',
  page: PageRequest<MergedPlace>,
): Promise<readonly MergedRow[]> {
  const left = series.flatMap(({ stretches, ...one }) =>
    stretches
      .map((stretch) => ({ ...one, ...behind(page.after, one, stretch, order) }))
      .filter(({ low, high }) => low < high),
  );
  if (left.length === 0) return [];
  const low = Math.min(...left.map((stretch) => stretch.low));
  const high = Math.max(...left.map((stretch) => stretch.high));
  const parameters = new Parameters();
  const wanted = parameters.add(
    JSON.stringify(left.map((one) => ({ ...one, low: utc(one.low), high: utc(one.high) }))),
    'text',
  );
  const limit = parameters.add(page.limit + 1, 'int');
  const direction = order.toUpperCase();
  const names = ['productKey', 'deviceName', 'identifier'].map((name) => `s."${name}"`);
  return query<MergedRow>(
    `SELECT ${names.join(', ')}, ${instant('r."at"')} AS "at", ${VALUE_OF_READING} AS "value", r."several"::text AS "values"
     FROM json_to_recordset(${wanted}::json)
       AS s("id" int, "productKey" text, "deviceName" text, "identifier" text, "low" timestamptz, "high" timestamptz)
     CROSS JOIN LATERAL (${readingsOf(
       's."id"',
       [parameters.add(utc(low), 'timestamptz'), 's."low"'],
       [parameters.add(utc(high), 'timestamptz'), 's."high"'],
       [],
       { order, limit },
     )}) r
     ORDER BY r."at" ${direction}, ${names.map((name) => `${name} COLLATE "C" ${direction}`).join(', ')} LIMIT ${limit}`,
    ...parameters.values,
  );
}

/** What is left of a stretch of one series behind a place of the merged list. */
function behind(
  place: MergedPlace | null,
  { productKey, deviceName, identifier }: Omit<ListedSeries, 'stretches'>,
  bounds: Bounds,
  order: 'asc' | 'desc',
): Bounds {
  if (!place) return bounds;
  const at = Date.parse(place[0]);
  const side =
    compareText(productKey, place[1]) || compareText(deviceName, place[2]) || compareText(identifier, place[3]);
  return order === 'desc'
    ? { low: bounds.low, high: Math.min(bounds.high, side < 0 ? at + 1 : at) }
    : { low: Math.max(bounds.low, side > 0 ? at : at + 1), high: bounds.high };
}

function utc(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
