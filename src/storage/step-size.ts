/** A step that is stopped by the end of the process is done again, and whoever waits for a lock waits no longer than this. */
const GOOD_MS = 1_000;
const FIRST = 4;
const MOST = 5_000;

/** How much to do in one step, so that each takes about a second whatever a piece of the work turns out to be. */
export class StepSize {
  current = FIRST;

  /** Learns from a step of the current size. */
  took(durationMs: number): void {
    const factor = Math.min(2, Math.max(0.25, GOOD_MS / Math.max(durationMs, 1)));
    this.current = Math.min(MOST, Math.max(1, Math.round(this.current * factor)));
  }
}
