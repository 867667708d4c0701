/** Checks follow each other at once; one that takes long to hold is asked less often, and leaves the processor to others. */
const SHORTEST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 15;

/**
 * Waits until a check no longer throws, for as long as a test may take; then the check's own error is the test's.
 * A condition, never a number of milliseconds: it only polls.
 */
export async function until<T>(check: () => T | Promise<T>, withinMs = 60_000): Promise<T> {
  const start = performance.now();
  for (;;) {
    try {
      return await check();
    } catch (error) {
      const waited = performance.now() - start;
      if (waited > withinMs) throw error;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, waited / 20));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** Waits until a value has stayed the same for a good while of polling: whatever was going to happen has happened. */
export async function quiet<T>(read: () => T, polls = 50): Promise<T> {
  let last = read();
  for (let same = 0; same < polls; same += 1) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    const now = read();
    if (now !== last) same = 0;
    last = now;
  }
  return last;
}
