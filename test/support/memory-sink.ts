import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import { type BatchNote, EventSink, type Outcome } from '../../src/domain/event-sink.js';

/** A store in memory that does as it is told: it can be away, condemn messages, be slow. */
export class MemorySink extends EventSink {
  /** Message ids of each batch that was written, in order; set-aside messages are not among them. */
  readonly stored: string[][] = [];
  /** Message id -> reason, of what was set aside. */
  readonly aside: Record<string, string> = {};
  /** Calls of write(), the failed ones too. */
  writes = 0;

  private readonly seen = new Set<string>();
  private gate: Promise<void> = Promise.resolve();
  private openGate: () => void = () => undefined;

  /**
   * @param fails the error to throw for a batch of these messages, if any.
   * @param noted is told what was noted with each batch that was written.
   */
  constructor(
    private readonly fails: (batch: readonly DecodedMessage[]) => Error | undefined = () => undefined,
    private readonly noted: (note: BatchNote | undefined) => void = () => undefined,
  ) {
    super();
  }

  /**
   * Writes that begin from now on wait until release().
   * @returns a function that lets go on just those that began before the next hold().
   */
  hold(): () => void {
    let open: () => void = () => undefined;
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    this.openGate = open;
    return open;
  }

  release(): void {
    this.openGate();
  }

  async write(batch: readonly DecodedMessage[], note?: BatchNote): Promise<readonly Outcome[]> {
    this.writes += 1;
    await this.gate;
    const error = this.fails(batch);
    if (error !== undefined) throw error;
    const stored: string[] = [];
    const outcomes = batch.map((message): Outcome => {
      const id = message.raw.messageId ?? message.key;
      if (this.seen.has(message.key)) return 'duplicate';
      this.seen.add(message.key);
      if (message.refusal !== null) {
        this.aside[id] = message.refusal.reason;
        return 'set-aside';
      }
      stored.push(id);
      return 'stored';
    });
    if (stored.length > 0) this.stored.push(stored);
    this.noted(note);
    return outcomes;
  }
}
