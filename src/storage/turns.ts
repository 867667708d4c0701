import { SinkUnavailable } from '../domain/event-sink.js';
import { Abandoned } from './asker.js';

interface Waiting {
  readonly begin: () => void;
}

/** A few turns at once; the others wait: origins one after the other, and questions of one origin in the order they came. */
export class Turns {
  private running = 0;
  private queued = 0;
  /** By origin; the origin whose turn comes next is the first. */
  private readonly waiting = new Map<string, Waiting[]>();

  /** @param queue Whoever would have to wait behind more than so many is told to come back later. */
  constructor(
    private readonly atOnce: number,
    private readonly queue: number,
  ) {}

  /**
   * Comes back when the turn begins. `end` must be called after it.
   * @throws SinkUnavailable when too many wait, Abandoned when whoever asks goes away before.
   */
  async begin(origin: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw new Abandoned();
    if (this.running < this.atOnce) {
      this.running += 1;
      return;
    }
    if (this.queued >= this.queue) throw new SinkUnavailable('too many questions at once');
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.remove(origin, one);
        reject(new Abandoned());
      };
      const one: Waiting = {
        begin: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.queued += 1;
      const others = this.waiting.get(origin);
      if (others) others.push(one);
      else this.waiting.set(origin, [one]);
    });
  }

  /** Ends a turn. It goes to the next one directly: nobody who comes just now is before those who wait. */
  end(): void {
    const [next] = this.waiting;
    const one = next?.[1][0];
    if (next === undefined || one === undefined) {
      this.running -= 1;
      return;
    }
    const [origin, queue] = next;
    this.remove(origin, one);
    if (queue.length > 0) {
      this.waiting.delete(origin);
      this.waiting.set(origin, queue);
    }
    one.begin();
  }

  private remove(origin: string, one: Waiting): void {
    const queue = this.waiting.get(origin);
    const index = queue?.indexOf(one) ?? -1;
    if (queue === undefined || index < 0) return;
    queue.splice(index, 1);
    this.queued -= 1;
    if (queue.length === 0) this.waiting.delete(origin);
  }
}
