import type { FoundDevice } from './device.reader.js';
import type { DeviceSeries } from './device-series.js';
import { Parameters } from './read-columns.js';
import { type Bounds, readingsOf } from './reading-source.js';
import type { Query } from './snapshots.js';
import { ALWAYS } from './user-windows.js';

/**
 * A device as it is seen through windows: heard from the beginning of the first to the end of the last, or until now. When it was
 * really heard first and last tells of other times.
 */
export function seenThrough(device: FoundDevice, windows: readonly Bounds[], now: Date): FoundDevice {
  const [first, last] = [windows[0], windows.at(-1)];
  if (!first || !last || isAlways(windows)) return device;
  return {
    ...device,
    firstSeen: new Date(first.low).toISOString(),
    lastSeen: new Date(Math.max(first.low, Math.min(last.high - 1, now.getTime()))).toISOString(),
  };
}

/** The series that have a reading within windows: that there are others is nothing to be told of, either. */
export async function seriesWithin(
  query: Query,
  series: readonly DeviceSeries[],
  windows: readonly Bounds[],
  now: Date,
): Promise<readonly DeviceSeries[]> {
  const [first, last] = [windows[0], windows.at(-1)];
  if (series.length === 0 || !first || !last || isAlways(windows)) return series;
  const end = (high: number): string => new Date(Math.min(high, now.getTime() + TWO_DAYS_MS)).toISOString();
  const parameters = new Parameters();
  const ids = parameters.add(`{${series.map(({ id }) => id).join(',')}}`, 'text');
  const table = parameters.add(
    JSON.stringify(windows.map(({ low, high }) => ({ low: new Date(low).toISOString(), high: end(high) }))),
    'text',
  );
  const readings = readingsOf(
    's.id',
    [parameters.add(new Date(first.low).toISOString(), 'timestamptz'), 'w."low"'],
    [parameters.add(end(last.high), 'timestamptz'), 'w."high"'],
    [],
    { order: 'asc', limit: '1' },
  );
  const rows = await query<{ id: number }>(
    `SELECT s.id FROM unnest(${ids}::int4[]) AS s(id)
     WHERE EXISTS (SELECT FROM json_to_recordset(${table}::json) AS w("low" timestamptz, "high" timestamptz)
       CROSS JOIN LATERAL (${readings}) r)`,
    ...parameters.values,
  );
  const found = new Set(rows.map(({ id }) => id));
  return series.filter(({ id }) => found.has(id));
}

/** No reading lies further in the future than the platform allows. */
const TWO_DAYS_MS = 2 * 86_400_000;

function isAlways(windows: readonly Bounds[]): boolean {
  const [only] = windows;
  const [always] = ALWAYS;
  return windows.length === 1 && only?.low === always?.low && only?.high === always?.high;
}
