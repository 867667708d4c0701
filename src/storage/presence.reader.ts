import { Injectable } from '@nestjs/common';
import { type DeviceReference, findDevice } from './device.reader.js';
import { marksOf, type PresenceMark } from './presence-marks.js';
import { type PresenceSummary, summaryOf } from './presence-summary.js';
import { instant, type Instant, type Page, type PageRequest } from './read-columns.js';
import type { TimeRange } from './reading.reader.js';
import { type Query, QuestionTooLarge, Snapshots } from './snapshots.js';

/** A stretch of time in which the presence of a device was one and the same. */
export interface PresenceInterval {
  /** Null where nothing is known: before the first status message, and after the device was made anew. */
  readonly online: boolean | null;
  /** Null: since ever. */
  readonly from: Instant | null;
  /** Null while it lasts. */
  readonly until: Instant | null;
  /** The platform's offlineReasonCode of the status that began it. */
  readonly reason: number | null;
}

/** The place of an interval in its list: when it began. */
export type PresencePlace = readonly [from: Instant];

type Marks = AsyncGenerator<PresenceMark, void, undefined>;

const EVER = '0001-01-01T00:00:00.000Z';
const NEVER = '9999-12-31T23:59:59.999Z';
const CHUNK = 500;
/** Who changed more often in the range is to ask about a shorter one. */
const SUMMED_UP = 100_000;

/** Answers when a device was online. */
@Injectable()
export class PresenceReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * The intervals that touch a range, each with its true ends.
   * @returns null when there is no such device.
   * @throws SeveralDevices
   */
  async intervals(
    reference: DeviceReference,
    range: TimeRange,
    page: PageRequest<PresencePlace>,
  ): Promise<Page<PresenceInterval, PresencePlace> | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const walk = range.order === 'asc' ? ascending : descending;
      const found: PresenceInterval[] = [];
      for await (const interval of walk(query, device.id, range, page.after)) {
        if (found.length === page.limit) return { items: found, next: [found.at(-1)?.from ?? EVER] };
        found.push(interval);
      }
      return { items: found, next: null };
    });
  }

  /**
   * How much of a range a device was online; from when it became known, and until now, where nothing else is said.
   * @returns null when there is no such device.
   * @throws SeveralDevices, QuestionTooLarge
   */
  async summary(
    reference: DeviceReference,
    { from, to }: { readonly from: Date | null; readonly to: Date | null },
    now: Date,
  ): Promise<PresenceSummary | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const [row] = await query<{ since: Instant }>(
        `SELECT ${instant('coalesce(d."knownSince", d."firstSeen")')} AS "since" FROM "Device" d WHERE d."id" = $1::int`,
        device.id,
      );
      const high = to && to < now ? to : now;
      const low = from ?? new Date(row?.since ?? high);
      const intervals: PresenceInterval[] = [];
      if (low < high) {
        for await (const interval of ascending(query, device.id, { from: low, to: high, order: 'asc' }, null)) {
          if (intervals.length > SUMMED_UP) throw new QuestionTooLarge('too many changes for one summary');
          intervals.push(interval);
        }
      }
      return summaryOf(intervals, low, high);
    });
  }
}

/** The intervals from the one that holds the beginning of the range on; behind a place, from the one after it on. */
async function* ascending(
  query: Query,
  device: number,
  { from, to }: TimeRange,
  after: PresencePlace | null,
): AsyncGenerator<PresenceInterval> {
  const anchor = after?.[0] ?? from?.toISOString() ?? EVER;
  const end = to?.toISOString() ?? NEVER;
  let current = await intervalAt(query, device, anchor);
  let shown = after === null;
  for await (const mark of marks(query, device, later(anchor), NEVER, 'asc')) {
    if (mark.online === current.online) continue;
    if (shown) yield { ...current, until: mark.at };
    shown = true;
    if (mark.at >= end) return;
    current = begunBy(mark);
  }
  if (shown) yield current;
}

/** The intervals from the one that holds the end of the range on, back to the one that holds its beginning. */
async function* descending(
  query: Query,
  device: number,
  { from, to }: TimeRange,
  after: PresencePlace | null,
): AsyncGenerator<PresenceInterval> {
  const end = after?.[0] ?? to?.toISOString() ?? NEVER;
  const begin = from?.toISOString() ?? EVER;
  if (end <= begin) return;
  let current: PresenceInterval | null = null;
  for await (const mark of marks(query, device, EVER, end, 'desc')) {
    if (current !== null && current.online === mark.online) {
      current = { ...begunBy(mark), until: current.until };
      continue;
    }
    if (current) yield current;
    const until: Instant | null = current ? current.from : after ? end : await endOf(query, device, mark, end);
    if (until !== null && until <= begin) return;
    current = { ...begunBy(mark), until };
  }
  const unknown = { online: null, from: null, reason: null };
  if (current === null) {
    if (after && end === EVER) return;
    yield { ...unknown, until: after ? end : await endOf(query, device, unknown, end) };
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
  { online }: Pick<PresenceMark, 'online'>,
  end: Instant,
): Promise<Instant | null> {
  for await (const mark of marks(query, device, end, NEVER, 'asc')) if (mark.online !== online) return mark.at;
  return null;
}

/** The interval that a moment lies in, without its end. */
async function intervalAt(query: Query, device: number, at: Instant): Promise<PresenceInterval> {
  let found: PresenceMark | null = null;
  for await (const mark of marks(query, device, EVER, later(at), 'desc')) {
    if (found && found.online !== mark.online) return begunBy(found);
    found = mark;
  }
  if (typeof found?.online === 'boolean') return begunBy(found);
  return { online: null, from: null, until: null, reason: null };
}

function begunBy({ online, at, reason }: PresenceMark): PresenceInterval {
  return { online, from: at, until: null, reason };
}

async function* marks(query: Query, device: number, low: Instant, high: Instant, order: 'asc' | 'desc'): Marks {
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

/** The next moment. */
function later(at: Instant): Instant {
  return new Date(Date.parse(at) + 1).toISOString();
}
