import { Logger } from '@nestjs/common';
import type { Metrics } from '../telemetry/metrics.js';

/** Whether the store can be written to, as all who write to it find out together. */
export class StoreHealth {
  private readonly log = new Logger('Ingestor');
  private awaySinceMs: number | null = null;

  constructor(private readonly metrics: Metrics | null = null) {}

  /** For how long nothing could be written, in milliseconds; null while it can be, as far as anybody knows. */
  get awayMs(): number | null {
    return this.awaySinceMs === null ? null : performance.now() - this.awaySinceMs;
  }

  /** A write failed. @param begunMs when it was begun, on the clock of `performance.now()`. */
  failed(error: unknown, begunMs: number, messagesInHand: number): void {
    if (this.awaySinceMs !== null) return;
    this.awaySinceMs = begunMs;
    this.log.warn({
      msg: 'The store cannot be written to: nothing is accepted before it is safe',
      reason: reasonOf(error),
      messages: messagesInHand,
    });
  }

  /** A write was committed. */
  worked(messagesInHand: number): void {
    const { awayMs } = this;
    if (awayMs === null) return;
    this.awaySinceMs = null;
    this.metrics?.databaseUnavailableSeconds.inc(awayMs / 1000);
    this.log.log({
      msg: 'The store can be written to again',
      awayMs: Math.round(awayMs),
      messages: messagesInHand,
    });
  }
}

/** One line: the error and what caused it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
