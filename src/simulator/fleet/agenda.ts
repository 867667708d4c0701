import type { Publication } from '../platform/platform-message.js';

type Entry = { readonly at: number; readonly happen: (now: number) => Publication[] };

/** What will happen later, in the order of its times. */
export class Agenda {
  private readonly entries: Entry[] = [];

  at(at: number, happen: (now: number) => Publication[]): void {
    const later = this.entries.findIndex((entry) => entry.at > at);
    this.entries.splice(later < 0 ? this.entries.length : later, 0, { at, happen });
  }

  /** The first due thing that says something; things that turn out to say nothing are passed over. */
  due(now: number): Publication[] {
    for (let first = this.entries[0]; first && first.at <= now; first = this.entries[0]) {
      this.entries.shift();
      const said = first.happen(now);
      if (said.length > 0) return said;
    }
    return [];
  }
}
