import type { SpoolStatus } from '../domain/ingest-status.js';
import type { SpoolState } from '../spool/spool.js';

/** How far back the pace looks, in milliseconds. */
const WINDOW_MS = 30_000;

interface Sample {
  readonly atMs: number;
  readonly amount: number;
}

/** How fast the spool fills and drains, by what happened in the last half minute. Times are those of `performance.now()`. */
export class SpoolPace {
  private readonly filledBytes = new RecentSum();
  private readonly drainedMessages = new RecentSum();

  filled(bytes: number, nowMs: number): void {
    this.filledBytes.add(bytes, nowMs);
  }

  drained(messages: number, nowMs: number): void {
    this.drainedMessages.add(messages, nowMs);
  }

  /** @param away whether the store is, so that messages go into the spool. @param wallMs the time of day. */
  status(spool: SpoolState, away: boolean, nowMs: number, wallMs: number): SpoolStatus {
    const { messages, bytes, maxBytes, damagedBytes, lastError } = spool;
    const drainPerSecond = away ? null : this.drainedMessages.perSecond(nowMs);
    const bytesPerSecond = away ? this.filledBytes.perSecond(nowMs) : null;
    return {
      messages,
      bytes,
      maxBytes,
      state: away && lastError !== null ? 'full' : messages === 0 ? 'empty' : away ? 'filling' : 'draining',
      drainPerSecond,
      drainMs: messages === 0 ? 0 : drainPerSecond === null ? null : Math.round((messages / drainPerSecond) * 1000),
      fullAt:
        bytesPerSecond === null ? null : new Date(wallMs + (Math.max(0, maxBytes - bytes) / bytesPerSecond) * 1000),
      damagedBytes,
      lastError,
    };
  }
}

/** The sum of what was added in the last half minute. */
class RecentSum {
  private readonly samples: Sample[] = [];

  add(amount: number, atMs: number): void {
    const last = this.samples.at(-1);
    // Second by second, so that a few dozen samples do.
    if (last && atMs - last.atMs < 1000)
      this.samples[this.samples.length - 1] = { ...last, amount: last.amount + amount };
    else this.samples.push({ atMs, amount });
    this.forget(atMs);
  }

  /** Null when there was nothing. */
  perSecond(nowMs: number): number | null {
    this.forget(nowMs);
    const [first] = this.samples;
    if (first === undefined) return null;
    const seconds = Math.max(1, (nowMs - first.atMs) / 1000);
    return this.samples.reduce((sum, { amount }) => sum + amount, 0) / seconds;
  }

  private forget(nowMs: number): void {
    while (this.samples[0] !== undefined && nowMs - this.samples[0].atMs > WINDOW_MS) this.samples.shift();
  }
}
