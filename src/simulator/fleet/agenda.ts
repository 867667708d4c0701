import type { Publication } from '../platform/platform-message.js';

type Entry = { readonly at: number; readonly order: number; readonly happen: (now: number) => Publication[] };

/** What will happen later, in the order of its times; of equal times, in the order it was entered. */
export class Agenda {
  /** A heap: no entry is later than its two children, at twice its place and one or two further. */
  private readonly heap: Entry[] = [];
  private entered = 0;

  get size(): number {
    return this.heap.length;
  }

  at(at: number, happen: (now: number) => Publication[]): void {
    const entry = { at, order: this.entered++, happen };
    let place = this.heap.length;
    this.heap.push(entry);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.heap[above];
      if (!parent || !isBefore(entry, parent)) break;
      this.heap[place] = parent;
      place = above;
    }
    this.heap[place] = entry;
  }

  /** The first due thing that says something; things that turn out to say nothing are passed over. */
  due(now: number): Publication[] {
    for (let first = this.heap[0]; first && first.at <= now; first = this.heap[0]) {
      this.removeFirst();
      const said = first.happen(now);
      if (said.length > 0) return said;
    }
    return [];
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (!last || this.heap.length === 0) return;
    let place = 0;
    for (;;) {
      const [left, right] = [this.heap[2 * place + 1], this.heap[2 * place + 2]];
      if (!left) break;
      const [child, below] = right && isBefore(right, left) ? [right, 2 * place + 2] : [left, 2 * place + 1];
      if (!isBefore(child, last)) break;
      this.heap[place] = child;
      place = below;
    }
    this.heap[place] = last;
  }
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);
