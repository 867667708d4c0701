import type { DecodedMessage } from '../domain/decoded-message.js';
import type { Outcome } from '../domain/event-sink.js';

/** A row to add to IngestCount. */
export interface CountRow {
  readonly minute: Date;
  readonly transport: string;
  readonly replica: string;
  readonly outcome: Outcome | 'received' | 'expired';
  readonly count: number;
}

const MINUTE_MS = 60_000;

/** What became of a batch, by the minute in which each message was received and by transport. */
export function tallyOutcomes(
  batch: readonly DecodedMessage[],
  outcomes: readonly Outcome[],
  expired: ReadonlySet<string>,
  replica: string,
): CountRow[] {
  const rows = new Map<string, { minute: Date; transport: string; outcome: CountRow['outcome']; count: number }>();
  const add = (message: DecodedMessage, outcome: CountRow['outcome']): void => {
    const { transport, receivedAt } = message.raw;
    const minute = Math.floor(receivedAt.getTime() / MINUTE_MS) * MINUTE_MS;
    const key = `${minute} ${outcome} ${transport}`;
    const row = rows.get(key);
    if (row) row.count++;
    else rows.set(key, { minute: new Date(minute), transport, outcome, count: 1 });
  };
  batch.forEach((message, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error('every message has an outcome');
    add(message, 'received');
    add(message, outcome);
    if (outcome === 'stored' && expired.has(message.key)) add(message, 'expired');
  });
  return [...rows.values()].map((row) => ({ ...row, replica }));
}
