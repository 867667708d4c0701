/** Growing, jittered pauses between tries: doubled each time up to a limit, and between half and all of that. */
export class GrowingPause {
  private tries = 0;

  constructor(
    private readonly firstMs: number,
    private readonly limitMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** How long to wait before the next try, in milliseconds. */
  next(): number {
    const full = Math.min(this.limitMs, this.firstMs * 2 ** Math.min(this.tries, 30));
    this.tries += 1;
    return full * (0.5 + this.random() / 2);
  }

  reset(): void {
    this.tries = 0;
  }
}

/** Waits so many milliseconds, or until the signal says that it is enough. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
