import type { RawMessage } from '../domain/raw-message.js';

/** A message that we owe an answer for. A transport makes one for each message and hands it to the Ingestor. */
export interface Delivery {
  readonly message: RawMessage;
  /**
   * Tells the transport that the message is durable. Called once at most, never before the commit; must not throw. A
   * delivery that is never accepted is left unanswered, and whoever sent it keeps the message.
   */
  accept(): void;
}
