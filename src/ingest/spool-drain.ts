import { Logger } from '@nestjs/common';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { BatchNote } from '../domain/event-sink.js';
import type { RawMessage } from '../domain/raw-message.js';
import type { SpoolPositions } from '../domain/replica-board.js';
import type { Spool, SpoolBatch } from '../spool/spool.js';
import type { Entry, IsolatingWriter } from './isolating-writer.js';
import type { Ledger } from './ledger.js';
import { type GrowingPause, wait } from './pause.js';
import { receivedCounts } from './received-counts.js';
import type { SpoolPace } from './spool-pace.js';
import type { StoreHealth } from './store-health.js';

/** A message of the spool on its way into the store. */
interface Spooled extends Entry {
  readonly raw: RawMessage;
  readonly number: number;
}

export interface SpoolDrainParts {
  readonly spool: Spool;
  readonly positions: SpoolPositions;
  readonly writer: IsolatingWriter;
  readonly ledger: Ledger;
  readonly health: StoreHealth;
  readonly pace: SpoolPace;
  readonly pauses: GrowingPause;
  readonly decode: (raw: RawMessage) => DecodedMessage | Promise<DecodedMessage>;
  /** Called after each batch. */
  readonly settled: () => void;
}

/**
 * Plays the spool into the store, in the order of receipt, beside whatever arrives meanwhile. How far it has come is noted in
 * the transaction of the messages themselves, so that no crash has one stored twice. While the store is away, this is also
 * who tries whether it is back.
 */
export class SpoolDrain {
  private readonly log = new Logger(SpoolDrain.name);
  private readonly stopSignal = new AbortController();
  private running: Promise<void> | null = null;
  private wanted = false;

  constructor(private readonly parts: SpoolDrainParts) {}

  /** Begins with what an earlier process left. */
  start(): void {
    const { spool, ledger } = this.parts;
    if (spool.messages === 0) return;
    ledger.recovered(spool.messages);
    this.log.log({ msg: 'The spool holds messages of an earlier start', messages: spool.messages });
    this.running = this.run(() => this.skipStored());
  }

  /** There is something to play. */
  poke(): void {
    this.wanted = true;
    this.running ??= this.run();
  }

  /** Ends after the batch under way, which may be left where it is. */
  async stop(): Promise<void> {
    this.stopSignal.abort();
    await this.running;
  }

  private get stopped(): boolean {
    return this.stopSignal.signal.aborted;
  }

  private async run(before?: () => Promise<void>): Promise<void> {
    try {
      await before?.();
      do {
        this.wanted = false;
        await this.playAll();
      } while (this.wanted && !this.stopped);
    } finally {
      this.running = null;
    }
    if (this.wanted && !this.stopped) this.poke();
  }

  /** What a process before this one stored, and could not remove from the spool any more. */
  private async skipStored(): Promise<void> {
    const { spool, positions, ledger } = this.parts;
    const stored = await this.untilItWorks(() => positions.of(spool.id));
    if (stored !== null) ledger.recovered(-spool.release(stored));
  }

  private async playAll(): Promise<void> {
    const { spool } = this.parts;
    while (!this.stopped) {
      const batch = await this.untilItWorks(() => spool.read());
      if (batch === null || !(await this.play(batch))) return;
    }
  }

  private async play({ messages, upTo }: SpoolBatch): Promise<boolean> {
    const { spool, writer, decode, ledger } = this.parts;
    if (messages.length === 0) {
      this.release(upTo, 0);
      this.parts.settled();
      return true;
    }
    const entries: Spooled[] = [];
    for (const { key, raw, number } of messages) {
      entries.push({ raw, number, message: { ...(await decode(raw)), key } });
    }
    return writer.write(entries, {
      note: (part) => this.note(part),
      committed: (part, outcomes) => {
        part.forEach(({ raw, number }, index) => {
          const outcome = outcomes[index];
          if (outcome !== undefined) ledger.settled(raw.transport, outcome, number <= spool.recoveredUpTo);
        });
        this.parts.pace.drained(part.length, performance.now());
        this.release(part.at(-1)?.number ?? 0, part.length);
        this.works();
      },
      failed: async (_, error, begunMs) => {
        this.parts.health.failed(error, begunMs, spool.messages);
        await wait(this.parts.pauses.next(), this.stopSignal.signal);
        return this.stopped ? 'stop' : 'again';
      },
    });
  }

  private release(upTo: number, stored: number): void {
    const { spool, ledger } = this.parts;
    const lost = spool.release(upTo) - stored;
    // What an earlier process received is in nobody's account; one of this process's own rightly makes the count differ.
    if (upTo <= spool.recoveredUpTo) ledger.recovered(-lost);
  }

  private note(part: readonly Spooled[]): BatchNote {
    return {
      received: receivedCounts(part.map(({ raw }) => raw)),
      spooledUpTo: { spool: this.parts.spool.id, position: part.at(-1)?.number ?? 0 },
    };
  }

  private works(): void {
    this.parts.pauses.reset();
    this.parts.health.worked(this.parts.spool.messages);
    this.parts.settled();
  }

  /** @returns null when it is told to stop before. */
  private async untilItWorks<T>(work: () => Promise<T>): Promise<T | null> {
    while (!this.stopped) {
      try {
        return await work();
      } catch (error) {
        this.log.warn({
          msg: 'The spool waits',
          reason: error instanceof Error ? error.message : String(error),
        });
        await wait(this.parts.pauses.next(), this.stopSignal.signal);
      }
    }
    return null;
  }
}
