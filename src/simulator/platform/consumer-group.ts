import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { Answer } from './fate.js';
import { Fifo } from './fifo.js';
import type { MessageTrace } from './message-log.js';
import type { PlatformMessage } from './platform-message.js';
import type { Random } from '../random.js';
import { TokenBucket } from './token-bucket.js';

/** A connected client with its receiver link, as its group sees it. */
export interface Client {
  readonly clientId: string;
  /** How many messages it may be sent now: its credit, less what is on its way. */
  room(): number;
  send(delivery: QueuedMessage): void;
}

/** One group's copy of a message, until it is accepted or given up. */
export interface QueuedMessage {
  readonly message: PlatformMessage;
  /** How often it was sent so far. */
  deliveries: number;
  /** On the clock of `performance.now()`: not to be sent again before. */
  notBefore: number;
}

export interface GroupCounts {
  /** Messages that came to the group. */
  readonly published: number;
  /** Deliveries sent, first ones and repeated ones. */
  readonly sent: number;
  /** Deliveries that were not the first of their message. */
  readonly redelivered: number;
  readonly accepted: number;
  /** Sent and waiting for an answer. */
  readonly unsettled: number;
  /** Waiting to be sent or sent again. */
  readonly queued: number;
  /** Given up: older than a day, or the queue was full. */
  readonly dropped: number;
}

export interface GroupRules {
  /** Random client of the group, or always the one that came first (Living, protocol 4.3). */
  readonly sharing: 'random' | 'oldest';
  readonly redeliverAfterMs: number;
  readonly retentionMs: number;
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
  /** Messages/s to one connection in real time and to the whole group from the backlog; null is without limit. */
  readonly realtimePerSecond: number | null;
  readonly backlogPerSecond: number | null;
}

interface ReadyClient {
  readonly client: Client;
  readonly tokens: TokenBucket;
  room: number;
}

/** Of six messages to send at most one is taken from the backlog while there are new ones: backlog delays nothing. */
const BACKLOG_SHARE = 6;

/**
 * The queues of one consumer group (protocol 4): a real-time queue, and a backlog of what could not be delivered or was
 * not accepted. Each message goes to one client and again, under the same id, until one accepts it or a day has passed.
 */
export class ConsumerGroup {
  private readonly realtime = new Fifo<QueuedMessage>();
  private readonly backlog = new Fifo<QueuedMessage>();
  /** Failed messages on their way back to the backlog; all wait equally long, so the oldest is always the next. */
  private readonly resting = new Fifo<QueuedMessage>();
  private readonly clients = new Map<Client, TokenBucket>();
  private readonly backlogTokens: TokenBucket;
  private queuedBytes = 0;
  private turn = 0;
  private pumping = false;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private readonly count = { published: 0, sent: 0, redelivered: 0, accepted: 0, unsettled: 0, dropped: 0 };

  constructor(
    readonly id: string,
    private readonly rules: GroupRules,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly trace: MessageTrace,
    private readonly log: Log,
  ) {
    this.backlogTokens = new TokenBucket(rules.backlogPerSecond);
  }

  get counts(): GroupCounts {
    return { ...this.count, queued: this.realtime.length + this.backlog.length + this.resting.length };
  }

  get clientCount(): number {
    return this.clients.size;
  }

  publish(message: PlatformMessage): void {
    this.count.published++;
    const queued: QueuedMessage = { message, deliveries: 0, notBefore: 0 };
    (this.clients.size > 0 ? this.realtime : this.backlog).push(queued);
    this.queuedBytes += message.body.length;
    this.makeRoom();
    this.wake();
  }

  join(client: Client): void {
    this.clients.set(client, new TokenBucket(this.rules.realtimePerSecond));
    this.wake();
  }

  leave(client: Client): void {
    this.clients.delete(client);
  }

  /** A client answered, or never will. Anything but an accept brings the message back. */
  answered(queued: QueuedMessage, answer: Answer): void {
    this.count.unsettled--;
    this.trace.answered(queued.message, this.id, answer);
    if (answer === 'accepted') {
      this.count.accepted++;
    } else if (!this.closed) {
      this.queuedBytes += queued.message.body.length;
      // A lost connection is no fault of the message: another client may have it at once.
      queued.notBefore = answer === 'lost' ? 0 : performance.now() + this.rules.redeliverAfterMs;
      (answer === 'lost' ? this.backlog : this.resting).push(queued);
      this.makeRoom();
      this.wake();
    }
  }

  /** Something changed (a message, credit, an answer): send what can be sent, once for all changes of this turn. */
  wake(): void {
    if (this.pumping || this.closed) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      this.pump();
    });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private pump(): void {
    if (this.closed) return;
    const now = performance.now();
    for (let next = this.resting.peek(); next && next.notBefore <= now; next = this.resting.peek()) {
      this.resting.shift();
      this.backlog.push(next);
    }
    let { ready, throttled } = this.readyClients(now);
    while (ready.length > 0) {
      const queue = this.nextQueue(now);
      if (queue === undefined) break;
      const index = this.rules.sharing === 'oldest' ? 0 : Math.floor(this.random.next() * ready.length);
      const chosen = ready[index];
      if (chosen === undefined) break;
      if (queue === this.realtime && !chosen.tokens.take(now)) {
        throttled = true;
        ready = ready.filter((other) => other !== chosen);
        continue;
      }
      const queued = queue.shift();
      if (queued === undefined) break;
      if (queue === this.backlog) this.backlogTokens.take(now);
      this.queuedBytes -= queued.message.body.length;
      if (this.isExpired(queued)) {
        this.drop(queued, 'expired');
        continue;
      }
      this.deliver(queued, chosen.client);
      if (--chosen.room <= 0) ready = ready.filter((other) => other !== chosen);
    }
    if (this.backlog.length > 0 && !this.backlogTokens.has(now)) throttled = true;
    this.sleep(now, throttled);
  }

  private readyClients(now: number): { ready: ReadyClient[]; throttled: boolean } {
    const ready: ReadyClient[] = [];
    let throttled = false;
    for (const [client, tokens] of this.clients) {
      const room = client.room();
      if (room > 0 && tokens.has(now)) ready.push({ client, tokens, room });
      else if (room > 0 && this.realtime.length > 0) throttled = true;
      // The oldest live connection of an appKey receives, also while it has no credit (protocol 4.3).
      if (this.rules.sharing === 'oldest') break;
    }
    return { ready, throttled };
  }

  private nextQueue(now: number): Fifo<QueuedMessage> | undefined {
    const backlog = this.backlog.length > 0 && this.backlogTokens.has(now);
    if (this.realtime.length === 0) return backlog ? this.backlog : undefined;
    return backlog && ++this.turn % BACKLOG_SHARE === 0 ? this.backlog : this.realtime;
  }

  private deliver(queued: QueuedMessage, client: Client): void {
    queued.deliveries++;
    this.count.sent++;
    this.count.unsettled++;
    if (queued.deliveries > 1) this.count.redelivered++;
    this.trace.sent(queued.message, this.id, client.clientId);
    client.send(queued);
  }

  /** Come back when the first resting message is due, or soon where only a rate limit holds messages up. */
  private sleep(now: number, throttled: boolean): void {
    const due = this.resting.peek()?.notBefore;
    const waits = [...(throttled ? [10] : []), ...(due === undefined ? [] : [Math.max(1, due - now)])];
    clearTimeout(this.timer);
    if (waits.length > 0) this.timer = setTimeout(() => this.pump(), Math.min(...waits));
  }

  private isExpired(queued: QueuedMessage): boolean {
    return this.clock.now() - queued.message.publishedAt > this.rules.retentionMs;
  }

  /** Gives up the oldest messages once nobody takes them: after a day, or when there are too many. */
  private makeRoom(): void {
    for (;;) {
      const oldest = this.backlog.peek() ? this.backlog : this.realtime;
      const candidate = oldest.peek();
      if (candidate === undefined) return;
      const full = this.counts.queued > this.rules.maxQueued || this.queuedBytes > this.rules.maxQueuedBytes;
      if (!full && !this.isExpired(candidate)) return;
      oldest.shift();
      this.queuedBytes -= candidate.message.body.length;
      this.drop(candidate, full ? 'overflowed' : 'expired');
    }
  }

  private drop(queued: QueuedMessage, why: 'expired' | 'overflowed'): void {
    this.trace.dropped(queued.message, this.id, why);
    // Said at 1, 10, 100, …: a group that nobody reads drops as many messages as the fleet sends.
    if (Number.isInteger(Math.log10(++this.count.dropped))) {
      this.log.warn('dropping the oldest messages of a group that does not take them', {
        group: this.id,
        why,
        dropped: this.count.dropped,
      });
    }
  }
}
