import type { Thing } from './thing.js';

/** A thing without a model: the platform knows nothing of what it measures. Its device speaks on custom topics only. */
export class SilentThing implements Thing {
  measure(): Record<string, never> {
    return {};
  }

  raise(): null {
    return null;
  }

  set(): void {
    return undefined;
  }
}
