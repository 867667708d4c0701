import { minuteOf, type ReceivedCount } from '../domain/event-sink.js';
import type { RawMessage } from '../domain/raw-message.js';

/** How many messages of a batch each transport received, and in which minute. */
export function receivedCounts(messages: readonly Pick<RawMessage, 'transport' | 'receivedAt'>[]): ReceivedCount[] {
  const counts = new Map<string, { transport: string; minute: number; count: number }>();
  for (const message of messages) {
    const { transport } = message;
    const minute = minuteOf(message);
    const key = `${minute} ${transport}`;
    const known = counts.get(key);
    if (known) known.count += 1;
    else counts.set(key, { transport, minute, count: 1 });
  }
  return [...counts.values()];
}
