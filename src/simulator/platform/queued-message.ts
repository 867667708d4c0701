import type { Consumption } from './per-minute.js';
import type { PlatformMessage } from './platform-message.js';

/** One group's copy of a message, until it is accepted or given up. */
export interface QueuedMessage {
  readonly message: PlatformMessage;
  /** How often it was sent so far. */
  deliveries: number;
  /** On the clock of `performance.now()`: since when it waits to be sent in real time. */
  waitingSince: number;
  /** It was taken from the backlog for the delivery that is on its way. */
  fromBacklog: boolean;
  /** Whose consumption it counts for once it is accepted; null while it is on its way to nobody. */
  consumer: Consumption | null;
  /** Where a queue store on disk keeps it, empty while it does not, and how many bytes its record has there. */
  key: string;
  bytes: number;
}

export function queuedMessage(message: PlatformMessage, deliveries = 0): QueuedMessage {
  return { message, deliveries, waitingSince: 0, fromBacklog: false, consumer: null, key: '', bytes: 0 };
}
