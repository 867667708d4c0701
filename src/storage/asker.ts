import { AsyncLocalStorage } from 'node:async_hooks';

/** Whoever waits for an answer of the database. */
export interface Asker {
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  /** Where the question comes from: origins take turns, so that a crowd from one does not keep out the others. */
  readonly origin: string;
  /** Milliseconds that each query may take. */
  readonly timeoutMs: number;
}

/** Nobody waits for the answer any more: the question was not asked, or its query was cancelled. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';

  constructor() {
    super('nobody waits for the answer any more');
  }
}

const current = new AsyncLocalStorage<Asker>();

/** Runs work on behalf of somebody; questions that it asks, however indirectly, end when that one goes away. */
export function askedBy<T>(asker: Asker, work: () => T): T {
  return current.run(asker, work);
}

/** On whose behalf this code runs; undefined for what the service does for itself. */
export function currentAsker(): Asker | undefined {
  return current.getStore();
}
