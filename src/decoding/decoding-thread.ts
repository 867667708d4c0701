import { Worker } from 'node:worker_threads';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { DeviceEvent } from '../domain/device-event.js';
import type { RawMessage } from '../domain/raw-message.js';
import type { ThreadAnswer, ThreadIdentified, ThreadRequest, ThreadVerdict } from './decode-large.worker.js';
import type { DecodeOptions, IdentifiedMessage } from './decode-message.js';

export interface ThreadLimits {
  /** When the thread says nothing for so long, the message that it is at ends it. */
  readonly deadlineMs: number;
  /** A body may be 1 MiB and its tree a multiple; beyond this the thread ends, not the process. */
  readonly heapMb: number;
}

/** A message's decoding ended the thread, by crashing it or by taking too long. */
export class ThreadEnded extends Error {
  override readonly name = 'ThreadEnded';

  /** @param identified what the thread said of the message before it ended */
  constructor(
    reason: string,
    readonly identified: IdentifiedMessage | null,
  ) {
    super(reason);
  }
}

/** The thread was told to stop; the message is not to blame. */
export class ThreadStopped extends Error {
  override readonly name = 'ThreadStopped';
}

/** Copying a body of 16 MiB in one piece takes 50 ms of a busy machine. */
const COPY_BYTES = 1024 * 1024;

/** A message that the thread is at, and what it has said of it so far. */
interface Job {
  readonly raw: RawMessage;
  readonly resolve: (decoded: DecodedMessage) => void;
  readonly reject: (reason: Error) => void;
  /** Ends the thread unless it says something before. */
  readonly deadline: NodeJS.Timeout;
  identified: IdentifiedMessage | null;
  readonly events: DeviceEvent[];
}

/**
 * One worker thread that decodes one message at a time. It keeps the process alive only while it has work. What it has to say
 * is read in parts, each in a turn of the event loop of its own. Once it has ended, it stays so.
 */
export class DecodingThread {
  private readonly worker: Worker;
  private job: Job | null = null;
  private failure = 'it ended';
  private ended = false;

  /** @param file a script that answers `ThreadRequest`s as `decode-large.worker` does */
  constructor(
    file: string,
    private readonly limits: ThreadLimits,
  ) {
    this.worker = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: limits.heapMb } });
    this.worker.unref();
    this.worker.on('message', (answer: ThreadAnswer) => this.hear(answer));
    this.worker.on('error', (error: Error) => (this.failure = error.message));
    this.worker.on('exit', () => this.end(this.failure));
  }

  /** False once it has ended, and for good. */
  get isAlive(): boolean {
    return !this.ended;
  }

  /**
   * @throws ThreadEnded when the message ends the thread.
   * @throws ThreadStopped when somebody else does.
   */
  decode(raw: RawMessage, options: DecodeOptions): Promise<DecodedMessage> {
    return new Promise((resolve, reject) => {
      const { deadlineMs } = this.limits;
      const deadline = setTimeout(() => this.end(`it took longer than ${deadlineMs} ms`), deadlineMs);
      this.job = { raw, resolve, reject, deadline, identified: null, events: [] };
      this.worker.ref();
      void this.send(raw, options);
    });
  }

  /** Ends the thread, and what it is at with it. */
  async stop(): Promise<void> {
    this.ended = true;
    if (this.job !== null) this.finish().reject(new ThreadStopped('The decoding thread was stopped'));
    await this.worker.terminate();
  }

  private async send(raw: RawMessage, options: DecodeOptions): Promise<void> {
    const body = new Uint8Array(raw.body.length); // a view would send along whatever it is a view of
    for (let from = 0; from < body.length; from += COPY_BYTES) {
      if (from > 0) await nextTurn();
      body.set(raw.body.subarray(from, from + COPY_BYTES), from);
    }
    const request: ThreadRequest = { raw: { ...raw, body }, options };
    this.worker.postMessage(request, [body.buffer]);
  }

  private hear(answer: ThreadAnswer): void {
    const { job } = this;
    if (job === null) return;
    job.deadline.refresh();
    if ('key' in answer) {
      job.identified = identified(job.raw, answer);
      return;
    }
    for (const event of answer.events) job.events.push(event);
    if (answer.verdict === null) {
      const next: ThreadRequest = 'go on';
      setImmediate(() => this.worker.postMessage(next)); // messages that wait are read in one turn: ask for one a turn
    } else if (job.identified !== null) {
      this.finish().resolve(decoded(job.identified, job.events, answer.verdict));
    }
  }

  private end(reason: string): void {
    this.ended = true;
    if (this.job === null) return;
    const { reject, identified: known } = this.finish();
    reject(new ThreadEnded(reason, known));
    void this.worker.terminate();
  }

  private finish(): Job {
    const { job } = this;
    if (job === null) throw new Error('The thread has nothing to do');
    this.job = null;
    clearTimeout(job.deadline);
    this.worker.unref();
    return job;
  }
}

function identified(raw: RawMessage, { key, body, properties }: ThreadIdentified): IdentifiedMessage {
  const kept = body === null ? raw.body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { key, raw: { ...raw, body: kept, properties } };
}

function decoded(
  message: IdentifiedMessage,
  events: readonly DeviceEvent[],
  { sentAt, refusal, about }: ThreadVerdict,
): DecodedMessage {
  if (refusal === null) return { ...message, sentAt, events, refusal };
  if (about === undefined) throw new Error('A refusal says what it is about');
  return { ...message, sentAt, events: [], refusal, about };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
