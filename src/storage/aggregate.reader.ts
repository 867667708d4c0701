import { Injectable } from '@nestjs/common';
import {
  type AggregateFunction,
  type Fill,
  isAggregateFunction,
  OF_ANY_VALUE,
  percentileShare,
} from '../domain/aggregate-functions.js';
import { type BucketNumbers, bucketNumbers } from '../domain/bucket-numbers.js';
import { bucketsOf } from '../domain/calendar-buckets.js';
import { decimalText } from '../domain/decimal.js';
import type { Interval } from '../domain/interval.js';
import type { PartialAggregate, Stretch, ValueAt } from '../domain/partial-aggregate.js';
import { type Piece, piecesOf, windowsWithin } from '../domain/pieces.js';
import { type Durations, stateDurations } from '../domain/state-durations.js';
import { type CanonicalJson, compareText } from '../domain/value.js';
import { type DeviceReference, findDevice, type FoundDevice } from './device.reader.js';
import { type DeviceSeries, heard, seriesOf } from './device-series.js';
import { JsonText } from './json-text.js';
import { type Neighbours, neighboursOf } from './neighbours.js';
import { percentilesOf } from './percentiles.js';
import type { Instant } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import { seenThrough, seriesWithin } from './seen-through.js';
import { rolledPartials } from './rolled-partials.js';
import { type Query, Snapshots } from './snapshots.js';
import { stateChanges } from './state-changes.js';
import { ALWAYS } from './user-windows.js';

/** What is asked of the readings of a device. */
export interface AggregateQuestion {
  /** All properties when null. */
  readonly identifiers: readonly string[] | null;
  /** From the first time that the device was heard, and until now, when null. */
  readonly from: Date | null;
  readonly to: Date | null;
  readonly interval: Interval;
  readonly timeZone: string;
  /** Functions and percentiles. */
  readonly functions: readonly string[];
  readonly fill: Fill;
  readonly now: Date;
}

/** How long a property had a value. */
export interface DurationView {
  readonly value: JsonText;
  readonly seconds: JsonText;
}

/** What a property was in a bucket: every function by its name; null where there is nothing to say. */
export interface AggregateView {
  readonly identifier: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly [name: string]: string | JsonText | readonly DurationView[] | null;
}

/** An answer tells of no more buckets than this, over all properties. */
export const MOST_POINTS = 10_000;

/** For durations, no more changes of value than this are looked at, over all properties. */
export const MOST_CHANGES = 20_000;

/** Why a question has no answer, in terms of its parameters. */
export class UnanswerableAggregates extends Error {
  override readonly name = 'UnanswerableAggregates';

  constructor(
    readonly parameter: 'interval' | 'functions',
    readonly detail: string,
  ) {
    super(`${parameter} ${detail}`);
  }
}

/** What is known of the readings of all series asked for. */
interface Facts {
  readonly pieces: readonly Piece[];
  /** By series and piece. */
  readonly partials: ReadonlyMap<number, ReadonlyMap<number, PartialAggregate>>;
  readonly neighbours: Neighbours;
  readonly percentiles: ReadonlyMap<string, readonly string[]>;
  /** By series. */
  readonly durations: ReadonlyMap<number, ReadonlyMap<number, Durations>>;
  readonly until: number;
}

/** Answers what readings amount to, by buckets of time. */
@Injectable()
export class AggregateReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * One row a property and bucket, by identifier and time.
   * @param windows nothing outside of these stretches (in order, none overlapping another) has any influence on the answer
   * @returns null when there is no such device.
   * @throws SeveralDevices, UnanswerableAggregates
   */
  async aggregates(
    reference: DeviceReference,
    question: AggregateQuestion,
    windows: readonly Bounds[] = ALWAYS,
  ): Promise<readonly AggregateView[] | null> {
    return this.snapshots.read(async (query) => {
      const found = await findDevice(query, reference);
      if (!found) return null;
      const device = seenThrough(found, windows, question.now);
      const all = await seriesOf(query, [device], question.identifiers);
      const series = await seriesWithin(query, all, windows, question.now);
      const range = rangeOf(device, question);
      if (series.length === 0 || !range) return [];
      const buckets = cut(question, range, series.length);
      const facts = await factsOf(query, device, series, question, range, buckets, windows);
      refuseOtherThanNumbers(series, question, facts);
      const edges = buckets.map(
        ({ low, high }) => [new Date(low).toISOString(), new Date(high).toISOString()] as const,
      );
      return series.flatMap((one) => rowsOf(one, question, edges, facts));
    });
  }
}

function rangeOf(device: FoundDevice, { from, to, now }: AggregateQuestion): Stretch | null {
  const known = heard(device);
  if (!known) return null;
  const low = from?.getTime() ?? known.low;
  const high = to?.getTime() ?? Math.max(now.getTime(), known.high);
  return low < high ? { low, high } : null;
}

function cut({ interval, timeZone }: AggregateQuestion, range: Stretch, series: number): readonly Stretch[] {
  const buckets = bucketsOf(interval, timeZone, range, Math.floor(MOST_POINTS / series));
  if (buckets) return buckets;
  throw new UnanswerableAggregates(
    'interval',
    `would cut ${series === 1 ? 'the property' : `each of ${series} properties`} from ${new Date(range.low).toISOString()} to ` +
      `${new Date(range.high).toISOString()} into too many buckets: an answer has at most ${MOST_POINTS} in all; ask for a ` +
      'longer interval, a shorter range or fewer properties',
  );
}

/** Everything that the answer needs, in a fixed number of queries. */
async function factsOf(
  query: Query,
  device: FoundDevice,
  series: readonly DeviceSeries[],
  question: AggregateQuestion,
  range: Stretch,
  buckets: readonly Stretch[],
  windows: readonly Bounds[],
): Promise<Facts> {
  const known = heard(device) ?? range;
  const seriesIds = series.map(({ id }) => id);
  const shown = windowsWithin(windows, range);
  const pieces = piecesOf(buckets, shown);
  // Beyond what was heard of the device there is nothing to look for.
  const skipped = pieces.findIndex(({ high }) => high > known.low);
  const looked = skipped < 0 ? [] : pieces.slice(skipped).filter(({ low }) => low < known.high);
  const until = Math.min(range.high, Math.max(question.now.getTime(), known.high - 1));
  const wants = wantsOf(question);

  const partials = await rolledPartials(query, { seriesIds, stretches: looked, ends: wants.ends });
  const neighbours = await neighboursOf(query, seriesIds, range, windows, known, wants);
  const shares = question.functions.flatMap((name) => percentileShare(name) ?? []);
  const percentiles = await percentilesOf(query, seriesIds, looked, shares);
  return {
    pieces,
    partials: bySeries(partials, Math.max(skipped, 0)),
    neighbours,
    percentiles: new Map(percentiles.map(({ seriesId, bucket, values }) => [`${seriesId} ${bucket}`, values])),
    durations: wants.states ? await durationsOf(query, seriesIds, shown, pieces, neighbours, until) : new Map(),
    until,
  };
}

function bySeries(partials: readonly PartialAggregate[], skipped: number): Facts['partials'] {
  const found = new Map<number, Map<number, PartialAggregate>>();
  for (const partial of partials) {
    const ofSeries = found.get(partial.seriesId);
    if (ofSeries) ofSeries.set(partial.stretch + skipped, partial);
    else found.set(partial.seriesId, new Map([[partial.stretch + skipped, partial]]));
  }
  return found;
}

function wantsOf({ functions, fill }: AggregateQuestion): {
  readonly ends: boolean;
  readonly states: boolean;
  readonly before: boolean;
  readonly after: boolean;
} {
  const asks = (...names: readonly AggregateFunction[]): boolean => names.some((name) => functions.includes(name));
  const filled = fill === 'previous' || fill === 'linear';
  const steps = asks('delta', 'rate', 'timeWeightedAverage');
  return {
    ends: filled || steps || asks('first', 'last'),
    states: asks('durations'),
    before: filled || steps || asks('durations'),
    after: fill === 'linear',
  };
}

async function durationsOf(
  query: Query,
  seriesIds: readonly number[],
  windows: readonly Stretch[],
  pieces: readonly Piece[],
  { valuesBefore }: Neighbours,
  until: number,
): Promise<ReadonlyMap<number, ReadonlyMap<number, Durations>>> {
  const changes = await stateChanges(query, seriesIds, windows, MOST_CHANGES + 1);
  if (changes.length > MOST_CHANGES) {
    throw new UnanswerableAggregates(
      'functions',
      `cannot tell durations of more than ${MOST_CHANGES} changes of value: ask for a shorter range or fewer properties`,
    );
  }
  const bySeries = new Map<number, Map<number, ValueAt[]>>(seriesIds.map((id) => [id, new Map()]));
  for (const change of changes) {
    const byWindow = bySeries.get(change.seriesId);
    const known = byWindow?.get(change.window);
    if (known) known.push(change);
    else byWindow?.set(change.window, [change]);
  }
  return new Map(
    [...bySeries].map(([id, byWindow]) => [id, stateDurations(pieces, byWindow, valuesBefore.get(id) ?? null, until)]),
  );
}

/** Somebody who names a property and asks for its average should hear that it is a text, rather than nothing at all. */
function refuseOtherThanNumbers(series: readonly DeviceSeries[], question: AggregateQuestion, facts: Facts): void {
  if (question.identifiers === null || question.functions.some((name) => OF_ANY_VALUE.has(name))) return;
  for (const { id, identifier } of series) {
    const partials = [...(facts.partials.get(id)?.values() ?? [])];
    if (partials.length > 0 && partials.every(({ count }) => count === 0)) {
      throw new UnanswerableAggregates(
        'functions',
        `must be some of ${[...OF_ANY_VALUE].join(', ')} for ${identifier}, which reported no numbers in this range`,
      );
    }
  }
}

function rowsOf(
  { id, identifier }: DeviceSeries,
  { functions, fill }: AggregateQuestion,
  edges: readonly (readonly [from: Instant, to: Instant])[],
  { pieces, partials, neighbours, percentiles, durations, until }: Facts,
): readonly AggregateView[] {
  const numbers = bucketNumbers({
    pieces,
    partials: partials.get(id) ?? new Map<number, PartialAggregate>(),
    numberBefore: neighbours.numbersBefore.get(id) ?? null,
    valueBefore: neighbours.valuesBefore.get(id) ?? null,
    numberAfter: neighbours.numbersAfter.get(id) ?? null,
    until,
  });
  const shares = functions.filter((name) => percentileShare(name) !== null);
  const rows: AggregateView[] = [];
  for (const [index, [from, to]] of edges.entries()) {
    const bucket = numbers.get(index);
    const exact = shares.length > 0 ? percentiles.get(`${id} ${index}`) : undefined;
    const row: Record<string, AggregateView[string]> & Pick<AggregateView, 'identifier' | 'from' | 'to'> = {
      identifier,
      from,
      to,
    };
    let told = fill !== 'none';
    for (const name of functions) {
      const answer =
        name === 'durations'
          ? durationsView(durations.get(id)?.get(index))
          : valueOf(name, bucket, exact?.[shares.indexOf(name)] ?? null, fill);
      row[name] = answer;
      told ||= says(name, answer);
    }
    if (told) rows.push(row);
  }
  return rows;
}

/** A count of nothing says as little as null. */
function says(name: string, answer: JsonText | readonly DurationView[] | null): boolean {
  return answer !== null && !(name === 'count' && answer instanceof JsonText && answer.text === '0');
}

function valueOf(
  name: string,
  bucket: BucketNumbers | undefined,
  percentile: string | null,
  fill: Fill,
): JsonText | null {
  const value = textOf(name, bucket, percentile, fill);
  return value === null ? null : new JsonText(value);
}

function textOf(
  name: string,
  bucket: BucketNumbers | undefined,
  percentile: string | null,
  fill: Fill,
): CanonicalJson | null {
  if (!bucket) return name === 'count' ? '0' : null;
  if (!isAggregateFunction(name)) return bucket.count > 0 ? percentile : bucket.filled(fill);
  const value = bucket.of(name);
  if (value !== null) return value;
  if (name === 'first' || name === 'last') return bucket.filledEnd(fill);
  return name === 'avg' || name === 'min' || name === 'max' ? bucket.filled(fill) : null;
}

/** The longest first. */
function durationsView(durations: Durations | undefined): readonly DurationView[] | null {
  if (!durations) return null;
  return [...durations]
    .sort(([value, ms], [other, otherMs]) => otherMs - ms || compareText(value, other))
    .map(([value, ms]) => ({
      value: new JsonText(value),
      seconds: new JsonText(decimalText({ digits: BigInt(ms), places: 3 })),
    }));
}
