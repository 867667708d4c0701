import { TokenBucket } from './token-bucket.js';

/** The two clocks of a moment, in milliseconds: `real` of `performance.now()`, `simulated` since 1970. */
export interface Moment {
  readonly real: number;
  readonly simulated: number;
}

/** Until when something holds: on one clock or the other. */
export type Alarm = { readonly real: number } | { readonly simulated: number };

/** When the backlog of a group may send; one a flavour (protocol 4.2, 4.3). */
export interface BacklogPace {
  /** A client begins to receive: it was the first, or the one before it left. */
  online(): void;
  /** A message is about to enter a backlog of so many. */
  entering(now: Moment, length: number): void;
  /** Whether one more of a backlog of so many may be sent. */
  mayPush(now: Moment, length: number): boolean;
  pushed(now: Moment): void;
  /** A message from the backlog was accepted, or was not. */
  answered(accepted: boolean, now: Moment): void;
  /** When `mayPush` may change its mind by itself; null when only an answer or a client can. */
  alarm(now: Moment): Alarm | null;
}

/** Enterprise: so many a second; a failure blocks the backlog for a minute. */
export class SteadyPace implements BacklogPace {
  private readonly tokens: TokenBucket;
  private blockedUntil = Number.NEGATIVE_INFINITY;

  /** `perSecond` in the world's time, null without limit; `retryAfterMs` in simulated time. */
  constructor(
    perSecond: number | null,
    private readonly retryAfterMs: number,
  ) {
    this.tokens = new TokenBucket(perSecond);
  }

  /** A guess: what blocked the backlog is likely gone with a client that comes new. */
  online(): void {
    this.blockedUntil = Number.NEGATIVE_INFINITY;
  }

  entering(): void {
    // whatever enters may be sent at once, while nothing blocks
  }

  mayPush(now: Moment): boolean {
    return now.simulated >= this.blockedUntil && this.tokens.has(now.real);
  }

  pushed(now: Moment): void {
    this.tokens.take(now.real);
  }

  answered(accepted: boolean, { simulated }: Moment): void {
    if (!accepted && simulated >= this.blockedUntil) this.blockedUntil = simulated + this.retryAfterMs;
  }

  alarm(now: Moment): Alarm {
    return now.simulated < this.blockedUntil ? { simulated: this.blockedUntil } : { real: now.real + 10 };
  }
}

/** Living: rounds; in each a few are sent, and each accept lets another go on. What fails waits for the next round. */
export class RoundPace implements BacklogPace {
  private nextRoundAt = Number.NEGATIVE_INFINITY;
  private due = false;
  /** How many of the backlog belong to this round: what enters later stands behind them. */
  private left = 0;
  /** How many more may go before the next accept. */
  private window = 0;

  /** `everyMs` in simulated time; `perRound` null sends all of the backlog in each. */
  constructor(
    private readonly everyMs: number,
    private readonly perRound: number | null,
  ) {}

  /** A guess: who comes online need not wait for the next round. */
  online(): void {
    this.due = true;
  }

  entering({ simulated }: Moment, length: number): void {
    // Rounds that went by while there was nothing to send are over.
    if (length === 0 && !this.due) this.setNextRound(simulated);
  }

  mayPush({ simulated }: Moment, length: number): boolean {
    if (this.due || simulated >= this.nextRoundAt) {
      this.due = false;
      this.setNextRound(simulated);
      this.left = length;
      this.window = this.perRound ?? Number.POSITIVE_INFINITY;
    }
    return this.left > 0 && this.window > 0;
  }

  pushed(): void {
    this.left--;
    this.window--;
  }

  answered(accepted: boolean): void {
    if (accepted) this.window++;
  }

  alarm(): Alarm {
    return { simulated: this.nextRoundAt };
  }

  /** The next beat of a rhythm that began with the first round; never more than one round away. */
  private setNextRound(simulated: number): void {
    if (simulated < this.nextRoundAt && simulated >= this.nextRoundAt - this.everyMs) return;
    const beats = Math.floor((simulated - this.nextRoundAt) / this.everyMs) + 1;
    this.nextRoundAt = Number.isFinite(beats) ? this.nextRoundAt + beats * this.everyMs : simulated + this.everyMs;
  }
}
