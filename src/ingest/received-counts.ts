import type { ReceivedCount } from '../domain/event-sink.js';
import type { RawMessage } from '../domain/raw-message.js';

const MINUTE_MS = 60_000;

/** How many messages of a batch each transport received, and in which minute. */
export function receivedCounts(messages: readonly Pick<RawMessage, 'transport' | 'receivedAt'>[]): ReceivedCount[] {
  const counts = new Map<string, { transport: string; minute: number; count: number }>();
  for (const { transport, receivedAt } of messages) {
    const minute = Math.floor(receivedAt.getTime() / MINUTE_MS) * MINUTE_MS;
    const key = `${minute} ${transport}`;
    const known = counts.get(key);
    if (known) known.count += 1;
    else counts.set(key, { transport, minute, count: 1 });
  }
  return [...counts.values()];
}
