import { type BeforeApplicationShutdown, HttpException, Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { ProblemDocument } from './problem.js';

/** Each has a page of its own in memory, and a processor's time to write it. */
const AT_ONCE = 4;

/** An export gives up one that does not read for so long: its place is wanted by others. */
export const STALLED_MS = 300_000;

/** Too many whole lists are on their way out. */
export class TooManyExports extends HttpException {
  constructor() {
    super(
      {
        type: 'urn:living-mirror:problem:too-many-exports',
        title: 'Too many exports',
        status: 503,
        detail: `${AT_ONCE} whole lists are being sent already: try again later, or ask page by page with limit`,
      } satisfies ProblemDocument,
      503,
    );
  }
}

/** The whole lists that are on their way out. */
@Injectable()
export class Exports implements BeforeApplicationShutdown {
  private readonly running = new Set<Export>();

  /**
   * A place for one more.
   * @throws TooManyExports
   */
  begin(): Export {
    if (this.running.size >= AT_ONCE) throw new TooManyExports();
    const one = new Export(() => this.running.delete(one));
    this.running.add(one);
    return one;
  }

  /** They would outlast any patience. A list that breaks off is not taken for a whole one. */
  beforeApplicationShutdown(): void {
    for (const one of this.running) one.breakOff('the service is stopping');
  }
}

/** One of them. */
export class Export {
  private stream: Readable | null = null;

  constructor(readonly end: () => void) {}

  /** From now on it lasts as long as this stream. */
  lastsAs(stream: Readable): void {
    this.stream = stream;
    stream.once('close', this.end);
  }

  breakOff(why: string): void {
    this.stream?.destroy(new Error(why));
  }
}
