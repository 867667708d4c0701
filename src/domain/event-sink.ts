import type { DecodedMessage } from './decoded-message.js';
import type { RawMessage } from './raw-message.js';

/** What became of a message: exactly one of these, once it is committed. */
export type Outcome = 'stored' | 'duplicate' | 'set-aside';

/** How many messages a transport brought in one minute. */
export interface ReceivedCount {
  readonly transport: string;
  /** Epoch milliseconds of the minute's beginning. */
  readonly minute: number;
  readonly count: number;
}

const MINUTE_MS = 60_000;

/** The minute that a message counts in: epoch milliseconds of its beginning. */
export function minuteOf({ receivedAt }: Pick<RawMessage, 'receivedAt'>): number {
  return Math.floor(receivedAt.getTime() / MINUTE_MS) * MINUTE_MS;
}

/** A place in a spool: all its messages up to and including this number. */
export interface SpoolPosition {
  /** UUID of the spool. */
  readonly spool: string;
  readonly position: number;
}

/**
 * Names one batch over all tries to write it. Should the answer to its commit be lost, the next try finds it written, and it
 * counts once.
 */
export interface BatchTicket {
  /** UUID. */
  readonly batch: string;
  /** No two batches that are under way in this process have the same; a few numbers do for all. */
  readonly slot: number;
  /** True when it was tried before, and may have been written. */
  readonly again: boolean;
}

/** What is noted in the transaction of a batch, beside the messages themselves. */
export interface BatchNote {
  readonly ticket?: BatchTicket | undefined;
  /** What the transports counted of these messages, whatever the store makes of them; promise 5 compares the two. */
  readonly received: readonly ReceivedCount[];
  /** When the batch comes out of a spool: up to where that has been stored with it. */
  readonly spooledUpTo?: SpoolPosition | undefined;
}

/** Where decoded messages go to last. One implementation writes PostgreSQL; tests have one in memory. */
export abstract class EventSink {
  /**
   * Makes a batch durable, all of it or nothing.
   * @param note without one, each message counts as received when it is written.
   * @returns one outcome a message, in the order given, after the commit.
   * @throws SinkUnavailable when the world is away: nothing was written, try again later.
   * @throws MessageCondemned when the store can never hold something in this batch: nothing was written, look for it by halving.
   */
  abstract write(batch: readonly DecodedMessage[], note?: BatchNote): Promise<readonly Outcome[]>;
}

/** The store cannot be reached or cannot work now. Nothing is wrong with the messages. */
export class SinkUnavailable extends Error {
  override readonly name = 'SinkUnavailable';
}

/** The store says that a message of the batch can never be held. */
export class MessageCondemned extends Error {
  override readonly name = 'MessageCondemned';
}
