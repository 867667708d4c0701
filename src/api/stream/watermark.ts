import type { LogHead } from '../../storage/change-log.reader.js';

/**
 * Up to where the log can be read without missing anything: numbers are taken in one order and committed in another. What was the
 * head once is safe as soon as all transactions have ended that were writing then. Transactions that do not write into the log
 * (long questions, migrations, other databases of the server) hold nothing up.
 */
export class Watermark {
  private waiting: LogHead | null = null;
  private reached = 0;

  /** Everything up to this number is committed or will never be. */
  get safe(): number {
    return this.reached;
  }

  /** The transactions that are waited for are at it. */
  get isHeld(): boolean {
    return this.waiting !== null;
  }

  /** Takes note of a head, and of who was writing when it was read or later. */
  see(head: LogHead): void {
    const { waiting } = this;
    if (waiting && !waiting.writers.some((writer) => head.writers.includes(writer))) {
      this.reached = waiting.seq;
      this.waiting = null;
    }
    if (head.writers.length > 0) this.waiting ??= head;
    else {
      this.reached = head.seq;
      this.waiting = null;
    }
  }

  /** It is known in another way that everything up to this number has ended. */
  isSafe(seq: number): void {
    this.reached = Math.max(this.reached, seq);
  }
}
