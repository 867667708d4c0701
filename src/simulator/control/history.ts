import type { ConsumerGroup } from '../platform/consumer-group.js';

/** What happened in a group in one second of the world's time, and what was waiting at its end. */
export interface Sample {
  readonly published: number;
  readonly sent: number;
  readonly accepted: number;
  readonly queued: number;
  readonly unsettled: number;
}

interface Series {
  last: { published: number; sent: number; accepted: number };
  readonly samples: Sample[];
}

/** The last minutes of every group, a sample a second, so that the page has charts as soon as it opens. */
export class History {
  private readonly series = new Map<ConsumerGroup, Series>();
  private timer: NodeJS.Timeout | undefined;
  private ticks = 0;

  /** `kept` seconds are remembered. */
  constructor(
    private readonly groups: ReadonlyMap<string, ConsumerGroup>,
    readonly kept = 300,
  ) {}

  /** Number of samples taken so far. */
  get tick(): number {
    return this.ticks;
  }

  start(): void {
    this.sample();
    this.timer = setInterval(() => this.sample(), 1_000).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  sample(): void {
    this.ticks++;
    const present = new Set(this.groups.values());
    for (const group of this.series.keys()) if (!present.has(group)) this.series.delete(group);
    for (const group of present) {
      const { published, sent, accepted, queued, unsettled } = group.counts;
      let series = this.series.get(group);
      // What happened before the first look is no second's work.
      if (!series) this.series.set(group, (series = { last: { published, sent, accepted }, samples: [] }));
      const { last, samples } = series;
      samples.push({
        published: published - last.published,
        sent: sent - last.sent,
        accepted: accepted - last.accepted,
        queued,
        unsettled,
      });
      if (samples.length > this.kept) samples.shift();
      series.last = { published, sent, accepted };
    }
  }

  /** The samples after the `tick`th, oldest first; of a group that came later, all it has. */
  since(group: ConsumerGroup, tick: number): readonly Sample[] {
    const samples = this.series.get(group)?.samples ?? [];
    const wanted = Math.min(samples.length, Math.max(0, this.ticks - tick));
    return wanted === 0 ? [] : samples.slice(-wanted);
  }
}
