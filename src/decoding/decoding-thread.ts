import { Worker } from 'node:worker_threads';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';
import type { DecodeOptions } from './decode-message.js';
import type { ThreadAnswer, ThreadRequest } from './decode-large.worker.js';
import { aboutTopic } from './about-message.js';
import { messageKey } from './message-key.js';
import { redactSecrets } from './redact-secrets.js';
import { readTopic } from './topic.js';

/** A body may be 1 MiB and its tree a multiple; beyond this the thread ends, not the process. */
const HEAP_LIMIT_MB = 256;

/** How often a message is tried whose decoding ended the thread. */
const ATTEMPTS = 2;

interface Job {
  readonly raw: RawMessage;
  readonly options: DecodeOptions;
  readonly resolve: (decoded: DecodedMessage) => void;
  attempts: number;
}

/**
 * One worker thread that decodes one message after the other. It keeps the process alive only while it has work. When it
 * crashes, the message that it was at is tried once more in a new one and then refused; the others just go to the new one.
 */
export class DecodingThread {
  private worker: Worker | null = null;
  private readonly queue: Job[] = [];

  /** @param file a script that answers `ThreadRequest`s as `decode-large.worker` does */
  constructor(
    private readonly file: string,
    private readonly heapLimitMb = HEAP_LIMIT_MB,
  ) {}

  decode(raw: RawMessage, options: DecodeOptions): Promise<DecodedMessage> {
    return new Promise((resolve) => {
      this.queue.push({ raw, options, resolve, attempts: 0 });
      if (this.queue.length === 1) this.next();
    });
  }

  /** Ends the thread. Messages that wait for it are decoded by a new one. */
  async stop(): Promise<void> {
    const worker = this.worker;
    this.worker = null;
    await worker?.terminate();
    if (this.queue.length > 0 && this.worker === null) this.next();
  }

  /** Hands the first waiting message to the thread: one at a time, so that a crash is one message's doing. */
  private next(): void {
    const job = this.queue[0];
    if (job === undefined) {
      this.worker?.unref();
      return;
    }
    this.worker ??= this.start();
    this.worker.ref();
    const body = new Uint8Array(job.raw.body); // a copy: a view would send along whatever it is a view of
    const request: ThreadRequest = { raw: { ...job.raw, body }, options: job.options };
    this.worker.postMessage(request, [body.buffer]);
  }

  private start(): Worker {
    const worker = new Worker(this.file, { resourceLimits: { maxOldGenerationSizeMb: this.heapLimitMb } });
    let failure = 'it ended';
    worker.on('message', (answer: ThreadAnswer) => {
      if (this.worker === worker) this.finish((raw) => toDecoded(raw, answer));
    });
    worker.on('error', (error: Error) => (failure = error.message));
    worker.on('exit', () => {
      if (this.worker === worker) this.recover(failure);
    });
    return worker;
  }

  private recover(failure: string): void {
    this.worker = null;
    const job = this.queue[0];
    if (job === undefined) return;
    job.attempts++;
    if (job.attempts < ATTEMPTS) this.next();
    else this.finish((raw) => refused(raw, failure));
  }

  private finish(toResult: (raw: RawMessage) => DecodedMessage): void {
    const job = this.queue.shift();
    job?.resolve(toResult(job.raw));
    this.next();
  }
}

function toDecoded(raw: RawMessage, { decoded, body, properties }: ThreadAnswer): DecodedMessage {
  const kept = body === null ? raw.body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { ...decoded, raw: { ...raw, body: kept, properties } } as DecodedMessage;
}

function refused(raw: RawMessage, failure: string): DecodedMessage {
  return {
    key: messageKey(raw),
    raw: redactSecrets(raw),
    sentAt: null,
    events: [],
    refusal: { reason: 'invalid-body', detail: `Decoding it ended the decoding thread twice: ${failure}` },
    about: aboutTopic(readTopic(raw.topic)),
  };
}
