/**
 * The simulated time, in milliseconds since 1970. It may start in the past and run faster than the world's, so that a day
 * passes in a minute. What the platform does by itself (retry rounds, expiry, keep-alive scans, the lives of virtual devices)
 * goes by it; what waits for a client (sign-in, link, idle and answer timeouts, pushes a second) goes by the world's, since a
 * client runs no faster.
 */
export class Clock {
  private readonly started = performance.now();

  /** `scale` simulated milliseconds pass in each of the world's. `read` replaces the clock, for tests that move it by hand. */
  constructor(
    readonly scale = 1,
    private readonly startAt = Date.now(),
    private readonly read: (() => number) | null = null,
  ) {}

  /** Now, a whole number. */
  now(): number {
    if (this.read) return this.read();
    return Math.floor(this.startAt + (performance.now() - this.started) * this.scale);
  }

  /** The world's milliseconds in which so many simulated ones pass. */
  realMs(simulatedMs: number): number {
    return simulatedMs / this.scale;
  }
}
