import type { ClassicLevel } from 'classic-level';
import { Fifo } from './fifo.js';
import type { GroupStore } from './group-store.js';
import type { QueuedMessage } from './queued-message.js';
import { readRecord, MessageRecord } from './record.js';
import type { WriteBehind } from './write-behind.js';

/** What is known of a group's queues besides the messages; stands on disk too. */
export interface GroupState {
  /** Of the group, in its keys. */
  readonly number: number;
  /** The last that was given to a message. */
  seq: number;
  /** All that the group is owed: backlog, real-time queue, and what waits for an answer. */
  stored: number;
  storedBytes: number;
}

/** Records that are read ahead of being sent. */
const READ_AHEAD = 512;
const READ_AHEAD_BYTES = 1_024 * 1_024;

/**
 * Kinds of keys, each followed by group and sequence number: a message in the backlog, one that never was there, and how often
 * a message was sent. After a restart all are backlog, in the order of their numbers.
 */
const BACKLOG = 'b';
const REALTIME = 'r';
const DELIVERIES = 'd';
const KINDS = [BACKLOG, REALTIME, DELIVERIES];

/**
 * The queues of one group on disk. Of the backlog only the next messages are in memory, so that it may be as deep as the disk
 * is large.
 */
export class DiskStore implements GroupStore {
  /** The oldest of the backlog, read ahead. */
  private readonly ahead = new Fifo<QueuedMessage>();
  private aheadBytes = 0;
  /** Number of the last message that was read ahead, or never was on disk alone. */
  private readUpTo = 0;
  /** Number of the last message of the backlog that is written. */
  private writtenUpTo: number;
  /** Up to here the backlog was cleared. */
  private clearedUpTo = 0;
  /** In the backlog and written, but not read ahead. */
  private unread: number;
  private count: number;
  private size: number;
  private reading = false;
  private ready: () => void = () => undefined;
  /** While what never was backlog before the restart becomes it. */
  private adoption: Promise<void> | null = null;

  constructor(
    private readonly state: GroupState,
    private readonly db: ClassicLevel<string, Buffer>,
    private readonly writes: WriteBehind,
    private readonly save: () => void,
    /** Looks after work on the disk: tells of its failure, and has the end wait for it. */
    private readonly look: (work: Promise<void>) => void,
  ) {
    this.count = state.stored;
    this.size = state.storedBytes;
    this.unread = state.stored;
    this.writtenUpTo = state.seq;
    if (state.stored > 0) {
      this.adoption = this.adopt();
      look(this.adoption);
    }
  }

  /** Deletes all of a group. */
  static async erase(state: GroupState, db: ClassicLevel<string, Buffer>, writes: WriteBehind): Promise<void> {
    await writes.flushed();
    for (const kind of KINDS) {
      await db.clear({ gte: key(kind, state.number, 0), lte: key(kind, state.number, LAST_SEQ) });
    }
  }

  /** Deletes all that belongs to none of these groups: what a process that ended too soon left of a deleted one. */
  static async eraseOthers(states: Iterable<GroupState>, db: ClassicLevel<string, Buffer>): Promise<void> {
    const numbers = [...states].map(({ number }) => number).sort((a, b) => a - b);
    for (const kind of KINDS) {
      let after = kind;
      for (const number of numbers) {
        await db.clear({ gt: after, lt: key(kind, number, 0) });
        after = key(kind, number, LAST_SEQ);
      }
      await db.clear({ gt: after, lt: `${kind}~` });
    }
  }

  get length(): number {
    return this.count;
  }

  get bytes(): number {
    return this.size;
  }

  onReady(ready: () => void): void {
    this.ready = ready;
  }

  keep(queued: QueuedMessage, kept: () => void): void {
    this.write(REALTIME, queued, kept);
  }

  push(queued: QueuedMessage): void {
    const before = queued.key;
    if (before !== '') this.forget(queued);
    this.count++;
    const seq = this.write(BACKLOG, queued, () => this.admit(queued, seq));
    this.size += queued.bytes;
    // In the same batch, behind the new one: at no time is there none.
    if (before !== '') this.erase(before);
  }

  shift(): QueuedMessage | undefined {
    const queued = this.ahead.shift();
    if (queued) {
      this.aheadBytes -= queued.bytes;
      this.count--;
      this.size -= queued.bytes;
    }
    this.readAhead();
    return queued;
  }

  oldest(): number | null {
    return this.ahead.peek()?.message.publishedAt ?? null;
  }

  sent(queued: QueuedMessage): void {
    this.writes.put(deliveriesKey(queued.key), Buffer.from(String(queued.deliveries)));
  }

  done(queued: QueuedMessage): void {
    if (queued.key === '') return;
    this.erase(queued.key);
    this.forget(queued);
  }

  clear(dropped: (queued: QueuedMessage) => void): void {
    for (let queued = this.ahead.shift(); queued; queued = this.ahead.shift()) {
      this.done(queued);
      dropped(queued);
    }
    const from = this.readUpTo;
    this.aheadBytes = 0;
    this.count = 0;
    this.size = 0;
    this.unread = 0;
    this.clearedUpTo = this.state.seq;
    this.readUpTo = this.state.seq;
    this.look(this.sweep(from, this.clearedUpTo, dropped));
  }

  /** Writes a message under a new key, and returns its number. */
  private write(kind: string, queued: QueuedMessage, written: () => void): number {
    const record = new MessageRecord(queued).toBuffer();
    const seq = ++this.state.seq;
    queued.key = key(kind, this.state.number, seq);
    queued.bytes = record.length;
    this.state.stored++;
    this.state.storedBytes += record.length;
    this.writes.put(queued.key, record, written);
    this.save();
    return seq;
  }

  /** The message is on its way out of the books; its key may still have to go. */
  private forget(queued: QueuedMessage): void {
    this.state.stored--;
    this.state.storedBytes -= queued.bytes;
    queued.key = '';
    this.save();
  }

  private erase(key: string): void {
    this.writes.delete(key);
    this.writes.delete(deliveriesKey(key));
  }

  /** A message of the backlog is written. */
  private admit(queued: QueuedMessage, seq: number): void {
    if (seq <= this.clearedUpTo) return;
    this.writtenUpTo = seq;
    const next = this.unread === 0 && !this.reading && !this.adoption;
    if (next && this.ahead.length < READ_AHEAD && this.aheadBytes < READ_AHEAD_BYTES) {
      this.ahead.push(queued);
      this.aheadBytes += queued.bytes;
      this.readUpTo = seq;
      this.ready();
    } else {
      this.unread++;
      this.readAhead();
    }
  }

  private readAhead(): void {
    if (this.reading || this.adoption || this.unread === 0 || this.ahead.length > READ_AHEAD / 2) return;
    if (this.aheadBytes > READ_AHEAD_BYTES / 2) return;
    this.reading = true;
    this.look(this.read());
  }

  private async read(): Promise<void> {
    const { number } = this.state;
    const read: QueuedMessage[] = [];
    let bytes = 0;
    const upTo = this.writtenUpTo;
    const { clearedUpTo } = this;
    for await (const [recordKey, record] of this.db.iterator({
      gt: key(BACKLOG, number, this.readUpTo),
      lte: key(BACKLOG, number, upTo),
      limit: READ_AHEAD,
    })) {
      read.push(stored(recordKey, record));
      bytes += record.length;
      if (bytes >= READ_AHEAD_BYTES) break;
    }
    const counts = await this.db.getMany(read.map((queued) => deliveriesKey(queued.key)));
    this.reading = false;
    if (clearedUpTo !== this.clearedUpTo) {
      this.readAhead(); // cleared meanwhile: what was read is gone
      return;
    }
    if (read.length === 0 && this.unread > 0) throw new RangeError(`${this.unread} messages are missing`);
    read.forEach((queued, index) => {
      queued.deliveries = Math.max(queued.deliveries, Number(counts[index]?.toString() ?? 0));
      this.ahead.push(queued);
    });
    this.aheadBytes += bytes;
    this.unread -= read.length;
    this.readUpTo = numberOf(read.at(-1)?.key ?? key(BACKLOG, number, upTo));
    this.ready();
  }

  private async adopt(): Promise<void> {
    const { number, seq } = this.state;
    const range = { gte: key(REALTIME, number, 0), lte: key(REALTIME, number, seq) };
    for await (const [realtimeKey, record] of this.db.iterator(range)) {
      this.writes.put(BACKLOG + realtimeKey.slice(1), record);
      this.writes.delete(realtimeKey);
    }
    await this.writes.flushed();
    this.adoption = null;
    this.readAhead();
  }

  /** Deletes what was in the backlog between two numbers. */
  private async sweep(from: number, upTo: number, dropped: (queued: QueuedMessage) => void): Promise<void> {
    await this.adoption;
    await this.writes.flushed();
    const { number } = this.state;
    const range = { gt: key(BACKLOG, number, from), lte: key(BACKLOG, number, upTo) };
    for await (const [recordKey, record] of this.db.iterator(range)) {
      const queued = stored(recordKey, record);
      this.done(queued);
      dropped(queued);
    }
  }
}

const LAST_SEQ = Number.MAX_SAFE_INTEGER;

/** Of equal length for all numbers, so that their order is that of the numbers. */
const key = (kind: string, group: number, seq: number): string =>
  kind + group.toString(16).padStart(8, '0') + seq.toString(16).padStart(14, '0');

const numberOf = (recordKey: string): number => Number.parseInt(recordKey.slice(9), 16);

const deliveriesKey = (recordKey: string): string => DELIVERIES + recordKey.slice(1);

function stored(recordKey: string, record: Buffer): QueuedMessage {
  const queued = readRecord(record);
  queued.key = recordKey;
  queued.bytes = record.length;
  return queued;
}
