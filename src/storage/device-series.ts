import { column } from './columns.js';
import type { FoundDevice } from './device.reader.js';
import type { Bounds } from './reading-source.js';
import type { Query } from './snapshots.js';

/** A property of a device, as its readings are kept. */
export interface DeviceSeries {
  readonly id: number;
  readonly deviceId: number;
  readonly identifier: string;
}

/** The named properties of devices that were ever reported, or all, by identifier. */
export async function seriesOf(
  query: Query,
  devices: readonly FoundDevice[],
  identifiers: readonly string[] | null,
): Promise<readonly DeviceSeries[]> {
  return query<DeviceSeries>(
    `SELECT p."id", p."deviceId", p."identifier" FROM "DeviceProperty" p
     WHERE p."deviceId" = ANY($1::text::int4[])
       AND ($2::text IS NULL OR p."identifier" = ANY(ARRAY(SELECT json_array_elements_text($2::text::json))))
     ORDER BY p."identifier" COLLATE "C"`,
    column(devices, ({ id }) => id),
    identifiers && JSON.stringify(identifiers),
  );
}

/** No reading lies outside of what was first and last heard: so a question without a range touches few partitions. */
export function heard({ firstSeen, lastSeen }: FoundDevice): Bounds | null {
  if (firstSeen === null || lastSeen === null) return null;
  return { low: Date.parse(firstSeen), high: Date.parse(lastSeen) + 1 };
}
