import { Injectable } from '@nestjs/common';
import type { NumberAt, Stretch, ValueAt } from '../domain/partial-aggregate.js';
import { piecesOf, windowsWithin } from '../domain/pieces.js';
import { chartGrid, equalParts, stretchesFor, thinOut, thinOutChanges } from '../domain/thin-out.js';
import { type DeviceReference, findDevice, type FoundDevice } from './device.reader.js';
import { type DeviceSeries, heard, seriesOf } from './device-series.js';
import { JsonText } from './json-text.js';
import { mergedReadings } from './merged-readings.js';
import { firstNumbers, lastNumbers } from './partial-aggregates.js';
import type { Instant } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import { rolledExtremes } from './rolled-extremes.js';
import { DAY_MS, HOUR_MS } from './rollup-state.js';
import { seenThrough, seriesWithin } from './seen-through.js';
import { type Query, Snapshots } from './snapshots.js';
import { stateChanges } from './state-changes.js';
import { ALWAYS } from './user-windows.js';

/** What is to be drawn of a device. */
export interface ChartQuestion {
  /** All properties when null. */
  readonly identifiers: readonly string[] | null;
  readonly from: Date | null;
  readonly to: Date | null;
  /** Of each property, at most. */
  readonly points: number;
}

/** A property, thinned out to what is seen on a chart. */
export interface ChartView {
  readonly identifier: string;
  /** How many readings there are. */
  readonly readings: number;
  /** How many of them are no numbers, in a series that has numbers: these are not among the points. */
  readonly others: number;
  /** Whether the points are numbers, or where other values change. */
  readonly shows: 'numbers' | 'changes';
  readonly points: readonly { readonly at: Instant; readonly value: JsonText }[];
}

/** All points of an answer. */
export const MOST_CHART_POINTS = 20_000;
const MOST_CHANGES = 20_000;

/** Why a chart cannot be drawn, in terms of a parameter. */
export class UnanswerableChart extends Error {
  override readonly name = 'UnanswerableChart';

  constructor(
    readonly parameter: 'points' | 'identifier',
    readonly detail: string,
  ) {
    super(`${parameter} ${detail}`);
  }
}

/** Answers what a property looked like over time, in as few points as a chart can show. */
@Injectable()
export class ChartReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * @param windows nothing outside of these stretches (in order, none overlapping another) is looked at
   * @returns null when there is no such device.
   * @throws SeveralDevices, UnanswerableChart
   */
  async chart(
    reference: DeviceReference,
    question: ChartQuestion,
    windows: readonly Bounds[] = ALWAYS,
  ): Promise<readonly ChartView[] | null> {
    return this.snapshots.read(async (query) => {
      const found = await findDevice(query, reference);
      if (!found) return null;
      const now = new Date();
      const device = seenThrough(found, windows, now);
      const all = await seriesOf(query, [device], question.identifiers);
      const series = await seriesWithin(query, all, windows, now);
      if (series.length * question.points > MOST_CHART_POINTS) {
        throw new UnanswerableChart(
          'points',
          `must be at most ${Math.floor(MOST_CHART_POINTS / series.length)} for ${series.length} properties, or name fewer of these`,
        );
      }
      const shown = shownOf(device, question, windows);
      const [first, last] = [shown[0], shown.at(-1)];
      if (!first || !last) return [];
      return charts(query, device, series, { low: first.low, high: last.high }, shown, question.points);
    });
  }
}

function shownOf(device: FoundDevice, { from, to }: ChartQuestion, windows: readonly Bounds[]): readonly Stretch[] {
  const known = heard(device);
  if (!known) return [];
  return windowsWithin(windows, {
    low: Math.max(known.low, from?.getTime() ?? -Infinity),
    high: Math.min(known.high, to?.getTime() ?? Infinity),
  });
}

async function charts(
  query: Query,
  device: FoundDevice,
  series: readonly DeviceSeries[],
  range: Stretch,
  shown: readonly Stretch[],
  points: number,
): Promise<readonly ChartView[]> {
  const grid = chartGrid(range, stretchesFor(points), [DAY_MS, HOUR_MS]);
  const found = await rolledExtremes(
    query,
    series.map(({ id }) => id),
    piecesOf(grid.parts, shown),
  );
  const counted = series.map((one) => {
    const own = found.filter(({ seriesId }) => seriesId === one.id);
    const sum = (of: 'count' | 'others'): number => own.reduce((total, part) => total + part[of], 0);
    return { ...one, own, numbers: sum('count'), others: sum('others') };
  });
  const numeric = counted.filter(({ numbers }) => numbers > 0);
  const few = await allNumbers(
    query,
    device,
    numeric.filter(({ numbers, others }) => numbers + others <= points),
    shown,
    points,
  );
  const outer = await outerNumbers(
    query,
    numeric.filter(({ id }) => !few.has(id)).map(({ id }) => id),
    shown,
  );
  const changes = await changesOf(
    query,
    counted.filter(({ numbers, others }) => numbers === 0 && others > 0),
    shown,
  );
  const views = counted.map(({ id, identifier, own, numbers, others }): ChartView | null => {
    if (numbers + others === 0) return null;
    const kept =
      numbers === 0
        ? fewChanges(changes.get(id) ?? [], range, points)
        : (few.get(id) ?? thinOut(candidates(own, outer.get(id) ?? []), grid.stretches));
    return {
      identifier,
      readings: numbers + others,
      others: numbers === 0 ? 0 : others,
      shows: numbers === 0 ? 'changes' : 'numbers',
      points: kept.map(({ at, value }) => ({ at: new Date(at).toISOString(), value: new JsonText(value) })),
    };
  });
  return views.flatMap((view) => (view ? [view] : []));
}

/** What LTTB picks from, in order of time and each reading once. */
function candidates(
  parts: readonly { readonly lowest: NumberAt | null; readonly highest: NumberAt | null }[],
  outer: readonly NumberAt[],
): readonly NumberAt[] {
  const all = [...outer, ...parts.flatMap(({ lowest, highest }) => [lowest, highest])];
  const byTime = new Map(all.flatMap((each) => (each ? [[each.at, each] as const] : [])));
  return [...byTime.values()].sort((a, b) => a.at - b.at);
}

/** Series with no more readings than points are told as they are. */
async function allNumbers(
  query: Query,
  { productKey, deviceName }: FoundDevice,
  series: readonly DeviceSeries[],
  stretches: readonly Stretch[],
  points: number,
): Promise<ReadonlyMap<number, readonly NumberAt[]>> {
  const rows = await mergedReadings(
    query,
    series.map(({ id, identifier }) => ({ id, identifier, productKey, deviceName, stretches })),
    'asc',
    { limit: series.length * points, after: null },
  );
  const byIdentifier = new Map(series.map(({ id, identifier }) => [identifier, { id, numbers: [] as NumberAt[] }]));
  for (const { identifier, at, value } of rows) {
    if (/^[-\d]/.test(value)) byIdentifier.get(identifier)?.numbers.push({ at: Date.parse(at), value });
  }
  return new Map([...byIdentifier.values()].map(({ id, numbers }) => [id, numbers]));
}

/** The first and the last number of each series. */
async function outerNumbers(
  query: Query,
  seriesIds: readonly number[],
  shown: readonly Stretch[],
): Promise<ReadonlyMap<number, readonly NumberAt[]>> {
  const [firsts, lasts] = [new Map<number, NumberAt>(), new Map<number, NumberAt>()];
  for (const stretch of shown) {
    const missing = seriesIds.filter((id) => !firsts.has(id));
    for (const [id, first] of await firstNumbers(query, missing, stretch)) firsts.set(id, first);
  }
  for (const stretch of [...shown].reverse()) {
    const missing = seriesIds.filter((id) => !lasts.has(id));
    for (const [id, last] of await lastNumbers(query, missing, stretch)) lasts.set(id, last);
  }
  return new Map(seriesIds.map((id) => [id, [firsts.get(id), lasts.get(id)].flatMap((each) => (each ? [each] : []))]));
}

async function changesOf(
  query: Query,
  series: readonly DeviceSeries[],
  shown: readonly Stretch[],
): Promise<ReadonlyMap<number, readonly ValueAt[]>> {
  const changes = await stateChanges(
    query,
    series.map(({ id }) => id),
    shown,
    MOST_CHANGES + 1,
  );
  if (changes.length > MOST_CHANGES) {
    throw new UnanswerableChart(
      'identifier',
      `names properties that changed more than ${MOST_CHANGES} times between other values than numbers: ask for a shorter range or fewer of them`,
    );
  }
  return new Map(series.map(({ id }) => [id, changes.filter(({ seriesId }) => seriesId === id)]));
}

function fewChanges(changes: readonly ValueAt[], range: Stretch, points: number): readonly ValueAt[] {
  return changes.length <= points ? changes : thinOutChanges(changes, equalParts(range, Math.floor(points / 2)));
}
