import { Logger } from '@nestjs/common';
import { decodeAnySize } from '../decoding/decode-large.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import { type EventSink, MessageCondemned, type Outcome, SinkUnavailable } from '../domain/event-sink.js';
import type { ProcessCounts } from '../domain/ingest-status.js';
import type { RawMessage } from '../domain/raw-message.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Delivery } from './delivery.js';
import { MessageMeter } from './message-meter.js';
import { GrowingPause } from './pause.js';
import { Room } from './room.js';
import { isBareForm, setAsideForm, undecodable } from './set-aside-form.js';

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
  /** How long stop() may take to finish what is in hand; 3 s when left out. */
  readonly stopWithinMs?: number;
  /** How bytes become events; given by tests only. */
  readonly decode?: (raw: RawMessage) => DecodedMessage | Promise<DecodedMessage>;
}

/** A message in hand: taken, not answered yet. */
interface Held {
  readonly delivery: Delivery;
  readonly bytes: number;
}

/** A message in hand that is ready to be written. */
interface Ready {
  readonly held: Held;
  message: DecodedMessage;
}

const MIB = 1024 * 1024;
/** How often a batch is tried again after an error that nobody foresaw, before its messages are tried one by one. */
const UNFORESEEN_TRIES = 5;
/** A further batch sets out beside another only when so many messages wait: small ones would cost more than they gain. */
const WORTH_A_BATCH = 100;

/**
 * Takes deliveries, decodes them, has them stored batch by batch, and only then accepts each one. It is the one place
 * that decides what an error of the store means:
 * - SinkUnavailable: hold everything, accept nothing, try again after growing pauses.
 * - MessageCondemned: halve the batch until the bad message stands alone, set that one aside, store its neighbours.
 * - anything else is a fault of ours: said as an error and tried again like an absent store. If it stays, it is looked for by
 *   halving too, and a message that fails alone is set aside with its bytes. Holding it for ever would cost more: the platform
 *   drops unanswered messages after a day, and one unanswered message blocks its whole connection in the end.
 */
export class Ingestor {
  /** Bytes in hand, and whether there is room for more. Transports give no credit back while there is none. */
  readonly room: Room;

  private readonly log = new Logger(Ingestor.name);
  private readonly decode: (raw: RawMessage) => DecodedMessage | Promise<DecodedMessage>;
  private readonly maxBatchMessages: number;
  private readonly maxBatchBytes: number;
  private readonly batchesAtOnce: number;
  private readonly stopWithinMs: number;
  private readonly pauses: GrowingPause;
  private readonly meter: MessageMeter | null;

  /** In the order of arrival, so that the first is the oldest. */
  private readonly inHand = new Set<Held>();
  private queue: Ready[] = [];
  private received = 0;
  private readonly outcomes: Record<Outcome, number> = { stored: 0, duplicate: 0, 'set-aside': 0 };

  /** How many loops are taking batches off the queue. */
  private writers = 0;
  private holdingSince: number | null = null;
  private stopping = false;
  /** Set when what is in hand stays unanswered for good. */
  private abandoned = false;
  private readonly stopSignal = new AbortController();
  private stopped: Promise<void> | null = null;
  private finished: () => void = () => undefined;

  constructor(
    private readonly sink: EventSink,
    options: IngestorOptions,
    private readonly metrics: Metrics | null = null,
  ) {
    this.decode = options.decode ?? ((raw) => decodeAnySize(raw, { bodyIdentity: options.bodyIdentity }));
    this.room = new Room(options.maxBytesInHand ?? 64 * MIB);
    this.maxBatchMessages = options.maxBatchMessages ?? 2_000;
    this.maxBatchBytes = options.maxBatchBytes ?? 16 * MIB;
    this.batchesAtOnce = options.batchesAtOnce ?? 1;
    this.stopWithinMs = options.stopWithinMs ?? 3_000;
    this.meter = metrics && new MessageMeter(metrics);
    metrics?.reportsWhenRead(() => {
      this.meter?.report();
      metrics.inHandMessages.set(this.inHand.size);
      metrics.inHandBytes.set(this.room.used);
    });
    this.pauses = new GrowingPause(options.firstPauseMs ?? 100, options.longestPauseMs ?? 10_000);
  }

  /** Takes over a delivery. After stop() has been called it is left unanswered: whoever sent it keeps it. */
  take(delivery: Delivery): void {
    if (this.stopping) return;
    const raw = delivery.message;
    const held: Held = { delivery, bytes: raw.body.length };
    this.received += 1;
    this.inHand.add(held);
    this.room.take(held.bytes);
    this.meter?.count(raw.transport, 'received');

    const decoded = this.tryDecode(raw);
    if (decoded instanceof Promise) void decoded.then((message) => this.enqueue({ held, message }));
    else this.enqueue({ held, message: decoded });
  }

  /** Exact whenever no batch is half accounted for, which is whenever other code runs. */
  counts(): ProcessCounts {
    const { stored, duplicate, 'set-aside': setAside } = this.outcomes;
    return { received: this.received, stored, duplicate, setAside, inHand: this.inHand.size };
  }

  bytesInHand(): number {
    return this.room.used;
  }

  /** How long the oldest message in hand has waited, in milliseconds; null when there is none. */
  lagMs(): number | null {
    for (const { delivery } of this.inHand) return Math.max(0, Date.now() - delivery.message.receivedAt.getTime());
    return null;
  }

  /** True while the store is away and everything is held. */
  isHolding(): boolean {
    return this.holdingSince !== null;
  }

  /**
   * Takes nothing more, finishes what is in hand if the store works and time allows, and leaves the rest unanswered.
   * May be called by every transport: all get the same promise.
   */
  stop(): Promise<void> {
    this.stopped ??= this.finish();
    return this.stopped;
  }

  private async finish(): Promise<void> {
    this.stopping = true;
    this.stopSignal.abort();
    if (this.inHand.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.stopWithinMs);
        this.finished = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.abandoned = true;
    if (this.inHand.size > 0) {
      this.log.warn({ msg: 'Stopped with messages unanswered; they will be sent again', messages: this.inHand.size });
    }
  }

  private tryDecode(raw: RawMessage): DecodedMessage | Promise<DecodedMessage> {
    try {
      const decoded = this.decode(raw);
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
      await this.store(this.nextBatch(), UNFORESEEN_TRIES);
    }
    this.writers -= 1;
    if (this.inHand.size === 0 || this.abandoned) this.finished();
  }

  private nextBatch(): readonly Ready[] {
    let bytes = 0;
    let size = 0;
    for (const { held } of this.queue) {
      bytes += held.bytes;
      if (size > 0 && (size >= this.maxBatchMessages || bytes > this.maxBatchBytes)) break;
      size += 1;
    }
    return this.queue.splice(0, size);
  }

  /** Returns when every message of the batch is accepted, or when all is abandoned. */
  private async store(batch: readonly Ready[], triesLeft: number): Promise<void> {
    let tries = triesLeft;
    while (!this.abandoned) {
      const lastTry = this.stopping;
      try {
        const outcomes = await this.sink.write(batch.map(({ message }) => message));
        if (outcomes.length !== batch.length) throw new Error('The store did not say what became of every message');
        this.settle(batch, outcomes);
        return;
      } catch (error) {
        const unforeseen = !(error instanceof SinkUnavailable || error instanceof MessageCondemned);
        if (unforeseen) this.log.error({ msg: 'Writing failed; this is a fault of ours', err: error, tries });
        if (error instanceof MessageCondemned || (unforeseen && tries <= 0)) {
          if (batch.length > 1) {
            const half = Math.ceil(batch.length / 2);
            const remaining = unforeseen ? 0 : tries;
            await this.store(batch.slice(0, half), remaining);
            await this.store(batch.slice(half), remaining);
            return;
          }
          if (this.giveUpOnEvents(batch, error)) continue;
        }
        if (unforeseen) tries -= 1;
        this.hold(error);
        if (lastTry) this.abandoned = true;
        else await this.pause();
      }
    }
  }

  /** @returns false when the message was in its barest form already. */
  private giveUpOnEvents(batch: readonly Ready[], error: unknown): boolean {
    const [alone] = batch;
    if (alone === undefined || isBareForm(alone.message)) return false;
    const condemned = error instanceof MessageCondemned;
    this.log.warn({
      msg: 'A message that cannot be stored is set aside',
      key: alone.message.key,
      reason: condemned ? error.message : String(error),
    });
    alone.message = setAsideForm(
      alone.message,
      condemned ? error.message : 'Writing this message failed, by a fault of the service.',
    );
    return true;
  }

  private settle(batch: readonly Ready[], outcomes: readonly Outcome[]): void {
    this.healed();
    const now = Date.now();
    this.metrics?.batchMessages.observe(batch.length);
    batch.forEach(({ held, message }, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined) return; // the lengths were compared before
      this.outcomes[outcome] += 1;
      this.inHand.delete(held);
      this.room.give(held.bytes);
      this.measure(message, outcome, now);
      try {
        held.delivery.accept();
      } catch (error) {
        this.log.error({ msg: 'A transport failed to accept a message; it will be sent again', err: error });
      }
    });
  }

  private measure({ raw, refusal }: DecodedMessage, outcome: Outcome, now: number): void {
    if (this.metrics === null) return;
    const { transport } = raw;
    this.meter?.count(transport, outcome);
    this.metrics.receiveToCommit.observe({ transport }, Math.max(0, now - raw.receivedAt.getTime()) / 1000);
    if (outcome === 'set-aside' && refusal !== null) this.metrics.setAside.inc({ transport, reason: refusal.reason });
  }

  private hold(error: unknown): void {
    if (this.holdingSince !== null) return;
    this.holdingSince = performance.now();
    this.log.warn({
      msg: 'The store cannot be written to: holding what is in hand and accepting nothing until it can',
      reason: reasonOf(error),
      messages: this.inHand.size,
    });
  }

  private healed(): void {
    this.pauses.reset();
    if (this.holdingSince === null) return;
    const awayMs = Math.round(performance.now() - this.holdingSince);
    this.metrics?.databaseUnavailableSeconds.inc(awayMs / 1000);
    this.holdingSince = null;
    this.log.log({ msg: 'The store can be written to again', awayMs, messages: this.inHand.size });
  }

  /** Ends at once when the service is told to stop. */
  private pause(): Promise<void> {
    const { signal } = this.stopSignal;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, this.pauses.next());
      signal.addEventListener('abort', end);
    });
  }
}

/** One line: the error and what caused it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
