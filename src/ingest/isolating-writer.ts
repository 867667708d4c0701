import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { DecodedMessage } from '../domain/decoded-message.js';
import {
  type BatchNote,
  type EventSink,
  MessageCondemned,
  type Outcome,
  SinkUnavailable,
} from '../domain/event-sink.js';
import { isBareForm, setAsideForm } from './set-aside-form.js';

/** A message to be written. One that the store cannot hold becomes a message set aside, in place. */
export interface Entry {
  message: DecodedMessage;
}

/** Who has a batch written. */
export interface Writing<E extends Entry> {
  /** What is noted with a part of the batch. */
  note(part: readonly E[]): BatchNote;
  /** A part of the batch is durable. */
  committed(part: readonly E[], outcomes: readonly Outcome[]): void;
  /**
   * The store is away, or failed in a way that nobody foresaw. Takes its time, and says what to do.
   * @param begunMs when the write was begun, on the clock of `performance.now()`.
   */
  failed(part: readonly E[], error: unknown, begunMs: number): Promise<AfterFailure>;
}

/** Try that part again; or it is dealt with otherwise, and the rest of the batch is next; or nothing more is to be written. */
export type AfterFailure = 'again' | 'next' | 'stop';

/** How often a batch is tried again after an error that nobody foresaw, before its messages are tried one by one. */
const UNFORESEEN_TRIES = 5;

/**
 * Has a batch stored, whatever one of its messages does to it. It is the one place that decides what an error of the store
 * means:
 * - SinkUnavailable: whoever has the batch written decides when to try again.
 * - MessageCondemned: halve the batch until the bad message stands alone, set that one aside, store its neighbours.
 * - anything else is a fault of ours: said as an error and tried again like an absent store. If it stays, it is looked for by
 *   halving too, and a message that fails alone is set aside with its bytes. Holding it for ever would cost more: the platform
 *   drops unanswered messages after a day, and one unanswered message blocks its whole connection in the end.
 */
export class IsolatingWriter {
  private readonly log = new Logger('Ingestor');
  /** Slots of the batches that are under way. */
  private readonly taken = new Set<number>();

  constructor(private readonly sink: EventSink) {}

  /** @returns false when `failed` said to stop: then nothing behind that part was written. */
  async write<E extends Entry>(batch: readonly E[], writing: Writing<E>): Promise<boolean> {
    let slot = 0;
    while (this.taken.has(slot)) slot += 1;
    this.taken.add(slot);
    try {
      return await this.attempt(batch, writing, slot, UNFORESEEN_TRIES);
    } finally {
      this.taken.delete(slot);
    }
  }

  private async attempt<E extends Entry>(
    batch: readonly E[],
    writing: Writing<E>,
    slot: number,
    triesLeft: number,
  ): Promise<boolean> {
    let tries = triesLeft;
    const ticket = { batch: randomUUID(), slot };
    for (let again = false; ; again = true) {
      const begunMs = performance.now();
      let outcomes: readonly Outcome[];
      try {
        outcomes = await this.sink.write(
          batch.map(({ message }) => message),
          { ...writing.note(batch), ticket: { ...ticket, again } },
        );
        if (outcomes.length !== batch.length) throw new Error('The store did not say what became of every message');
      } catch (error) {
        const unforeseen = !(error instanceof SinkUnavailable || error instanceof MessageCondemned);
        if (unforeseen) this.log.error({ msg: 'Writing failed; this is a fault of ours', err: error, tries });
        if (error instanceof MessageCondemned || (unforeseen && tries <= 0)) {
          if (batch.length > 1) return this.halves(batch, writing, slot, unforeseen ? 0 : tries);
          if (this.giveUpOnEvents(batch, error)) continue;
        }
        if (unforeseen) tries -= 1;
        const next = await writing.failed(batch, error, begunMs);
        if (next === 'again') continue;
        return next === 'next';
      }
      writing.committed(batch, outcomes);
      return true;
    }
  }

  private async halves<E extends Entry>(
    batch: readonly E[],
    writing: Writing<E>,
    slot: number,
    tries: number,
  ): Promise<boolean> {
    const half = Math.ceil(batch.length / 2);
    return (
      (await this.attempt(batch.slice(0, half), writing, slot, tries)) &&
      (await this.attempt(batch.slice(half), writing, slot, tries))
    );
  }

  /** @returns false when the message was in its barest form already. */
  private giveUpOnEvents(batch: readonly Entry[], error: unknown): boolean {
    const [alone] = batch;
    if (alone === undefined || isBareForm(alone.message)) return false;
    const condemned = error instanceof MessageCondemned;
    this.log.warn({
      msg: 'A message that cannot be stored is set aside',
      key: alone.message.key,
      reason: condemned ? error.message : String(error),
    });
    alone.message = setAsideForm(
      alone.message,
      condemned ? error.message : 'Writing this message failed, by a fault of the service.',
    );
    return true;
  }
}
