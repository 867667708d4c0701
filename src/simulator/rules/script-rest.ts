import type { ScriptFailed } from './sandbox.js';

const REST_MS = 10_000;

/** A script that ran out of time is left alone for a while, in the world's time: everything else waits while it runs. */
export class ScriptRest {
  private until = Number.NEGATIVE_INFINITY;

  /** `worldNow` in milliseconds from any point. */
  constructor(private readonly worldNow: () => number) {}

  /** Why the script is not to be called now, or null. */
  get reason(): string | null {
    return this.worldNow() < this.until ? 'rests, since it took too long for a message before' : null;
  }

  after(failure: ScriptFailed): void {
    if (failure.reason === 'time') this.until = this.worldNow() + REST_MS;
  }
}
