import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import { type BatchNote, minuteOf, type Outcome } from '../domain/event-sink.js';

/** A row to add to IngestCount. */
export interface CountRow {
  /** Epoch milliseconds of the minute's beginning. */
  readonly minute: number;
  readonly transport: string;
  readonly outcome: CountedOutcome;
  readonly count: number;
}

/** Which part of the messages counted elsewhere already was such as this. */
export const SHARES = ['late', 'expired', 'redelivered', 'id-reused', 'spooled'] as const;
export type Share = (typeof SHARES)[number];

/** What is counted: promise 5 adds up the first ones, the shares stand beside it. */
export type CountedOutcome = 'received' | Exclude<Outcome, 'set-aside'> | `set-aside:${string}` | Share;

/** What the write found out about messages beside their outcome, by their keys. */
export interface Findings {
  /** All their values were older than what the mirror showed already. */
  readonly late: ReadonlySet<MessageKey>;
  /** Something in them was older than retention keeps it. */
  readonly expired: ReadonlySet<MessageKey>;
  /** Another message had the same id before. */
  readonly reusedIds: ReadonlySet<MessageKey>;
}

export function isShare(outcome: CountedOutcome): outcome is Share {
  return (SHARES as readonly string[]).includes(outcome);
}

/**
 * What became of a batch, by transport and by the minute in which each message was received. What was received is what the
 * transports say; everything else is what was found here.
 */
export function tallyOutcomes(
  batch: readonly DecodedMessage[],
  outcomes: readonly Outcome[],
  findings: Findings,
  note: BatchNote | undefined,
): CountRow[] {
  const tally = new Tally();
  for (const { transport, minute, count } of note?.received ?? []) tally.add(minute, transport, 'received', count);
  batch.forEach((message, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error('every message has an outcome');
    const { transport, redelivered } = message.raw;
    const minute = minuteOf(message.raw);
    const add = (what: CountedOutcome): void => tally.add(minute, transport, what, 1);
    if (note === undefined) add('received');
    add(outcome === 'set-aside' ? `set-aside:${message.refusal?.reason ?? 'unknown'}` : outcome);
    if (outcome === 'duplicate' || redelivered === true) add('redelivered');
    if (note?.spooledUpTo !== undefined) add('spooled');
    if (outcome === 'duplicate') return; // what the first of them was is counted already
    if (findings.late.has(message.key)) add('late');
    if (findings.expired.has(message.key)) add('expired');
    if (findings.reusedIds.has(message.key)) add('id-reused');
  });
  return tally.rows();
}

class Tally {
  private readonly counts = new Map<string, { -readonly [K in keyof CountRow]: CountRow[K] }>();

  add(minute: number, transport: string, outcome: CountedOutcome, count: number): void {
    const key = `${minute} ${outcome} ${transport}`;
    const row = this.counts.get(key);
    if (row) row.count += count;
    else this.counts.set(key, { minute, transport, outcome, count });
  }

  rows(): CountRow[] {
    return [...this.counts.values()];
  }
}
