import type { Answer, Fate } from './fate.js';
import type { Origin, PlatformMessage } from './platform-message.js';

/** Hears what becomes of every message. On the path of each delivery: cheap, and never throws. */
export interface MessageTrace {
  published(message: PlatformMessage, origin: Origin | null, groups: readonly string[]): void;
  sent(message: PlatformMessage, group: string, clientId: string): void;
  answered(message: PlatformMessage, group: string, answer: Answer): void;
  dropped(message: PlatformMessage, group: string, why: 'expired' | 'overflowed' | 'cleared'): void;
}

interface Entry {
  readonly message: PlatformMessage;
  readonly origin: Origin | null;
  readonly fates: Map<string, { outcome: Fate['outcome']; deliveries: number; answers: Answer[] }>;
}

/** The last messages and what became of each in every group (the platform's 日志查看, protocol 12). */
export class MessageLog implements MessageTrace {
  private readonly entries = new Map<string, Entry>();

  /** `capacity` 0 remembers nothing. */
  constructor(private readonly capacity: number) {}

  published(message: PlatformMessage, origin: Origin | null, groups: readonly string[]): void {
    if (this.capacity === 0) return;
    const entry = this.entries.get(message.id) ?? { message, origin, fates: new Map() };
    for (const group of groups) {
      if (!entry.fates.has(group)) entry.fates.set(group, { outcome: 'queued', deliveries: 0, answers: [] });
    }
    this.entries.set(message.id, entry);
    if (this.entries.size <= this.capacity) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      break;
    }
  }

  sent(message: PlatformMessage, group: string): void {
    const fate = this.entries.get(message.id)?.fates.get(group);
    if (!fate) return;
    fate.outcome = 'unsettled';
    fate.deliveries++;
  }

  answered(message: PlatformMessage, group: string, answer: Answer): void {
    const fate = this.entries.get(message.id)?.fates.get(group);
    if (!fate) return;
    fate.answers.push(answer);
    fate.outcome = answer === 'accepted' ? 'accepted' : 'queued';
  }

  dropped(message: PlatformMessage, group: string, why: 'expired' | 'overflowed' | 'cleared'): void {
    const fate = this.entries.get(message.id)?.fates.get(group);
    if (fate) fate.outcome = why;
  }

  /** What became of a message in one group, or in the group that has done most about it; null when unknown. */
  fate(messageId: string, group?: string): Fate | null {
    const fates = this.entries.get(messageId)?.fates;
    if (!fates) return null;
    if (group !== undefined) return fates.get(group) ?? null;
    return [...fates.values()].sort((a, b) => b.deliveries - a.deliveries)[0] ?? null;
  }
}
