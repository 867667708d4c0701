/** Something that happens later; cancelled ones are passed over. */
export interface Planned {
  cancelled: boolean;
}

interface Entry extends Planned {
  readonly at: number;
  readonly number: number;
  readonly happen: () => void;
}

/** Node's timers hold no more than this, and a clock that is moved by hand may never reach its time. */
const LONGEST_TIMER_MS = 60_000;

/** So much happens in one turn of the event loop, so that what comes faster than it is done leaves others their turn. */
const MOST_A_TURN = 50_000;

/** What will happen at which time of a clock, in the order of times, and of planning where the times are equal. */
export class Schedule {
  /** A binary heap: the first to happen is at index 0. */
  private readonly heap: Entry[] = [];
  private planned = 0;
  private timer: NodeJS.Timeout | undefined;
  private timerFor = Number.POSITIVE_INFINITY;
  private running = false;

  /** `realMs` says how long the world waits for so many of the clock's milliseconds. */
  constructor(
    readonly now: () => number,
    private readonly realMs: (ms: number) => number,
  ) {}

  at(at: number, happen: () => void): Planned {
    const entry: Entry = { at, number: this.planned++, happen, cancelled: false };
    this.push(entry);
    this.arm();
    return entry;
  }

  /** Lets everything happen whose time has come, each seeing the same now. Also when a message comes by, not by timers only. */
  runDue(): void {
    if (this.running) return;
    this.running = true;
    let left = MOST_A_TURN;
    try {
      for (let first = this.heap[0]; first && first.at <= this.now() && left-- > 0; first = this.heap[0]) {
        this.pop();
        if (!first.cancelled) first.happen();
      }
    } finally {
      this.running = false;
    }
    this.arm();
  }

  close(): void {
    clearTimeout(this.timer);
    this.heap.length = 0;
  }

  private arm(): void {
    const first = this.heap[0];
    if (this.running || !first || first.at >= this.timerFor) return;
    clearTimeout(this.timer);
    this.timerFor = first.at;
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(1, this.realMs(first.at - this.now())));
    this.timer = setTimeout(() => {
      this.timerFor = Number.POSITIVE_INFINITY;
      this.runDue();
    }, wait);
    this.timer.unref();
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent])) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function before(a: Entry | undefined, b: Entry | undefined): boolean {
  if (!a || !b) return a !== undefined;
  return a.at < b.at || (a.at === b.at && a.number < b.number);
}
