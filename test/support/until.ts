/**
 * Waits until a check no longer throws, for as long as a test may take; then the check's own error is the test's.
 * A condition, never a number of milliseconds: it only polls.
 */
export async function until<T>(check: () => T | Promise<T>, withinMs = 10_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
