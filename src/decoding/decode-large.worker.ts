import { parentPort } from 'node:worker_threads';
import { decodeMessage, type DecodeOptions } from './decode-message.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';

/** One body to decode. Its bytes cross over as a plain Uint8Array. */
export interface ThreadRequest {
  readonly raw: Omit<RawMessage, 'body'> & { readonly body: Uint8Array };
  readonly options: DecodeOptions;
}

/** What became of it. `body` and `properties` are there only where a secret was blanked in them. */
export interface ThreadAnswer {
  readonly decoded: Omit<DecodedMessage, 'raw'>;
  readonly body: Uint8Array | null;
  readonly properties: RawMessage['properties'];
}

/** The far end of `DecodingThread`: answers each request, in order. */
parentPort?.on('message', ({ raw: sent, options }: ThreadRequest) => {
  const body = Buffer.from(sent.body.buffer, sent.body.byteOffset, sent.body.byteLength);
  const { raw, ...decoded } = decodeMessage({ ...sent, body }, options);
  const redacted = raw.body === body ? null : new Uint8Array(raw.body);
  const answer: ThreadAnswer = { decoded, body: redacted, properties: raw.properties };
  parentPort?.postMessage(answer, redacted === null ? [] : [redacted.buffer]);
});
