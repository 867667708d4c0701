const SECONDS = 60;

/** How many there were in the last minute, in buckets of a second. `nowMs` never goes back. */
export class PerMinute {
  private readonly buckets = new Uint32Array(SECONDS);
  private second = 0;

  add(nowMs: number): void {
    this.advance(nowMs);
    const index = this.second % SECONDS;
    this.buckets[index] = (this.buckets[index] ?? 0) + 1;
  }

  count(nowMs: number): number {
    this.advance(nowMs);
    return this.buckets.reduce((sum, each) => sum + each, 0);
  }

  private advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second - this.second >= SECONDS) this.buckets.fill(0);
    else for (let next = this.second + 1; next <= second; next++) this.buckets[next % SECONDS] = 0;
    this.second = second;
  }
}

/** What was consumed in the last minute, in real time and from the backlog. */
export class Consumption {
  private readonly realtime = new PerMinute();
  private readonly backlog = new PerMinute();

  add(fromBacklog: boolean, nowMs: number): void {
    (fromBacklog ? this.backlog : this.realtime).add(nowMs);
  }

  perMinute(nowMs: number): { readonly realtime: number; readonly backlog: number } {
    return { realtime: this.realtime.count(nowMs), backlog: this.backlog.count(nowMs) };
  }
}
