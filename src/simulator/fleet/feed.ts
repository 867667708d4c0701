import type { Clock } from '../clock.js';
import type { Publication } from '../platform/platform-message.js';
import type { Fleet } from './fleet.js';

const TICK_MS = 20;
/** So many devices tell of themselves before the simulator is said to be up; those of a larger fleet follow in its ticks. */
const AT_ONCE = 1_000;

/** Lets a fleet live at its rate and sends what it says. */
export class Feed {
  private timer: NodeJS.Timeout | undefined;
  private starting: Iterator<Publication[]> | null;
  private owed = 0;
  private lastTick = 0;

  constructor(
    private readonly fleet: Fleet,
    /** Messages in each of the world's seconds; 0 sends the first messages and answers only. */
    private readonly rate: number,
    private readonly clock: Clock,
    private readonly send: (publication: Publication) => void,
  ) {
    this.starting = fleet.starting(() => clock.now());
  }

  /** How many devices there are. */
  get size(): number {
    return this.fleet.devices.length;
  }

  start(): void {
    for (let devices = 0; devices < AT_ONCE && this.begin(); devices++);
    this.lastTick = performance.now();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = performance.now();
    // After a pause of the process (a laptop's lid) go on from there, rather than make up for it all at once.
    this.owed += (Math.min(now - this.lastTick, 1_000) / 1_000) * this.rate;
    this.lastTick = now;
    // A rate beyond what this machine can do must not keep the process from serving its clients.
    const until = now + TICK_MS / 2;
    for (let said = this.fleet.answered(this.clock.now()); said.length > 0;) {
      this.sendAll(said);
      said = this.fleet.answered(this.clock.now());
    }
    while (this.starting && performance.now() < until) this.begin();
    while (this.owed >= 1 && performance.now() < until) {
      const publications = this.fleet.next(this.clock.now());
      this.owed -= Math.max(1, publications.length);
      this.sendAll(publications);
    }
    this.owed = Math.min(this.owed, this.rate / 10 + 1);
  }

  /** Another device tells of itself; false when all have. */
  private begin(): boolean {
    const next = this.starting?.next();
    if (!next || next.done === true) {
      this.starting = null;
      return false;
    }
    this.sendAll(next.value);
    return true;
  }

  private sendAll(publications: readonly Publication[]): void {
    for (const publication of publications) this.send({ ...publication, origin: { from: 'fleet' } });
  }
}
