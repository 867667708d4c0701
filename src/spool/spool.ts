import { type FileHandle, mkdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metrics } from '../telemetry/metrics.js';
import { NumberRanges } from './number-ranges.js';
import { DAMAGED, DamageReport } from './spool-damage.js';
import { ownFolder } from './spool-owner.js';
import { encodeRecord, readRecords, type SpoolRecord } from './spool-record.js';
import { recover, type Recovered } from './spool-recovery.js';
import { HEADER_BYTES, makeSegment, readRange, type Segment } from './spool-segment.js';
import { decodeSpooled, encodeSpooled, type SpooledMessage } from './spooled-message.js';

export interface SpoolOptions {
  readonly folder: string;
  /** All files of the spool together take no more than this. */
  readonly maxBytes: number;
  /** A file that has grown to this is closed; what is stored is removed by whole files. 16 MiB when left out. */
  readonly segmentBytes?: number;
}

/** The folder or its disk does not do what a spool needs. */
export class SpoolUnusable extends Error {
  override readonly name = 'SpoolUnusable';
}

/** What a spool holds. */
export interface SpoolState {
  /** Accepted and not stored yet. */
  readonly messages: number;
  /** On the disk, and how many there may be. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Bytes that could not be read; copies of them are in the folder `damaged`. */
  readonly damagedBytes: number;
  /** Why nothing could be written the last time; null when it could. */
  readonly lastError: string | null;
}

/** The next messages to be stored, in the order of their receipt. */
export interface SpoolBatch {
  readonly messages: readonly (SpooledMessage & { readonly number: number })[];
  /** Everything up to this number is in `messages`, was read before, or cannot be read any more. */
  readonly upTo: number;
}

const MIB = 1024 * 1024;
/** How much is read at once, unless one record is longer. */
const READ_BYTES = MIB;

/**
 * Messages that wait on the disk while the database is away: an append-only log in files of some MiB. What `append` said yes
 * to outlives any crash. Every record has a checksum; what cannot be read is told, and its bytes are kept.
 */
export class Spool {
  /** UUID: what was stored of this spool is noted under it. */
  readonly id: string;
  /** Messages up to this number were left by earlier processes. */
  readonly recoveredUpTo: number;

  private readonly held = new NumberRanges();
  private readonly segments: Segment[];
  private nextNumber: number;
  private writing: FileHandle | null = null;
  /** Where the next read begins, and the last number handed out. */
  private cursor: { first: number; offset: number };
  private readUpTo = 0;
  private releasedUpTo = 0;
  private lastError: string | null = null;
  /** What changes files comes one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly options: SpoolOptions,
    recovered: Recovered,
    private readonly damage: DamageReport,
    private readonly giveUp: () => Promise<void>,
  ) {
    this.id = recovered.spool;
    this.segments = [...recovered.segments];
    for (const number of recovered.numbers) this.held.add(number);
    this.nextNumber = recovered.nextNumber;
    this.recoveredUpTo = recovered.nextNumber - 1;
    this.cursor = { first: this.segments[0]?.first ?? this.nextNumber, offset: HEADER_BYTES };
  }

  /**
   * Opens the spool of a folder, which is made if need be, and looks through all that it holds.
   * @throws SpoolInUse, SpoolUnusable
   */
  static async open(options: SpoolOptions, metrics: Metrics | null = null): Promise<Spool> {
    const { folder } = options;
    const unusable = (error: unknown) =>
      new SpoolUnusable(`SPOOL_DIR ${folder} cannot be used: ${reasonOf(error)}`, { cause: error });
    await mkdir(join(folder, DAMAGED), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw unusable(error);
    });
    const giveUp = await ownFolder(folder);
    const damage = new DamageReport(metrics);
    try {
      return new Spool(options, await recover(folder, damage), damage, giveUp);
    } catch (error) {
      await giveUp();
      throw unusable(error);
    }
  }

  /** Accepted and not stored yet. */
  get messages(): number {
    return this.held.size;
  }

  state(): SpoolState {
    return {
      messages: this.held.size,
      bytes: this.bytes,
      maxBytes: this.options.maxBytes,
      damagedBytes: this.damage.bytes,
      lastError: this.lastError,
    };
  }

  /**
   * Puts messages on the disk, all of them or none.
   * @param written called in the moment from which on they count as held here.
   * @returns false when there is no room for them, or the disk does not take them: `state().lastError` says why.
   */
  append(messages: readonly SpooledMessage[], written: () => void = () => undefined): Promise<boolean> {
    return this.inTurn(() => this.write(messages, written));
  }

  /** @returns the messages behind those that were read before; null when there are no more for now. */
  async read(): Promise<SpoolBatch | null> {
    for (;;) {
      const segment = this.segments.find(({ first }) => first === this.cursor.first) ?? this.segments[0];
      if (segment === undefined) return null;
      if (segment.first !== this.cursor.first) this.cursor = { first: segment.first, offset: HEADER_BYTES };
      if (this.cursor.offset < segment.bytes) {
        const records = await this.readRecords(segment);
        if (records.length > 0) return this.handOut(records);
        continue;
      }
      const next = this.segments[this.segments.indexOf(segment) + 1];
      if (next === undefined) return this.held.countBetween(this.readUpTo, Infinity) > 0 ? this.handOut([]) : null;
      this.cursor = { first: next.first, offset: HEADER_BYTES };
    }
  }

  /**
   * Forgets messages that are stored, or cannot be read: all up to and including this number. Whole files go as soon as
   * nothing in them is needed.
   * @returns how many messages those were.
   */
  release(upTo: number): number {
    const released = this.held.removeUpTo(upTo);
    this.releasedUpTo = Math.max(this.releasedUpTo, upTo);
    if (released > 0) this.lastError = null; // there is room again, or will be in a moment
    void this.inTurn(() => this.removeStored(upTo));
    return released;
  }

  /** Waits for what is being written or removed, and gives the folder up. */
  async close(): Promise<void> {
    await this.inTurn(() => this.stopWriting());
    await this.giveUp();
  }

  private get bytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async write(messages: readonly SpooledMessage[], written: () => void): Promise<boolean> {
    const first = this.nextNumber;
    const bytes = Buffer.concat(
      messages.map((message, index) => encodeRecord({ number: first + index, held: encodeSpooled(message) })),
    );
    if (this.bytes + bytes.length + HEADER_BYTES > this.options.maxBytes) {
      this.lastError = `it is full: SPOOL_MAX_BYTES is ${this.options.maxBytes}`;
      return false;
    }
    try {
      const { segment, file } = await this.writable();
      await this.writeBehind(segment, file, bytes);
      segment.last = first + messages.length - 1;
    } catch (error) {
      this.lastError = reasonOf(error);
      return false;
    }
    this.nextNumber += messages.length;
    for (let number = first; number < this.nextNumber; number++) this.held.add(number);
    this.lastError = null;
    written();
    return true;
  }

  private async writeBehind(segment: Segment, file: FileHandle, bytes: Buffer): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += (await file.write(bytes, at, bytes.length - at, segment.bytes + at)).bytesWritten;
      }
      await file.datasync();
    } catch (error) {
      // What a failed write or sync leaves behind is not to be trusted: this file gets nothing more.
      await this.stopWriting();
      await truncate(segment.path, segment.bytes).catch(() => undefined);
      throw error;
    }
    segment.bytes += bytes.length;
  }

  /** The file to write to: the last one, unless it is large enough or was given up. */
  private async writable(): Promise<{ readonly segment: Segment; readonly file: FileHandle }> {
    const segment = this.segments.at(-1);
    if (this.writing !== null && segment && segment.bytes < (this.options.segmentBytes ?? 16 * MIB)) {
      return { segment, file: this.writing };
    }
    return this.openNext();
  }

  private async openNext(): Promise<{ readonly segment: Segment; readonly file: FileHandle }> {
    await this.stopWriting();
    const made = await makeSegment(this.options.folder, this.id, this.nextNumber);
    // One that has nothing but its header is made anew.
    if (this.segments.at(-1)?.first === this.nextNumber) this.segments.pop();
    this.segments.push(made.segment);
    this.writing = made.file;
    return made;
  }

  private async stopWriting(): Promise<void> {
    const file = this.writing;
    this.writing = null;
    await file?.close();
  }

  private async removeStored(upTo: number): Promise<void> {
    for (const segment of this.segments.filter(({ last, bytes }) => last <= upTo && bytes > HEADER_BYTES)) {
      if (segment === this.segments.at(-1)) {
        // The next number must outlive a restart, for none may ever be given twice: an empty file bears it.
        if (this.nextNumber - 1 > upTo) return;
        try {
          await this.openNext();
        } catch (error) {
          this.lastError = reasonOf(error); // no room even for that: the file stays until there is
          return;
        }
      }
      this.segments.splice(this.segments.indexOf(segment), 1);
      await rm(segment.path, { force: true });
    }
  }

  /** Reads some records at the cursor and moves it behind them. */
  private async readRecords(segment: Segment): Promise<readonly SpoolRecord[]> {
    const { offset } = this.cursor;
    for (let length = READ_BYTES; ; length *= 4) {
      const end = Math.min(segment.bytes, offset + length);
      const bytes = await readRange(segment.path, offset, end);
      const { records, damages } = readRecords(bytes, offset);
      // What the end of what was read cuts in two, or may hide the beginning of, is where the next read begins.
      const cut = end < segment.bytes ? damages.find(({ to }) => to === end) : undefined;
      if (cut !== undefined && records.length === 0) continue;
      for (const damage of damages) {
        if (damage === cut) continue;
        await this.damage.tell(segment.path, damage, bytes.subarray(damage.from - offset, damage.to - offset), false);
      }
      this.cursor = { first: segment.first, offset: cut?.from ?? end };
      return records;
    }
  }

  private handOut(records: readonly SpoolRecord[]): SpoolBatch {
    const upTo = records.at(-1)?.number ?? this.nextNumber - 1;
    this.readUpTo = upTo;
    const wanted = records.filter(({ number }) => number > this.releasedUpTo);
    return { messages: wanted.map(({ number, held }) => ({ ...decodeSpooled(held), number })), upTo };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
