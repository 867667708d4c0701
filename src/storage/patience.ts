import { AsyncLocalStorage } from 'node:async_hooks';

/** How long work on the database may take before it is given up, in milliseconds. */
export interface Patience {
  /** A statement; the server cancels it, and where no answer comes at all the connection is destroyed a little later. */
  readonly statementMs: number;
  /** Waiting for one lock; the server ends that, too. */
  readonly lockMs: number;
  /** A whole transaction: then its connection is destroyed, whatever it is at. */
  readonly transactionMs: number;
}

/**
 * For whatever messages wait for: the platform asks for an answer within 30 s. A batch takes a tenth of a second; with the five
 * seconds that it may wait for a connection, a failed try is over after twenty.
 */
export const HURRIED: Patience = { statementMs: 8_000, lockMs: 6_000, transactionMs: 15_000 };

/** For what nobody waits for and may be large: removing, dropping, replaying. */
export const UNHURRIED: Patience = { statementMs: 60_000, lockMs: 20_000, transactionMs: 180_000 };

/** Longer than the server takes to cancel a statement and to say so. */
export const GRACE_MS = 2_000;

const current = new AsyncLocalStorage<{ readonly statementMs: number; readonly until: number }>();

/** Runs work whose connections give up after so long; what it calls, however indirectly, is bound by it. */
export function withPatience<T>({ statementMs, transactionMs }: Omit<Patience, 'lockMs'>, work: () => T): T {
  return current.run({ statementMs, until: performance.now() + transactionMs }, work);
}

/** How long the statement that is sent now may go without an answer. */
export function patienceLeftMs({ statementMs }: Pick<Patience, 'statementMs'>): number {
  const work = current.getStore();
  if (work === undefined) return statementMs + GRACE_MS;
  return Math.max(1, Math.min(work.statementMs + GRACE_MS, work.until - performance.now()));
}
