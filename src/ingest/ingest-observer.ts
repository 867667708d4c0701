import type { Outcome } from '../domain/event-sink.js';

/** One batch that was written, for metrics. */
export interface BatchWritten {
  readonly size: number;
  /** Messages by what became of them. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** How long the write took that succeeded. */
  readonly durationMs: number;
  /** From receipt to commit, one for each message, in no promised order. */
  readonly waitsMs: readonly number[];
  /** The largest of them. */
  readonly oldestWaitMs: number;
}

/** Whoever wants to measure ingest. Called on the path of the messages: must not throw and must not take long. */
export abstract class IngestObserver {
  abstract onReceived(transport: string, bytes: number): void;
  abstract onBatch(batch: BatchWritten): void;
  /** The store went away (true) or came back (false). */
  abstract onHolding(holding: boolean): void;
}
