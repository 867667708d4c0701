import type { DecodedMessage } from './decoded-message.js';

/** What became of a message: exactly one of these, once it is committed. */
export type Outcome = 'stored' | 'duplicate' | 'set-aside';

/** Where decoded messages go to last. One implementation writes PostgreSQL; tests have one in memory. */
export abstract class EventSink {
  /**
   * Makes a batch durable, all of it or nothing.
   * @returns one outcome a message, in the order given, after the commit.
   * @throws SinkUnavailable when the world is away: nothing was written, try again later.
   * @throws MessageCondemned when the store can never hold something in this batch: nothing was written, look for it by halving.
   */
  abstract write(batch: readonly DecodedMessage[]): Promise<readonly Outcome[]>;
}

/** The store cannot be reached or cannot work now. Nothing is wrong with the messages. */
export class SinkUnavailable extends Error {
  override readonly name = 'SinkUnavailable';
}

/** The store says that a message of the batch can never be held. */
export class MessageCondemned extends Error {
  override readonly name = 'MessageCondemned';
}
