/** A rate limit with a burst of a tenth of a second. */
export class TokenBucket {
  private readonly burst: number;
  private tokens: number;
  private filledAt = 0;

  /** `perSecond` null is no limit. */
  constructor(private readonly perSecond: number | null) {
    this.burst = Math.max(1, (perSecond ?? 0) / 10);
    this.tokens = this.burst;
  }

  has(now: number): boolean {
    if (this.perSecond === null) return true;
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) / 1_000) * this.perSecond);
    this.filledAt = now;
    return this.tokens >= 1;
  }

  take(now: number): boolean {
    if (!this.has(now)) return false;
    this.tokens--;
    return true;
  }
}
