import type { DecodedMessage } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';
import { aboutTopic } from './about-message.js';
import { identifyMessage, type DecodeOptions, type IdentifiedMessage } from './decode-message.js';
import { DecodingThread, ThreadEnded, ThreadStopped, type ThreadLimits } from './decoding-thread.js';
import { readTopic } from './topic.js';

export interface ThreadsOptions extends ThreadLimits {
  /** How many messages are decoded at once. */
  readonly threads: number;
}

/**
 * The slowest body that was found takes a second for 16 MiB. What takes five hangs, and those that wait behind it should have
 * time left of the platform's 30 s: twice five for one that hangs, and there is a second thread.
 */
const USUAL: ThreadsOptions = { threads: 2, deadlineMs: 5_000, heapMb: 256 };

/** How often a message is tried whose decoding ended its thread. */
const ATTEMPTS = 2;

interface Job {
  readonly raw: RawMessage;
  readonly options: DecodeOptions;
  readonly resolve: (decoded: DecodedMessage) => void;
  /** What a thread that ended said of it. */
  identified: IdentifiedMessage | null;
  attempts: number;
}

/**
 * A few threads that decode large messages, each started when it is needed. A message that ends its thread is tried once more,
 * after all that wait now: they have done nothing. Then it is refused.
 */
export class DecodingThreads {
  private readonly options: ThreadsOptions;
  private readonly idle: DecodingThread[] = [];
  private readonly busy = new Set<DecodingThread>();
  private readonly queue: Job[] = [];

  /** @param file the script of a thread */
  constructor(
    private readonly file: string,
    options: Partial<ThreadsOptions> = {},
  ) {
    this.options = { ...USUAL, ...options };
  }

  decode(raw: RawMessage, options: DecodeOptions): Promise<DecodedMessage> {
    return new Promise((resolve) => {
      this.queue.push({ raw, options, resolve, identified: null, attempts: 0 });
      this.assign();
    });
  }

  /** Ends the threads. Messages in hand are decoded by new ones. */
  async stop(): Promise<void> {
    await Promise.all([...this.idle.splice(0), ...this.busy].map((thread) => thread.stop()));
  }

  private assign(): void {
    while (this.queue.length > 0 && this.busy.size < this.options.threads) {
      const job = this.queue.shift();
      if (job !== undefined) void this.work(this.aThread(), job);
    }
  }

  private aThread(): DecodingThread {
    for (let thread = this.idle.pop(); thread !== undefined; thread = this.idle.pop()) {
      if (thread.isAlive) return thread;
    }
    return new DecodingThread(this.file, this.options);
  }

  private async work(thread: DecodingThread, job: Job): Promise<void> {
    this.busy.add(thread);
    try {
      job.resolve(await thread.decode(job.raw, job.options));
    } catch (error) {
      this.judge(job, error);
    }
    this.busy.delete(thread);
    if (thread.isAlive) this.idle.push(thread);
    this.assign();
  }

  private judge(job: Job, error: unknown): void {
    if (error instanceof ThreadEnded) job.identified ??= error.identified;
    if (!(error instanceof ThreadStopped)) job.attempts += 1;
    if (job.attempts < ATTEMPTS) this.queue.push(job);
    else job.resolve(refused(job, error instanceof Error ? error.message : String(error)));
  }
}

function refused({ raw, identified }: Job, failure: string): DecodedMessage {
  return {
    ...(identified ?? identifyMessage(raw)),
    sentAt: null,
    events: [],
    refusal: { reason: 'invalid-body', detail: `Decoding it ended the decoding thread twice: ${failure}` },
    about: aboutTopic(readTopic(raw.topic)),
  };
}
