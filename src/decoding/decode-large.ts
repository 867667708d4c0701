import { existsSync } from 'node:fs';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';
import { decodeMessage, type DecodeOptions } from './decode-message.js';
import { DecodingThreads } from './decoding-threads.js';

/**
 * Bodies of more bytes are decoded in a thread of their own, so that they hold up nobody else. The worst body of 256 KiB (a list
 * of 130,000 things that are no tags) took 310 ms; at this size nothing comes near 50.
 */
export const IN_PLACE_LIMIT_BYTES = 16 * 1024;

let threads: DecodingThreads | null = null;

/** Decodes small bodies at once and large ones in worker threads, which are started when the first of them comes. */
export function decodeAnySize(raw: RawMessage, options: DecodeOptions): DecodedMessage | Promise<DecodedMessage> {
  if (raw.body.length <= IN_PLACE_LIMIT_BYTES) return decodeMessage(raw, options);
  if (threads === null) {
    const file = workerFile(import.meta.url);
    if (!existsSync(file)) return decodeMessage(raw, options); // sources that were never built
    threads = new DecodingThreads(file);
  }
  return threads.decode(raw, options);
}

/** Ends the worker threads, if any run. The next large body starts others. */
export async function stopDecodingThreads(): Promise<void> {
  const running = threads;
  threads = null;
  await running?.stop();
}

/** The worker beside this module; for a TypeScript source, the one that was built from it. */
export function workerFile(moduleUrl: string): string {
  const path = fileURLToPath(new URL('./decode-large.worker.js', moduleUrl));
  return moduleUrl.endsWith('.ts')
    ? path.replace(`${sep}src${sep}decoding${sep}`, `${sep}dist${sep}decoding${sep}`)
    : path;
}
