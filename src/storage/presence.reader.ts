import { Injectable } from '@nestjs/common';
import { type DeviceReference, findDevice } from './device.reader.js';
import type { PresenceInterval } from './presence-interval.js';
import { marksOf, type PresenceMark } from './presence-marks.js';
import { type PresenceSummary, summaryOf } from './presence-summary.js';
import { instant, type Instant, type Page, type PageRequest } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import type { TimeRange } from './reading.reader.js';
import { type Query, QuestionTooLarge, Snapshots } from './snapshots.js';
import { ALWAYS } from './user-windows.js';

/** The place of an interval in its list: when it began. */
export type PresencePlace = readonly [from: Instant];

type Marks = AsyncGenerator<PresenceMark, void, undefined>;

const EVER = '0001-01-01T00:00:00.000Z';
const NEVER = '9999-12-31T23:59:59.999Z';
const CHUNK = 500;
/** Who changed more often in the range is to ask about a shorter one. */
const SUMMED_UP = 100_000;

/** A stretch of time that an answer may know of: what was said before and behind it has no influence. */
interface Span {
  readonly low: Instant;
  readonly high: Instant;
  /** The first status in a stretch with a beginning: it may repeat what was said before, and nobody knows. */
  readonly first: PresenceMark | null;
}

/** What of a span is asked for. */
interface Part {
  readonly from: Instant;
  readonly to: Instant;
}

/** Answers when a device was online. */
@Injectable()
export class PresenceReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * The intervals that touch a range, each with its true ends.
   * @param windows nothing outside of these stretches (in order, none overlapping another) has any influence; intervals end with them
   * @returns null when there is no such device.
   * @throws SeveralDevices
   */
  async intervals(
    reference: DeviceReference,
    { from, to, order }: TimeRange,
    { limit, after }: PageRequest<PresencePlace>,
    windows: readonly Bounds[] = ALWAYS,
  ): Promise<Page<PresenceInterval, PresencePlace> | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const walk = order === 'asc' ? ascending : descending;
      const range = { from: from?.toISOString() ?? EVER, to: to?.toISOString() ?? NEVER };
      const place = after?.[0] ?? null;
      const found: PresenceInterval[] = [];
      for (const window of order === 'asc' ? windows : [...windows].reverse()) {
        const part = partOf(range, window);
        if (!part || (place !== null && (order === 'asc' ? place >= highOf(window) : place <= lowOf(window)))) continue;
        const span = await spanOf(query, device.id, window);
        const inside = place !== null && place >= span.low && place < span.high ? place : null;
        for await (const interval of walk(query, device.id, span, part, inside)) {
          if (found.length === limit) return { items: found, next: [found.at(-1)?.from ?? EVER] };
          found.push(endingWith(span, interval));
        }
      }
      return { items: found, next: null };
    });
  }

  /**
   * How much of a range a device was online; from when it became known, and until now, where nothing else is said.
   * @param windows as above: time outside of them is not counted
   * @returns null when there is no such device.
   * @throws SeveralDevices, QuestionTooLarge
   */
  async summary(
    reference: DeviceReference,
    { from, to }: { readonly from: Date | null; readonly to: Date | null },
    now: Date,
    windows: readonly Bounds[] = ALWAYS,
  ): Promise<PresenceSummary | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const high = to && to < now ? to : now;
      const low = from ?? (await knownSince(query, device.id, windows)) ?? high;
      const intervals: PresenceInterval[] = [];
      for (const window of windows) {
        const part = partOf({ from: low.toISOString(), to: high.toISOString() }, window);
        if (!part) continue;
        const span = await spanOf(query, device.id, window);
        for await (const interval of ascending(query, device.id, span, part, null)) {
          if (intervals.length > SUMMED_UP) throw new QuestionTooLarge('too many changes for one summary');
          intervals.push(endingWith(span, interval));
        }
      }
      return summaryOf(intervals, low, high);
    });
  }
}

/** When it became known what a device is, to those who see it through windows. */
async function knownSince(query: Query, device: number, [window]: readonly Bounds[]): Promise<Date | null> {
  if (window && window.low !== -Infinity) return new Date(window.low);
  const [row] = await query<{ since: Instant | null }>(
    `SELECT ${instant('coalesce(d."knownSince", d."firstSeen")')} AS "since" FROM "Device" d WHERE d."id" = $1::int`,
    device,
  );
  return row?.since ? new Date(row.since) : null;
}

function lowOf({ low }: Bounds): Instant {
  return low === -Infinity ? EVER : new Date(low).toISOString();
}

function highOf({ high }: Bounds): Instant {
  return high === Infinity ? NEVER : new Date(high).toISOString();
}

/** What of a range lies in a window, if anything. */
function partOf(range: Part, window: Bounds): Part | null {
  const part = { from: latest(range.from, lowOf(window)), to: earliest(range.to, highOf(window)) };
  return part.from < part.to ? part : null;
}

async function spanOf(query: Query, device: number, window: Bounds): Promise<Span> {
  const [low, high] = [lowOf(window), highOf(window)];
  if (low === EVER) return { low, high, first: null };
  const [first] = await query<PresenceMark>(
    `SELECT ${instant('h."at"')} AS "at", h."online", h."reason" FROM "PresenceHistory" h
     WHERE h."deviceId" = $1::int AND h."at" >= $2::timestamptz AND h."at" < $3::timestamptz ORDER BY h."at" LIMIT 1`,
    device,
    low,
    high,
  );
  return { low, high, first: first ?? null };
}

/** An interval as far as it lies in a span. */
function endingWith({ low, high }: Span, interval: PresenceInterval): PresenceInterval {
  return {
    ...interval,
    from: interval.from ?? (low === EVER ? null : low),
    until: interval.until ?? (high === NEVER ? null : high),
  };
}

/** The intervals from the one that holds the beginning of the range on; behind a place, from the one after it on. */
async function* ascending(
  query: Query,
  device: number,
  span: Span,
  { from, to }: Part,
  after: Instant | null,
): AsyncGenerator<PresenceInterval> {
  const anchor = after ?? from;
  let current = await intervalAt(query, device, span, anchor);
  let shown = after === null;
  for await (const mark of marks(query, device, span, later(anchor), NEVER, 'asc')) {
    if (mark.online === current.online) continue;
    if (shown) yield { ...current, until: mark.at };
    shown = true;
    if (mark.at >= to) return;
    current = begunBy(mark);
  }
  if (shown) yield current;
}

/** The intervals from the one that holds the end of the range on, back to the one that holds its beginning. */
async function* descending(
  query: Query,
  device: number,
  span: Span,
  { from: begin, to }: Part,
  after: Instant | null,
): AsyncGenerator<PresenceInterval> {
  const end = after ?? to;
  if (end <= begin) return;
  let current: PresenceInterval | null = null;
  for await (const mark of marks(query, device, span, EVER, end, 'desc')) {
    if (current !== null && current.online === mark.online) {
      current = { ...begunBy(mark), until: current.until };
      continue;
    }
    if (current) yield current;
    const until: Instant | null = current ? current.from : after ? end : await endOf(query, device, span, mark, end);
    if (until !== null && until <= begin) return;
    current = { ...begunBy(mark), until };
  }
  const unknown = { online: null, from: null, reason: null };
  if (current === null) {
    if (after && end === EVER) return;
    yield { ...unknown, until: after ? end : await endOf(query, device, span, unknown, end) };
  } else if (current.online === null) {
    yield { ...current, from: null };
  } else {
    yield current;
    if (current.from !== null && current.from > begin) yield { ...unknown, until: current.from };
  }
}

/** When an interval that lasts at `end` ends, or null when it does not. */
async function endOf(
  query: Query,
  device: number,
  span: Span,
  { online }: Pick<PresenceMark, 'online'>,
  end: Instant,
): Promise<Instant | null> {
  for await (const mark of marks(query, device, span, end, NEVER, 'asc')) if (mark.online !== online) return mark.at;
  return null;
}

/** The interval that a moment lies in, without its end. */
async function intervalAt(query: Query, device: number, span: Span, at: Instant): Promise<PresenceInterval> {
  let found: PresenceMark | null = null;
  for await (const mark of marks(query, device, span, EVER, later(at), 'desc')) {
    if (found && found.online !== mark.online) return begunBy(found);
    found = mark;
  }
  if (typeof found?.online === 'boolean') return begunBy(found);
  return { online: null, from: null, until: null, reason: null };
}

function begunBy({ online, at, reason }: PresenceMark): PresenceInterval {
  return { online, from: at, until: null, reason };
}

/** The marks of a span that lie in [low, high). */
async function* marks(
  query: Query,
  device: number,
  { first, ...span }: Span,
  low: Instant,
  high: Instant,
  order: 'asc' | 'desc',
): Marks {
  if (span.low === EVER) return yield* marksBetween(query, device, low, earliest(high, span.high), order);
  if (!first || first.at >= high) return; // what a device was made anew from is told by what was said before
  const begins = first.at >= low;
  if (begins && order === 'asc') yield first;
  yield* marksBetween(query, device, latest(low, later(first.at)), earliest(high, span.high), order);
  if (begins && order === 'desc') yield first;
}

async function* marksBetween(query: Query, device: number, low: Instant, high: Instant, order: 'asc' | 'desc'): Marks {
  let [from, to] = [low, high];
  for (;;) {
    const found = await query<PresenceMark>(
      `SELECT ${instant('m."at"')} AS "at", m."online", m."reason"
       FROM (${marksOf('$1::int', '$2::timestamptz', '$3::timestamptz', order, String(CHUNK))}) m
       ORDER BY m."at" ${order.toUpperCase()}`,
      device,
      from,
      to,
    );
    yield* found;
    const last = found.at(-1);
    if (!last || found.length < CHUNK) return;
    if (order === 'asc') from = later(last.at);
    else to = last.at;
  }
}

function latest(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

function earliest(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}

/** The next moment. */
function later(at: Instant): Instant {
  return new Date(Date.parse(at) + 1).toISOString();
}
