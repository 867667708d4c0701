import { instant, type Instant, Parameters } from './read-columns.js';
import { readingsOf } from './reading-source.js';
import type { Query } from './snapshots.js';

/** The last value of a property at some time. */
export interface SeriesThen {
  readonly identifier: string;
  readonly value: string;
  readonly at: Instant;
}

interface Series {
  readonly id: number;
  readonly deviceId: number;
  readonly identifier: string;
  readonly value: string | null;
  readonly at: Instant | null;
}

interface Last {
  readonly id: number;
  readonly value: string;
  readonly at: Instant;
}

const DAY_MS = 86_400_000;

/**
 * How far back each look reaches. Nearly every series has a reading shortly before any moment of its life; only for the others are
 * more partitions opened.
 */
const LOOKS_MS = [8 * DAY_MS, 120 * DAY_MS, Infinity];

/**
 * The last reading up to a moment of every series of these devices, by device; series without one are missing. Current values
 * that are as old are it already. `firstSeen` of a device bounds how far back is looked.
 */
export async function lastReadings(
  query: Query,
  devices: readonly { readonly id: number; readonly firstSeen: Instant | null }[],
  at: Date,
): Promise<Map<number, SeriesThen[]>> {
  const born = new Map(devices.map(({ id, firstSeen }) => [id, firstSeen === null ? Infinity : Date.parse(firstSeen)]));
  const series = await query<Series>(
    `SELECT p."id", p."deviceId", p."identifier", ${instant('p."at"')} AS "at", coalesce(p."number"::text, p."json"::text) AS "value"
     FROM "DeviceProperty" p WHERE p."deviceId" = ANY($1::text::int4[]) ORDER BY p."deviceId", p."identifier"`,
    `{${[...born.keys()].join(',')}}`,
  );
  const bornAt = ({ deviceId }: Series): number => born.get(deviceId) ?? Infinity;
  const then = (one: Series): boolean => one.at !== null && Date.parse(one.at) <= at.getTime();
  const last = await lookBack(
    query,
    series.filter((one) => !then(one) && bornAt(one) <= at.getTime()),
    bornAt,
    at.getTime(),
  );
  const found = new Map<number, SeriesThen[]>();
  for (const one of series) {
    const { value, at: time } = then(one) ? one : (last.get(one.id) ?? { value: null, at: null });
    if (value === null || time === null) continue;
    found.set(one.deviceId, [...(found.get(one.deviceId) ?? []), { identifier: one.identifier, value, at: time }]);
  }
  return found;
}

async function lookBack(
  query: Query,
  series: readonly Series[],
  bornAt: (series: Series) => number,
  moment: number,
): Promise<Map<number, Last>> {
  const found = new Map<number, Last>();
  let missing = series;
  let high = moment + 1;
  for (const reach of LOOKS_MS) {
    if (missing.length === 0) break;
    const low = Math.max(moment - reach, Math.min(...missing.map(bornAt)));
    for (const row of await lastWithin(query, missing, low, high)) found.set(row.id, row);
    missing = missing.filter((one) => !found.has(one.id) && bornAt(one) < low);
    high = low;
  }
  return found;
}

/** One descent of an index for each series and partition. */
async function lastWithin(query: Query, series: readonly Series[], low: number, high: number): Promise<Last[]> {
  const parameters = new Parameters();
  const ids = parameters.add(`{${series.map(({ id }) => id).join(',')}}`, 'text');
  const readings = readingsOf(
    's.id',
    parameters.add(new Date(low).toISOString(), 'timestamptz'),
    parameters.add(new Date(high).toISOString(), 'timestamptz'),
    [],
    { order: 'desc', limit: '1' },
  );
  return query<Last>(
    `SELECT s.id, ${instant('r."at"')} AS "at",
       coalesce(r."number"::text, r."json"::text, (r."several" -> -1)::text) AS "value"
     FROM unnest(${ids}::int4[]) AS s(id) CROSS JOIN LATERAL (${readings}) r`,
    ...parameters.values,
  );
}
