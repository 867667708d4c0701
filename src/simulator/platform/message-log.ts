import type { Answer, Fate } from './fate.js';
import type { Origin, PlatformMessage } from './platform-message.js';
import { readTopic } from './topic.js';

/** Hears what becomes of every message. On the path of each delivery: cheap, and never throws. */
export interface MessageTrace {
  published(message: PlatformMessage, origin: Origin | null, groups: readonly string[]): void;
  sent(message: PlatformMessage, group: string, clientId: string): void;
  answered(message: PlatformMessage, group: string, answer: Answer): void;
  dropped(message: PlatformMessage, group: string, why: 'expired' | 'overflowed' | 'cleared'): void;
}

/** What the platform did not take: a sign-in of a consumer or a device, or an uplink that was not forwarded. */
export interface Refusal {
  readonly what: 'sign-in' | 'uplink';
  readonly door: 'amqp' | 'mqtt';
  /** Client id of a consumer, or `productKey:deviceName`. */
  readonly who: string;
  /** For people; never a secret. */
  readonly reason: string;
  /** The uplink as the device sent it. */
  readonly topic?: string;
  readonly body?: Uint8Array;
}

/** One delivery of a message to a client. */
export interface Attempt {
  /** When it was sent, by the simulator's clock. */
  readonly at: number;
  readonly client: string;
  /** Null while the client has not answered. */
  readonly answer: Answer | null;
  readonly answeredAt: number | null;
}

/** What became of a message in one group. */
export interface Forwarded {
  readonly group: string;
  readonly outcome: Fate['outcome'];
  readonly deliveries: number;
  /** The first and the last ones, oldest first; `deliveries` tells how many there were. */
  readonly attempts: readonly Attempt[];
  /** When the platform gave the message up: expired, overflowed, cleared. */
  readonly droppedAt: number | null;
}

/** Something that the platform or a rule had to say about a message while it was processed. */
export interface Note {
  readonly at: number;
  /** `rule night-mode`, `script`, … */
  readonly by: string;
  readonly text: string;
}

/** A message with all that is known of it: arrival, processing, forwarding (protocol 12). */
export interface LoggedMessage {
  readonly kind: 'message';
  /** Grows by one with every record. */
  readonly seq: number;
  readonly at: number;
  readonly message: PlatformMessage;
  readonly origin: Origin | null;
  /** Later publications under the same id: the same bytes again, or others. */
  readonly again: readonly { readonly at: number; readonly message: PlatformMessage }[];
  readonly notes: readonly Note[];
  /** One for each group that the message was for; empty when it was for none. */
  readonly forwarded: readonly Forwarded[];
}

export interface LoggedRefusal {
  readonly kind: 'refused';
  readonly seq: number;
  readonly at: number;
  readonly refusal: Refusal;
}

export type LogRecord = LoggedMessage | LoggedRefusal;

export const RECORD_FATES = [
  'queued',
  'unsettled',
  'accepted',
  'expired',
  'overflowed',
  'cleared',
  'unrouted',
  'refused',
] as const;
/** Of a message: one of its fates in the groups, or `unrouted` when no group was to have it. */
export type RecordFate = (typeof RECORD_FATES)[number];

/** What a search asks for; all that is given must hold. */
export interface LogQuery {
  /** `productKey:deviceName`, or a device name alone. */
  readonly device?: string | undefined;
  /** A part of the forwarding topic or of the device's own. */
  readonly topic?: string | undefined;
  /** A part of the topic, the body, or the reason of a refusal. */
  readonly keyword?: string | undefined;
  /** Milliseconds since 1970 by the simulator's clock, half open. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly origin?: Origin['from'] | undefined;
  readonly fate?: RecordFate | undefined;
  /** Key of a consumer group that the message was for. */
  readonly group?: string | undefined;
  /** Only records with a smaller `seq`: the `next` of the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface LogPage {
  /** Newest first. */
  readonly records: readonly LogRecord[];
  /** Where to go on; null when there is no more. A page may be short and yet have a next one, see `MAX_SCANNED`. */
  readonly next: number | null;
}

/** Records that one search looks at, so that a search of a huge log never holds up deliveries for long. */
export const MAX_SCANNED = 20_000;
/** Attempts, notes and repetitions kept of one message; of attempts, half are the first and half the last ones. */
const MAX_KEPT = 100;

interface KeptForwarded extends Forwarded {
  outcome: Fate['outcome'];
  deliveries: number;
  readonly attempts: { at: number; client: string; answer: Answer | null; answeredAt: number | null }[];
  droppedAt: number | null;
}

interface KeptMessage extends LoggedMessage {
  again: { at: number; message: PlatformMessage }[];
  notes: Note[];
  readonly forwarded: KeptForwarded[];
}

type Kept = KeptMessage | LoggedRefusal;

const NONE: never[] = [];

/** The last messages and what became of each in every group (the platform's 日志查看, protocol 12). */
export class MessageLog implements MessageTrace {
  private readonly byId = new Map<string, KeptMessage>();
  /** Every record in order. Those before `head` are forgotten; the array is cut now and then. */
  private records: (Kept | undefined)[] = [];
  private head = 0;
  private lastSeq = 0;
  private bytes = 0;

  /** `capacity` counts records, 0 remembers nothing; `maxBytes` bounds the bodies kept, the newest one aside. */
  constructor(
    private readonly capacity: number,
    private readonly now: () => number = Date.now,
    private readonly maxBytes: number = Number.POSITIVE_INFINITY,
  ) {}

  /** Records remembered, and records there were in all. */
  get size(): { readonly kept: number; readonly total: number; readonly bytes: number; readonly capacity: number } {
    const { records, head, lastSeq: total, bytes, capacity } = this;
    return { kept: records.length - head, total, bytes, capacity };
  }

  published(message: PlatformMessage, origin: Origin | null, groups: readonly string[]): void {
    if (this.capacity === 0) return;
    let entry = this.byId.get(message.id);
    if (entry) {
      if (entry.again === NONE) entry.again = [];
      if (entry.again.length < MAX_KEPT) {
        entry.again.push({ at: this.now(), message });
        this.bytes += message.body.length;
      }
    } else {
      const at = message.publishedAt;
      const seq = ++this.lastSeq;
      entry = {
        kind: 'message',
        seq,
        at,
        message,
        origin: withOwnBytes(origin),
        again: NONE,
        notes: NONE,
        forwarded: [],
      };
      this.byId.set(message.id, entry);
      this.keep(entry);
    }
    for (const group of groups) {
      if (forwardedTo(entry, group)) continue;
      entry.forwarded.push({ group, outcome: 'queued', deliveries: 0, attempts: [], droppedAt: null });
    }
    this.forget();
  }

  sent(message: PlatformMessage, group: string, client: string): void {
    const forwarded = this.find(message, group);
    if (!forwarded) return;
    forwarded.outcome = 'unsettled';
    forwarded.deliveries++;
    const { attempts } = forwarded;
    attempts.push({ at: this.now(), client, answer: null, answeredAt: null });
    if (attempts.length > MAX_KEPT) attempts.splice(MAX_KEPT / 2, 1);
  }

  answered(message: PlatformMessage, group: string, answer: Answer): void {
    const forwarded = this.find(message, group);
    if (!forwarded) return;
    const { attempts } = forwarded;
    for (let i = attempts.length - 1; i >= 0; i--) {
      const attempt = attempts[i];
      if (attempt?.answer !== null) continue;
      attempt.answer = answer;
      attempt.answeredAt = this.now();
      break;
    }
    forwarded.outcome = answer === 'accepted' ? 'accepted' : 'queued';
  }

  dropped(message: PlatformMessage, group: string, why: 'expired' | 'overflowed' | 'cleared'): void {
    const forwarded = this.find(message, group);
    if (!forwarded) return;
    forwarded.outcome = why;
    forwarded.droppedAt = this.now();
  }

  /** What processing has to say about a message that was published: a rule that ran, a script that failed. */
  noted(messageId: string, by: string, text: string): void {
    const entry = this.capacity === 0 ? undefined : this.byId.get(messageId);
    if (!entry) return;
    if (entry.notes === NONE) entry.notes = [];
    if (entry.notes.length < MAX_KEPT) entry.notes.push({ at: this.now(), by, text });
  }

  /** A sign-in or an uplink was not taken. */
  refused(refusal: Refusal): void {
    if (this.capacity === 0) return;
    const { body } = refusal;
    const kept = body === undefined ? refusal : { ...refusal, body: ownBytes(body) };
    this.keep({ kind: 'refused', seq: ++this.lastSeq, at: this.now(), refusal: kept });
    this.forget();
  }

  /** What became of a message in one group, or in the group that has done most about it; null when unknown. */
  fate(messageId: string, group?: string): Fate | null {
    const entry = this.byId.get(messageId);
    if (!entry) return null;
    const found =
      group === undefined
        ? [...entry.forwarded].sort((a, b) => b.deliveries - a.deliveries)[0]
        : forwardedTo(entry, group);
    if (!found) return null;
    const answers = found.attempts.flatMap(({ answer }) => (answer === null ? [] : [answer]));
    return { outcome: found.outcome, deliveries: found.deliveries, answers };
  }

  message(messageId: string): LoggedMessage | undefined {
    return this.byId.get(messageId);
  }

  record(seq: number): LogRecord | undefined {
    return this.records[this.indexOf(seq)];
  }

  /** One page of what a search finds, newest first. */
  search(query: LogQuery): LogPage {
    const matches = matcher(query);
    const found: LogRecord[] = [];
    const newest = this.records.length - 1;
    const first = query.before === undefined ? newest : Math.min(newest, this.indexOf(query.before) - 1);
    let index = first;
    for (; index >= this.head && found.length < query.limit && first - index < MAX_SCANNED; index--) {
      const record = this.records[index];
      if (record && matches(record)) found.push(record);
    }
    const last = this.records[index + 1];
    return { records: found, next: index < this.head || !last ? null : last.seq };
  }

  /** Seqs have no gaps, so the last one tells where any other is. */
  private indexOf(seq: number): number {
    return this.records.length - 1 - (this.lastSeq - seq);
  }

  private find(message: PlatformMessage, group: string): KeptForwarded | undefined {
    if (this.capacity === 0) return undefined;
    const entry = this.byId.get(message.id);
    return entry && forwardedTo(entry, group);
  }

  private keep(entry: Kept): void {
    this.records.push(entry);
    this.bytes += bytesOf(entry);
  }

  /** Forgets the oldest records until count and bytes are within their bounds. */
  private forget(): void {
    while (
      this.records.length - this.head > this.capacity ||
      (this.bytes > this.maxBytes && this.records.length - this.head > 1)
    ) {
      const oldest = this.records[this.head];
      this.records[this.head++] = undefined;
      if (!oldest) continue;
      this.bytes -= bytesOf(oldest);
      if (oldest.kind === 'message') this.byId.delete(oldest.message.id);
    }
    if (this.head > 1_024 && this.head * 2 > this.records.length) {
      this.records = this.records.slice(this.head);
      this.head = 0;
    }
  }
}

/** A part of a socket's buffer would keep all of that in memory for as long as it is remembered. */
const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.buffer.byteLength > 2 * bytes.length + 64 ? Uint8Array.from(bytes) : bytes;

function withOwnBytes(origin: Origin | null): Origin | null {
  if (!origin?.uplink) return origin;
  const { topic, body } = origin.uplink;
  return { ...origin, uplink: { topic, body: ownBytes(body) } };
}

/** A message is for a few groups, so looking through them is quicker than a map of its own would be. */
function forwardedTo(entry: KeptMessage, group: string): KeptForwarded | undefined {
  for (const each of entry.forwarded) if (each.group === group) return each;
  return undefined;
}

function bytesOf(entry: Kept): number {
  if (entry.kind === 'refused') return entry.refusal.body?.length ?? 0;
  let sum = entry.message.body.length + (entry.origin?.uplink?.body.length ?? 0);
  for (const { message } of entry.again) sum += message.body.length;
  return sum;
}

/** The device that a record is about, as `productKey:deviceName`; null where its topic names none. */
export function deviceOf(record: LogRecord): string | null {
  if (record.kind === 'refused') return record.refusal.door === 'mqtt' ? record.refusal.who : null;
  const { message, origin } = record;
  const facts =
    (message.topic === null ? null : readTopic(message.topic)) ??
    (origin?.uplink ? readTopic(origin.uplink.topic) : null);
  return facts && facts.deviceName !== null ? `${facts.productKey}:${facts.deviceName}` : null;
}

/** In how many groups a record has which fate. */
function fatesOf(record: LogRecord): readonly RecordFate[] {
  if (record.kind === 'refused') return ['refused'];
  return record.forwarded.length === 0 ? ['unrouted'] : record.forwarded.map(({ outcome }) => outcome);
}

/** Cheap conditions first: most records fail one of them. */
function matcher(query: LogQuery): (record: LogRecord) => boolean {
  const { device, topic, keyword, from, to, origin, fate, group } = query;
  const tests: ((record: LogRecord) => boolean)[] = [];
  if (from !== undefined) tests.push(({ at }) => at >= from);
  if (to !== undefined) tests.push(({ at }) => at < to);
  // Without an origin it was handed in by whoever controls the simulator, see `Publication`.
  if (origin !== undefined) tests.push((one) => one.kind === 'message' && (one.origin?.from ?? 'control') === origin);
  if (group !== undefined || fate !== undefined) {
    tests.push((one) => {
      if (one.kind === 'refused' || group === undefined) {
        return group === undefined && (fate === undefined || fatesOf(one).includes(fate));
      }
      return one.forwarded.some((each) => each.group === group && (fate === undefined || each.outcome === fate));
    });
  }
  if (topic !== undefined) tests.push((one) => topicsOf(one).some((each) => each.includes(topic)));
  if (device !== undefined) {
    tests.push((one) => {
      // Reading a topic costs more than looking whether the name is in it at all.
      const name = device.slice(device.indexOf(':') + 1);
      if (one.kind === 'message' && !topicsOf(one).some((each) => each.includes(name))) return false;
      const found = deviceOf(one);
      return found !== null && (device.includes(':') ? found === device : found.endsWith(`:${device}`));
    });
  }
  if (keyword !== undefined) {
    const bytes = Buffer.from(keyword, 'utf8');
    const holds = (body: Uint8Array | undefined): boolean =>
      body !== undefined && Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(bytes);
    tests.push((one) => {
      if (topicsOf(one).some((each) => each.includes(keyword))) return true;
      if (one.kind === 'refused') {
        const { body, reason, who } = one.refusal;
        return reason.includes(keyword) || who.includes(keyword) || holds(body);
      }
      return holds(one.message.body) || holds(one.origin?.uplink?.body);
    });
  }
  return (record) => tests.every((test) => test(record));
}

function topicsOf(record: LogRecord): string[] {
  const own = record.kind === 'refused' ? record.refusal.topic : record.origin?.uplink?.topic;
  const forwarding = record.kind === 'refused' ? null : record.message.topic;
  return [...(own === undefined ? [] : [own]), ...(forwarding === null ? [] : [forwarding])];
}
