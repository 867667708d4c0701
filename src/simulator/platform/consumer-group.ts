import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { Random } from '../random.js';
import type { Alarm, BacklogPace, Moment } from './backlog-pace.js';
import { backlogPace, type GroupRules } from './delivery-rules.js';
import type { Answer } from './fate.js';
import { Fifo } from './fifo.js';
import type { GroupStore } from './group-store.js';
import { MemoryStore } from './memory-store.js';
import type { MessageTrace } from './message-log.js';
import { Consumption } from './per-minute.js';
import type { PlatformMessage } from './platform-message.js';
import { queuedMessage, type QueuedMessage } from './queued-message.js';
import { Shares } from './shares.js';
import { TokenBucket } from './token-bucket.js';

/** A connected client with its receiver link, as its group sees it. */
export interface Client {
  readonly clientId: string;
  /** Its address and port. */
  readonly peer: string;
  /** How many messages it may be sent now: its credit, less what is on its way. */
  room(): number;
  send(delivery: QueuedMessage): void;
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
  /** Given up: older than a day, or the queue was full, or the backlog was cleared. */
  readonly dropped: number;
}

/** What QueryConsumerGroupStatus tells of a client (protocol 10). */
export interface ClientStatus {
  readonly clientId: string;
  readonly clientIpPort: string;
  /** When it began to receive, milliseconds since 1970 by the simulated clock. */
  readonly onlineTime: number;
  /** Messages accepted in the last minute of the world's time. */
  readonly realTimeConsumeCountPerMinute: number;
  readonly accumulatedConsumeCountPerMinute: number;
}

/** What QueryConsumerGroupStatus tells of a group (protocol 10). */
export interface GroupStatus {
  /** The backlog. */
  readonly accumulationCount: number;
  /** Messages accepted in the last minute of the world's time: all, sent in real time, from the backlog. */
  readonly consumerSpeed: number;
  readonly realTimeConsumeCountPerMinute: number;
  readonly accumulatedConsumeCountPerMinute: number;
  /** When a message was last accepted, milliseconds since 1970 by the simulated clock; null before the first. */
  readonly lastConsumerTime: number | null;
  readonly clients: readonly ClientStatus[];
}

interface Seat {
  readonly client: Client;
  readonly tokens: TokenBucket;
  readonly onlineAt: number;
  readonly consumption: Consumption;
  /** As of this pump. */
  room: number;
}

/** Sent in one turn of the event loop at most, so that sockets are written to and others get their turn. */
const MOST_MESSAGES_A_TURN = 1_000;
const MOST_BYTES_A_TURN = 4 * 1_024 * 1_024;

/** Given up for their age in one turn at most: a million at once would hold the process up for seconds. */
const MOST_EXPIRED_A_TURN = 10_000;

/** Timers are set to no more than this; what is due is decided by the clocks, so that an early alarm is harmless. */
const LONGEST_SLEEP_MS = 3_600_000;

/**
 * The queues of one consumer group (protocol 4): a real-time queue, and a backlog of what could not be delivered or was
 * not accepted. Each message goes to one client and again, under the same id, until one accepts it or a day has passed.
 * The backlog has a rhythm of its own and never delays a message in real time.
 */
export class ConsumerGroup {
  private readonly realtime = new Fifo<QueuedMessage>();
  private realtimeBytes = 0;
  /** Being written by the store. */
  private keeping = 0;
  private readonly seats = new Map<Client, Seat>();
  private readonly shares: Shares<Seat>;
  private readonly pace: BacklogPace;
  private readonly consumption = new Consumption();
  private lastAcceptedAt: number | null = null;
  private pumping = false;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private deleted = false;
  private readonly count = { published: 0, sent: 0, redelivered: 0, accepted: 0, unsettled: 0, dropped: 0 };
  private expired = 0;
  private overflowed = 0;

  constructor(
    readonly id: string,
    private readonly rules: GroupRules,
    private readonly clock: Clock,
    random: Random,
    private readonly trace: MessageTrace,
    private readonly log: Log,
    private readonly store: GroupStore = new MemoryStore(),
  ) {
    this.pace = backlogPace(rules);
    this.shares = new Shares(rules.settlingMs, random);
    store.onReady(() => this.wake());
    this.wake(); // a store may come with a backlog of yesterday
  }

  get counts(): GroupCounts {
    return { ...this.count, queued: this.queued };
  }

  get clientCount(): number {
    return this.seats.size;
  }

  status(): GroupStatus {
    const { real, simulated } = this.now();
    this.expire(simulated);
    const { realtime, backlog } = this.consumption.perMinute(real);
    return {
      accumulationCount: this.store.length,
      consumerSpeed: realtime + backlog,
      realTimeConsumeCountPerMinute: realtime,
      accumulatedConsumeCountPerMinute: backlog,
      lastConsumerTime: this.lastAcceptedAt,
      clients: [...this.seats.values()].map(({ client, onlineAt, consumption }) => {
        const own = consumption.perMinute(real);
        return {
          clientId: client.clientId,
          clientIpPort: client.peer,
          onlineTime: onlineAt,
          realTimeConsumeCountPerMinute: own.realtime,
          accumulatedConsumeCountPerMinute: own.backlog,
        };
      }),
    };
  }

  publish(message: PlatformMessage): void {
    this.count.published++;
    const queued = queuedMessage(message);
    if (this.seats.size === 0) {
      this.putBack(queued);
    } else {
      this.keeping++;
      this.store.keep(queued, () => {
        this.keeping--;
        this.arrived(queued);
      });
    }
  }

  join(client: Client): void {
    const { realtimePerSecond } = this.rules;
    const onlineAt = this.clock.now();
    const tokens = new TokenBucket(realtimePerSecond);
    this.seats.set(client, { client, tokens, onlineAt, consumption: new Consumption(), room: 0 });
    this.shares.changed(this.seats.values(), onlineAt);
    if (this.seats.size === 1 || this.rules.sharing === 'random') this.pace.online();
    this.wake();
  }

  leave(client: Client): void {
    const [receiving] = this.seats.keys();
    if (!this.seats.delete(client)) return;
    this.shares.changed(this.seats.values(), this.clock.now());
    if (this.seats.size === 0) this.putAllBack();
    else if (client === receiving && this.rules.sharing === 'oldest') this.pace.online();
    this.wake();
  }

  /** A client answered, or never will. Anything but an accept puts the message into the backlog. */
  answered(queued: QueuedMessage, answer: Answer): void {
    this.count.unsettled--;
    this.trace.answered(queued.message, this.id, answer);
    const now = this.now();
    const accepted = answer === 'accepted';
    if (queued.fromBacklog) this.pace.answered(accepted, now);
    if (accepted) {
      this.count.accepted++;
      this.lastAcceptedAt = now.simulated;
      this.consumption.add(queued.fromBacklog, now.real);
      queued.consumer?.add(queued.fromBacklog, now.real);
      this.store.done(queued);
      if (queued.fromBacklog) this.wake();
    } else if (this.deleted) {
      this.giveUp(queued);
    } else if (!this.closed) {
      this.putBack(queued);
    }
  }

  /** Drops the backlog (ResetConsumerGroupPosition); what is on its way to a client is not part of it. */
  clear(): void {
    this.store.clear((queued) => this.giveUp(queued));
  }

  /** The group is no more: all that it held is given up, and what is on its way to a client unless that accepts it. */
  delete(): void {
    this.deleted = true;
    for (let queued = this.takeRealtime(); queued; queued = this.takeRealtime()) this.giveUp(queued);
    this.clear();
    this.close();
  }

  /** Something changed (a message, credit, an answer, a clock): send what can be sent, once for all changes of this turn. */
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

  private get queued(): number {
    return this.realtime.length + this.keeping + this.store.length;
  }

  private now(): Moment {
    return { real: performance.now(), simulated: this.clock.now() };
  }

  private arrived(queued: QueuedMessage): void {
    if (this.deleted) this.giveUp(queued);
    if (this.closed) return;
    if (this.seats.size === 0) {
      this.putBack(queued);
      return;
    }
    queued.waitingSince = performance.now();
    this.realtime.push(queued);
    this.realtimeBytes += queued.message.body.length;
    this.makeRoom();
    this.wake();
  }

  private putBack(queued: QueuedMessage): void {
    this.pace.entering(this.now(), this.store.length);
    queued.consumer = null;
    this.store.push(queued);
    this.makeRoom();
    this.wake();
  }

  private putAllBack(): void {
    for (let queued = this.takeRealtime(); queued; queued = this.takeRealtime()) this.putBack(queued);
  }

  private takeRealtime(): QueuedMessage | undefined {
    const queued = this.realtime.shift();
    if (queued) this.realtimeBytes -= queued.message.body.length;
    return queued;
  }

  private pump(): void {
    if (this.closed) return;
    const now = this.now();
    this.expire(now.simulated);
    this.makeRoom();
    this.putSlowBack(now.real);
    const seats = this.receiving();
    const turn = { messages: MOST_MESSAGES_A_TURN, bytes: MOST_BYTES_A_TURN };
    this.sendRealtime(seats, now, turn);
    this.sendBacklog(seats, now, turn);
    if (turn.messages <= 0 || turn.bytes <= 0) this.wake();
    else this.sleep(now, seats);
  }

  /** Clients with room: any of the group, or the oldest live connection of an appKey alone (protocol 4.3). */
  private receiving(): Seat[] {
    const seats: Seat[] = [];
    for (const seat of this.seats.values()) {
      seat.room = seat.client.room();
      if (seat.room > 0) seats.push(seat);
      if (this.rules.sharing === 'oldest') break;
    }
    return seats;
  }

  private sendRealtime(seats: readonly Seat[], now: Moment, turn: { messages: number; bytes: number }): void {
    if (this.realtime.length === 0) return;
    const free = (seat: Seat): boolean => seat.room > 0 && seat.tokens.has(now.real);
    let ready = seats.filter(free);
    while (turn.messages > 0 && turn.bytes > 0) {
      const seat = this.shares.pick(ready, now.simulated);
      const queued = seat && this.takeRealtime();
      if (!queued) return;
      if (this.isExpired(queued.message.publishedAt, now.simulated)) {
        this.drop(queued, 'expired');
        turn.messages--;
        continue;
      }
      seat.tokens.take(now.real);
      queued.fromBacklog = false;
      this.deliver(queued, seat, turn);
      if (!free(seat)) ready = ready.filter((other) => other !== seat);
    }
  }

  private sendBacklog(seats: readonly Seat[], now: Moment, turn: { messages: number; bytes: number }): void {
    let ready = seats.filter(({ room }) => room > 0);
    while (turn.messages > 0 && turn.bytes > 0 && ready.length > 0 && this.store.length > 0) {
      if (!this.pace.mayPush(now, this.store.length)) return;
      const queued = this.store.shift();
      if (!queued) return; // still being read; the store wakes us
      if (this.isExpired(queued.message.publishedAt, now.simulated)) {
        this.drop(queued, 'expired');
        turn.messages--;
        continue;
      }
      const seat = this.shares.pick(ready, now.simulated);
      if (!seat) return;
      this.pace.pushed(now);
      queued.fromBacklog = true;
      this.deliver(queued, seat, turn);
      if (seat.room <= 0) ready = ready.filter((other) => other !== seat);
    }
  }

  private deliver(queued: QueuedMessage, seat: Seat, turn: { messages: number; bytes: number }): void {
    queued.deliveries++;
    queued.consumer = seat.consumption;
    this.count.sent++;
    this.count.unsettled++;
    if (queued.deliveries > 1) this.count.redelivered++;
    this.trace.sent(queued.message, this.id, seat.client.clientId);
    this.store.sent(queued);
    seat.room--;
    turn.messages--;
    turn.bytes -= queued.message.body.length;
    seat.client.send(queued);
  }

  /** What waited too long for a client's credit goes to the backlog. */
  private putSlowBack(real: number): void {
    for (let oldest = this.realtime.peek(); oldest; oldest = this.realtime.peek()) {
      if (real - oldest.waitingSince < this.rules.slowAfterMs) return;
      this.takeRealtime();
      this.putBack(oldest);
    }
  }

  /** Until something may change by itself. */
  private sleep({ real, simulated }: Moment, seats: readonly Seat[]): void {
    clearTimeout(this.timer);
    const waits: number[] = [];
    const until = (alarm: Alarm): void => {
      const wait = 'real' in alarm ? alarm.real - real : this.clock.realMs(alarm.simulated - simulated);
      waits.push(Math.min(Math.max(1, wait), LONGEST_SLEEP_MS));
    };
    const waiting = this.realtime.peek();
    if (waiting) until({ real: waiting.waitingSince + this.rules.slowAfterMs });
    const room = seats.some((seat) => seat.room > 0);
    if (waiting && room) until({ real: real + 10 }); // only a rate limit holds it up
    const alarm = room && this.store.length > 0 ? this.pace.alarm({ real, simulated }) : null;
    if (alarm) until(alarm);
    const oldest = this.store.oldest();
    if (oldest !== null) until({ simulated: oldest + this.rules.retentionMs + 1 });
    if (waits.length > 0) this.timer = setTimeout(() => this.wake(), Math.min(...waits)).unref();
  }

  private isExpired(publishedAt: number, simulated: number): boolean {
    return simulated - publishedAt > this.rules.retentionMs;
  }

  /** Drops what nobody took in a day, from the oldest on; the rest of very many a turn later. */
  private expire(simulated: number): void {
    for (let left = MOST_EXPIRED_A_TURN; left > 0; left--) {
      const oldest = this.store.oldest();
      if (oldest === null || !this.isExpired(oldest, simulated)) return;
      const queued = this.store.shift();
      if (!queued) return;
      this.drop(queued, 'expired');
    }
    this.wake();
  }

  /** Gives up the oldest messages when there are too many. */
  private makeRoom(): void {
    while (this.queued > this.rules.maxQueued || this.store.bytes + this.realtimeBytes > this.rules.maxQueuedBytes) {
      const queued = this.store.length > 0 ? this.store.shift() : this.takeRealtime();
      if (!queued) return;
      this.drop(queued, 'overflowed');
    }
  }

  private giveUp({ message }: QueuedMessage): void {
    this.trace.dropped(message, this.id, 'cleared');
    this.count.dropped++;
  }

  private drop(queued: QueuedMessage, why: 'expired' | 'overflowed'): void {
    this.store.done(queued);
    this.trace.dropped(queued.message, this.id, why);
    this.count.dropped++;
    if (why === 'expired') {
      if (this.expired++ === 0) this.log.warn('dropping messages that nobody accepted in a day', { group: this.id });
    } else if (Number.isInteger(Math.log10(++this.overflowed))) {
      // Said at 1, 10, 100, …: a group that nobody reads drops as many messages as the fleet sends.
      const dropped = this.overflowed;
      this.log.warn('a group is full: dropping its oldest messages', { group: this.id, dropped });
    }
  }
}
