/** A rate limit with a burst of a tenth of a second. */
export class TokenBucket {
  private tokens: number;
  private filledAt = 0;

  /** `perSecond` null is no limit. */
  constructor(private readonly perSecond: number | null) {
    this.tokens = (perSecond ?? 0) / 10;
  }

  has(now: number): boolean {
    if (this.perSecond === null) return true;
    const burst = Math.max(1, this.perSecond / 10);
    this.tokens = Math.min(burst, this.tokens + ((now - this.filledAt) / 1_000) * this.perSecond);
    this.filledAt = now;
    return this.tokens >= 1;
  }

  take(now: number): boolean {
    if (!this.has(now)) return false;
    this.tokens--;
    return true;
  }
}
