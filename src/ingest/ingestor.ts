import { Logger } from '@nestjs/common';
import { decodeAnySize } from '../decoding/decode-large.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { EventSink, Outcome } from '../domain/event-sink.js';
import { sumOfFacts } from '../domain/facts.js';
import type { ProcessCounts, SpoolStatus } from '../domain/ingest-status.js';
import type { RawMessage } from '../domain/raw-message.js';
import type { SpoolPositions } from '../domain/replica-board.js';
import type { Spool } from '../spool/spool.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Delivery } from './delivery.js';
import { type AfterFailure, type Entry, IsolatingWriter } from './isolating-writer.js';
import { Ledger } from './ledger.js';
import { GrowingPause, wait } from './pause.js';
import { receivedCounts } from './received-counts.js';
import { Room } from './room.js';
import { undecodable } from './set-aside-form.js';
import { SpoolDrain } from './spool-drain.js';
import { SpoolPace } from './spool-pace.js';
import { StoreHealth } from './store-health.js';

export interface IngestorOptions {
  /** Promise 6: whom a body on a custom or foreign topic may name. */
  readonly bodyIdentity: 'topic' | 'any';
  /** Above this many bytes in hand no more are taken; 64 MiB when left out. */
  readonly maxBytesInHand?: number;
  /** A batch ends before it would hold more messages or bytes than these. */
  readonly maxBatchMessages?: number;
  readonly maxBatchBytes?: number;
  /** How many batches may be on their way to the store at once; 1 when left out. */
  readonly batchesAtOnce?: number;
  /** The first and the longest pause between tries while the store is away. */
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  /** How long the store is waited for before messages go into the spool; 5 s when left out. */
  readonly spoolAfterMs?: number;
  /** How long stop() may take to finish what is in hand; 3 s when left out. */
  readonly stopWithinMs?: number;
  /** How bytes become events; given by tests only. */
  readonly decode?: (raw: RawMessage) => DecodedMessage | Promise<DecodedMessage>;
}

/** Where messages go while the store is away, and up to where they were stored. */
export interface Spooling {
  readonly spool: Spool;
  readonly positions: SpoolPositions;
}

/** A message in hand: taken, not answered yet. */
interface Held {
  readonly delivery: Delivery;
  readonly bytes: number;
  /** On the clock of `performance.now()`. */
  readonly takenMs: number;
}

/** A message in hand that is ready to be written. */
interface Ready extends Entry {
  readonly held: Held;
}

const MIB = 1024 * 1024;
/** A further batch sets out beside another only when so many messages wait: small ones would cost more than they gain. */
const WORTH_A_BATCH = 100;
/** Readings and events of a batch, and from how many on a message goes alone. */
const MAX_BATCH_FACTS = 20_000;
const HEAVY_FACTS = 2_000;
/** How long it may take to say, at the end, that this is the end. */
const LAST_WORDS_WITHIN_MS = 1_000;
/** How often the queue is looked at for messages that have waited too long. */
const LOOK_EVERY_MS = 500;

/**
 * Takes deliveries, decodes them, has them stored batch by batch, and only then accepts each one. While the store is away, it
 * holds everything and accepts nothing, or, with a spool, has what waits for longer than a few seconds put on the disk and
 * accepts that.
 */
export class Ingestor {
  /** Bytes in hand, and whether there is room for more. Transports give no credit back while there is none. */
  readonly room: Room;
  /** Transports count here what they receive. */
  readonly ledger: Ledger;

  private readonly log = new Logger(Ingestor.name);
  private readonly decode: (raw: RawMessage) => DecodedMessage | Promise<DecodedMessage>;
  private readonly maxBatchMessages: number;
  private readonly maxBatchBytes: number;
  private readonly batchesAtOnce: number;
  private readonly spoolAfterMs: number;
  private readonly stopWithinMs: number;
  private readonly pauses: GrowingPause;
  private readonly writer: IsolatingWriter;
  private readonly health: StoreHealth;
  private readonly pace = new SpoolPace();
  private readonly spool: Spool | null;
  private readonly drain: SpoolDrain | null;
  private readonly lookTimer: NodeJS.Timeout | undefined;

  /** In the order of arrival, so that the first is the oldest. */
  private readonly inHand = new Set<Held>();
  private queue: Ready[] = [];

  /** How many loops are taking batches off the queue. */
  private writers = 0;
  private stopping = false;
  /** Set when what is in hand stays unanswered for good. */
  private abandoned = false;
  private readonly stopSignal = new AbortController();
  private stopped: Promise<void> | null = null;
  private finished: () => void = () => undefined;
  private readonly lastWords: (() => Promise<void>)[] = [];

  constructor(
    sink: EventSink,
    options: IngestorOptions,
    private readonly metrics: Metrics | null = null,
    spooling: Spooling | null = null,
  ) {
    const decode = options.decode ?? ((raw) => decodeAnySize(raw, { bodyIdentity: options.bodyIdentity }));
    this.decode = (raw) => this.tryDecode(raw, decode);
    this.room = new Room(options.maxBytesInHand ?? 64 * MIB);
    this.maxBatchMessages = options.maxBatchMessages ?? 2_000;
    this.maxBatchBytes = options.maxBatchBytes ?? 16 * MIB;
    this.batchesAtOnce = options.batchesAtOnce ?? 1;
    this.spoolAfterMs = options.spoolAfterMs ?? 5_000;
    this.stopWithinMs = options.stopWithinMs ?? 3_000;
    const pauses = (): GrowingPause => new GrowingPause(options.firstPauseMs ?? 100, options.longestPauseMs ?? 10_000);
    this.pauses = pauses();
    this.writer = new IsolatingWriter(sink);
    this.health = new StoreHealth(metrics);
    this.ledger = new Ledger(metrics);
    this.spool = spooling?.spool ?? null;
    this.drain =
      spooling &&
      new SpoolDrain({
        ...spooling,
        writer: this.writer,
        ledger: this.ledger,
        health: this.health,
        pace: this.pace,
        pauses: pauses(),
        decode: this.decode,
        settled: () => this.check(),
      });
    if (this.drain) {
      this.drain.start();
      this.lookTimer = setInterval(() => this.relieveQueue(), LOOK_EVERY_MS);
      this.lookTimer.unref();
    }
    metrics?.reportsWhenRead(() => this.report(metrics));
  }

  /** Takes over a delivery. After stop() has been called it is left unanswered: whoever sent it keeps it. */
  take(delivery: Delivery): void {
    const raw = delivery.message;
    if (this.stopping) {
      this.ledger.leftUnanswered(raw.transport);
      return;
    }
    const held: Held = { delivery, bytes: raw.body.length, takenMs: performance.now() };
    this.inHand.add(held);
    this.room.take(held.bytes);

    const decoded = this.decode(raw);
    if (decoded instanceof Promise) void decoded.then((message) => this.enqueue({ held, message }));
    else this.enqueue({ held, message: decoded });
  }

  /** Exact whenever no batch is half accounted for, which is whenever other code runs. */
  counts(): ProcessCounts {
    return this.ledger.counts(this.heldNow());
  }

  bytesInHand(): number {
    return this.room.used;
  }

  /** How long the oldest message in hand has waited, in milliseconds; null when there is none. */
  lagMs(): number | null {
    for (const { delivery } of this.inHand) return Math.max(0, Date.now() - delivery.message.receivedAt.getTime());
    return null;
  }

  /** True while the store is away. */
  isHolding(): boolean {
    return this.health.awayMs !== null;
  }

  spoolStatus(): SpoolStatus | null {
    return this.spool && this.pace.status(this.spool.state(), this.isHolding(), performance.now(), Date.now());
  }

  /** What is to be done once all is stopped, and before stop() returns. */
  beforeStopped(work: () => Promise<void>): void {
    this.lastWords.push(work);
  }

  /**
   * Takes nothing more, finishes what is in hand if the store (or the spool) works and time allows, and leaves the rest
   * unanswered. May be called by every transport: all get the same promise.
   */
  stop(): Promise<void> {
    this.stopped ??= this.finish();
    return this.stopped;
  }

  private async finish(): Promise<void> {
    this.stopping = true;
    this.stopSignal.abort();
    clearInterval(this.lookTimer);
    if (this.inHand.size > 0) await wait(this.stopWithinMs, this.finishedSignal());
    this.abandoned = true;
    if (this.inHand.size > 0) {
      this.log.warn({ msg: 'Stopped with messages unanswered; they will be sent again', messages: this.inHand.size });
    }
    const done = new AbortController();
    const rest = this.closeSpool().then(() => Promise.all(this.lastWords.map((work) => work())));
    await Promise.race([rest, wait(LAST_WORDS_WITHIN_MS, done.signal)]);
    done.abort();
  }

  private finishedSignal(): AbortSignal {
    const controller = new AbortController();
    this.finished = () => controller.abort();
    return controller.signal;
  }

  private async closeSpool(): Promise<void> {
    await this.drain?.stop();
    await this.spool?.close();
  }

  private tryDecode(
    raw: RawMessage,
    decode: (raw: RawMessage) => DecodedMessage | Promise<DecodedMessage>,
  ): DecodedMessage | Promise<DecodedMessage> {
    try {
      const decoded = decode(raw);
      return decoded instanceof Promise ? decoded.catch((error: unknown) => this.couldNotDecode(raw, error)) : decoded;
    } catch (error) {
      return this.couldNotDecode(raw, error);
    }
  }

  private couldNotDecode(raw: RawMessage, error: unknown): DecodedMessage {
    this.log.error({ msg: 'A message could not be decoded and is set aside; this is a fault of ours', err: error });
    return undecodable(raw, 'The decoder failed on this message.');
  }

  private enqueue(ready: Ready): void {
    this.queue.push(ready);
    this.wakeWriter();
  }

  private wakeWriter(): void {
    if (this.writers >= this.batchesAtOnce || (this.writers > 0 && this.queue.length < WORTH_A_BATCH)) return;
    this.writers += 1;
    // After this turn of the event loop, so that what came in one piece goes out in one batch.
    setImmediate(() => void this.writeQueue());
  }

  /**
   * Writes batch after batch. While the database works on one, this process prepares the other: the store's own rules make
   * batches that overlap as safe as two replicas are.
   */
  private async writeQueue(): Promise<void> {
    while (this.queue.length > 0 && !this.abandoned) {
      if (this.writers > 1 && this.queue.length < WORTH_A_BATCH) break; // the other one takes these with its next batch
      await this.store(this.nextBatch());
    }
    this.writers -= 1;
    if (this.abandoned) this.finished();
  }

  /** A message that tells very much goes alone: its neighbours need not wait for it, nor does halving write it again. */
  private nextBatch(): readonly Ready[] {
    let bytes = 0;
    let facts = 0;
    let size = 0;
    for (const { held, message } of this.queue) {
      const own = sumOfFacts(message.events);
      bytes += held.bytes;
      facts += own;
      const isFull = size >= this.maxBatchMessages || bytes > this.maxBatchBytes || facts > MAX_BATCH_FACTS;
      if (size > 0 && (isFull || own > HEAVY_FACTS)) break;
      size += 1;
      if (own > HEAVY_FACTS) break;
    }
    return this.queue.splice(0, size);
  }

  /** Returns when every message of the batch is accepted, or when all is abandoned. */
  private async store(batch: readonly Ready[]): Promise<void> {
    if (this.isAwayForLong() && (await this.putIntoSpool(batch))) return;
    let lastTry = this.stopping;
    await this.writer.write(batch, {
      note: (part) => ({ received: receivedCounts(part.map(({ held }) => held.delivery.message)) }),
      committed: (part, outcomes) => this.settle(part, outcomes),
      failed: async (part, error, begunMs): Promise<AfterFailure> => {
        this.health.failed(error, begunMs, this.inHand.size);
        if ((this.stopping || this.isAwayForLong()) && (await this.putIntoSpool(part))) return 'next';
        if (lastTry) this.abandoned = true;
        else await this.pause();
        lastTry = this.stopping;
        return this.abandoned ? 'stop' : 'again';
      },
    });
  }

  /** True when the store has been away for so long that messages go into the spool, if there is one. */
  private isAwayForLong(): boolean {
    const { awayMs } = this.health;
    return awayMs !== null && awayMs >= this.spoolAfterMs;
  }

  private pause(): Promise<void> {
    const { awayMs } = this.health;
    const untilSpool =
      this.spool && awayMs !== null && awayMs < this.spoolAfterMs ? this.spoolAfterMs - awayMs : Infinity;
    return wait(Math.min(this.pauses.next(), untilSpool), this.stopSignal.signal);
  }

  /** What waits in the queue while a slow store is busy with others goes into the spool, too, when it has waited too long. */
  private relieveQueue(): void {
    const [oldest] = this.queue;
    if (this.stopping || oldest === undefined || performance.now() - oldest.held.takenMs < this.spoolAfterMs) return;
    const batch = this.nextBatch();
    void this.putIntoSpool(batch).then((done) => {
      if (done) {
        this.relieveQueue();
        return;
      }
      this.queue.unshift(...batch);
      this.wakeWriter();
    });
  }

  /**
   * Puts messages on the disk and accepts them.
   * @returns false when there is no spool, no room in it, or when it is somebody else's by now.
   */
  private async putIntoSpool(batch: readonly Ready[]): Promise<boolean> {
    if (this.spool === null || this.drain === null || this.abandoned) return false;
    const messages = batch.map(({ message: { key, raw } }) => ({ key, raw }));
    const written = await this.spool.append(messages, () => {
      for (const { held } of batch) {
        this.pace.filled(held.bytes, performance.now());
        this.answer(held);
      }
      this.check();
    });
    if (written) this.drain.poke();
    return written;
  }

  private settle(batch: readonly Ready[], outcomes: readonly Outcome[]): void {
    this.pauses.reset();
    this.health.worked(this.inHand.size);
    const now = Date.now();
    this.metrics?.batchMessages.observe(batch.length);
    batch.forEach(({ held, message }, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined) return; // the lengths were compared before
      this.ledger.settled(message.raw.transport, outcome);
      this.measure(message, outcome, now);
      this.answer(held);
    });
    this.check();
  }

  private answer(held: Held): void {
    this.inHand.delete(held);
    this.room.give(held.bytes);
    if (this.inHand.size === 0) this.finished();
    try {
      held.delivery.accept();
    } catch (error) {
      this.log.error({ msg: 'A transport failed to accept a message; it will be sent again', err: error });
    }
  }

  private measure({ raw, refusal }: DecodedMessage, outcome: Outcome, now: number): void {
    if (this.metrics === null) return;
    const { transport } = raw;
    this.metrics.receiveToCommit.observe({ transport }, Math.max(0, now - raw.receivedAt.getTime()) / 1000);
    if (outcome === 'set-aside' && refusal !== null) this.metrics.setAside.inc({ transport, reason: refusal.reason });
  }

  private heldNow(): { inHand: number; spooled: number } {
    return { inHand: this.inHand.size, spooled: this.spool?.messages ?? 0 };
  }

  private check(): void {
    this.ledger.check(this.heldNow());
  }

  private report(metrics: Metrics): void {
    this.ledger.report();
    metrics.inHandMessages.set(this.inHand.size);
    metrics.inHandBytes.set(this.room.used);
    const spool = this.spool?.state();
    metrics.spoolMessages.set(spool?.messages ?? 0);
    metrics.spoolBytes.set(spool?.bytes ?? 0);
  }
}
