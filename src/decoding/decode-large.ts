import { existsSync } from 'node:fs';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';
import { decodeMessage, type DecodeOptions } from './decode-message.js';
import { DecodingThread } from './decoding-thread.js';

/** Bodies of more bytes are decoded in a thread of their own, so that they hold up nobody else. */
export const IN_PLACE_LIMIT_BYTES = 256 * 1024;

let thread: DecodingThread | null = null;

/** Decodes small bodies at once and large ones in a worker thread, which is started when the first of them comes. */
export function decodeAnySize(raw: RawMessage, options: DecodeOptions): DecodedMessage | Promise<DecodedMessage> {
  if (raw.body.length <= IN_PLACE_LIMIT_BYTES) return decodeMessage(raw, options);
  if (thread === null) {
    const file = workerFile(import.meta.url);
    if (!existsSync(file)) return decodeMessage(raw, options); // sources that were never built
    thread = new DecodingThread(file);
  }
  return thread.decode(raw, options);
}

/** Ends the worker thread, if one runs. The next large body starts another. */
export async function stopDecodingThread(): Promise<void> {
  const running = thread;
  thread = null;
  await running?.stop();
}

/** The worker beside this module; for a TypeScript source, the one that was built from it. */
export function workerFile(moduleUrl: string): string {
  const path = fileURLToPath(new URL('./decode-large.worker.js', moduleUrl));
  return moduleUrl.endsWith('.ts')
    ? path.replace(`${sep}src${sep}decoding${sep}`, `${sep}dist${sep}decoding${sep}`)
    : path;
}
