import { Injectable } from '@nestjs/common';
import { windowsWithin } from '../domain/pieces.js';
import { type DeviceReference, findDevice, type FoundDevice } from './device.reader.js';
import { findDevices } from './find-devices.js';
import { type DeviceSeries, heard, seriesOf } from './device-series.js';
import { JsonText } from './json-text.js';
import { type ListedSeries, type MergedPlace, mergedReadings, type MergedRow } from './merged-readings.js';
import { type Instant, type Page, pageOf, type PageRequest } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import { Snapshots } from './snapshots.js';
import { ALWAYS, type UserReference } from './user-windows.js';

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

/** The same, of a device that is named. */
export interface DeviceReadingView extends ReadingView {
  /** productKey:deviceName */
  readonly device: string;
}

/** The place of a reading in the list of a device. */
export type ReadingPlace = readonly [at: Instant, identifier: string];

/** A list that merges more series than this would look at too much for every page. */
export const MOST_SERIES = 1_000;

/** There are more series than can be merged. */
export class TooManySeries extends Error {
  override readonly name = 'TooManySeries';

  constructor(readonly count: number) {
    super(`${count} series are too many to be merged`);
  }
}

/** Answers what properties were at other times. */
@Injectable()
export class ReadingReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * The readings of the named properties, or of all.
   * @param windows only what lies in these stretches (in order, none overlapping another)
   * @returns null when there is no such device.
   * @throws SeveralDevices
   */
  async history(
    reference: DeviceReference,
    identifiers: readonly string[] | null,
    range: TimeRange,
    page: PageRequest<ReadingPlace>,
    windows: readonly Bounds[] = ALWAYS,
  ): Promise<Page<ReadingView, ReadingPlace> | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const series = listed(device, await seriesOf(query, [device], identifiers), range, windows);
      const after = page.after && ([page.after[0], device.productKey, device.deviceName, page.after[1]] as const);
      const rows = await mergedReadings(query, series, range.order, { limit: page.limit, after });
      return pageOf(rows, page.limit, readingView, ({ at, identifier }) => [at, identifier] as const);
    });
  }

  /**
   * The readings of several devices in one list: of the named properties, or of all.
   * @param user only what lies within the time in which a device was theirs
   * @throws UnknownDevice, SeveralDevices, TooManySeries
   */
  async historyOfSeveral(
    references: readonly DeviceReference[],
    identifiers: readonly string[] | null,
    range: TimeRange,
    page: PageRequest<MergedPlace>,
    user?: UserReference,
  ): Promise<Page<DeviceReadingView, MergedPlace>> {
    return this.snapshots.read(async (query) => {
      const found = await findDevices(query, references, user);
      const all = await seriesOf(
        query,
        found.map(({ device }) => device),
        identifiers,
      );
      const series = found.flatMap(({ device, windows }) =>
        listed(
          device,
          all.filter(({ deviceId }) => deviceId === device.id),
          range,
          windows,
        ),
      );
      if (series.length > MOST_SERIES) throw new TooManySeries(series.length);
      const rows = await mergedReadings(query, series, range.order, page);
      return pageOf(
        rows,
        page.limit,
        (row) => ({ device: `${row.productKey}:${row.deviceName}`, ...readingView(row) }),
        ({ at, productKey, deviceName, identifier }) => [at, productKey, deviceName, identifier] as const,
      );
    });
  }
}

/** The series of a device with what of them lies in the range, in the windows, and in what was heard at all. */
function listed(
  device: FoundDevice,
  series: readonly DeviceSeries[],
  { from, to }: TimeRange,
  windows: readonly Bounds[],
): ListedSeries[] {
  const known = heard(device);
  if (!known) return [];
  const { productKey, deviceName } = device;
  const stretches = windowsWithin(windows, {
    low: Math.max(known.low, from?.getTime() ?? -Infinity),
    high: Math.min(known.high, to?.getTime() ?? Infinity),
  });
  return series.map(({ id, identifier }) => ({ id, productKey, deviceName, identifier, stretches }));
}

function readingView({ identifier, at, value, values }: MergedRow): ReadingView {
  return { identifier, value: new JsonText(value), at, ...(values !== null && { values: new JsonText(values) }) };
}
