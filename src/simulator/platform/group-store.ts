import type { QueuedMessage } from './queued-message.js';

/**
 * Where a consumer group keeps what it owes its clients: its backlog, first in, first out; and on disk also what waits to be
 * sent in real time or for an answer, so that it is backlog after a restart.
 */
export interface GroupStore {
  /** Messages and bytes in the backlog. */
  readonly length: number;
  readonly bytes: number;
  /** Who to tell that `shift` has something again. */
  onReady(ready: () => void): void;
  /** Takes a new message down and calls back when it would survive the end of the process; at once in memory. */
  keep(queued: QueuedMessage, kept: () => void): void;
  /** Puts a message at the end of the backlog. */
  push(queued: QueuedMessage): void;
  /** Takes the oldest of the backlog; undefined when there is none, or when it is still being read. */
  shift(): QueuedMessage | undefined;
  /** When the oldest of the backlog was published; null where `shift` would give nothing. */
  oldest(): number | null;
  /** A message is being sent once more. */
  sent(queued: QueuedMessage): void;
  /** A message taken from here, or kept here, is no longer owed. */
  done(queued: QueuedMessage): void;
  /** Empties the backlog; `dropped` hears of each message, maybe later. */
  clear(dropped: (queued: QueuedMessage) => void): void;
}
