/**
 * Spreads connection attempts, so that all connections of this process together stay well below the platform's limit of 100
 * a minute for a consumer group (protocol 9): with the defaults 30 at once, then one every two seconds, 60 in any minute.
 */
export class AttemptBudget {
  /** When the last attempt granted would have come, had they all come evenly. */
  private evenly = -Infinity;

  constructor(
    private readonly burst = 30,
    private readonly intervalMs = 2_000,
  ) {}

  /**
   * Books one attempt.
   * @param nowMs a clock that only goes forward, in milliseconds.
   * @returns how many milliseconds to wait before it.
   */
  book(nowMs: number): number {
    this.evenly = Math.max(this.evenly, nowMs) + this.intervalMs;
    return Math.max(0, this.evenly - this.burst * this.intervalMs - nowMs);
  }
}
