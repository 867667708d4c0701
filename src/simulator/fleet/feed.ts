import type { Clock } from '../clock.js';
import type { Publication } from '../platform/platform-message.js';
import { Fleet, type FleetOptions } from './fleet.js';

export interface FeedOptions extends FleetOptions {
  /** Messages/s of the whole fleet; 0 sends the first messages only. */
  readonly rate: number;
}

const TICK_MS = 20;

/** Lets a fleet live at its rate and sends what it says. */
export class Feed {
  private readonly fleet: Fleet;
  private timer: NodeJS.Timeout | undefined;
  private owed = 0;
  private lastTick = 0;

  constructor(
    private readonly options: FeedOptions,
    private readonly clock: Clock,
    private readonly send: (publication: Publication) => void,
  ) {
    this.fleet = new Fleet(options);
  }

  start(): void {
    for (const publication of this.fleet.start(this.clock.now())) this.send(publication);
    this.lastTick = performance.now();
    if (this.options.rate > 0) this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = performance.now();
    // After a pause of the process (a laptop's lid) go on from there, rather than make up for it all at once.
    this.owed += (Math.min(now - this.lastTick, 1_000) / 1_000) * this.options.rate;
    this.lastTick = now;
    // A rate beyond what this machine can do must not keep the process from serving its clients.
    const until = now + TICK_MS / 2;
    while (this.owed >= 1 && performance.now() < until) {
      const publications = this.fleet.next(this.clock.now());
      this.owed -= Math.max(1, publications.length);
      for (const publication of publications) this.send(publication);
    }
    this.owed = Math.min(this.owed, this.options.rate / 10 + 1);
  }
}
