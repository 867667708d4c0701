import { parentPort } from 'node:worker_threads';
import { decodeIdentified, identifyMessage, type DecodeOptions } from './decode-message.js';
import type { About, DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import type { DeviceEvent } from '../domain/device-event.js';
import { inSlices } from '../domain/facts.js';
import type { RawMessage, Refusal } from '../domain/raw-message.js';

/** One body to decode; its bytes cross over as a plain Uint8Array. Or, when an answer has been read: the next part, please. */
export type ThreadRequest =
  { readonly raw: Omit<RawMessage, 'body'> & { readonly body: Uint8Array }; readonly options: DecodeOptions } | 'go on';

/** Comes first, before anything is decoded: the message as it is kept even if its decoding never ends. */
export interface ThreadIdentified {
  readonly key: MessageKey;
  /** Null where no secret was blanked in it. */
  readonly body: Uint8Array | null;
  readonly properties: RawMessage['properties'];
}

/** What is told of a message beside its events. */
export interface ThreadVerdict {
  readonly sentAt: Date | null;
  readonly refusal: Refusal | null;
  readonly about: About | undefined;
}

/** Then come its events in parts, each when it is asked for, and the verdict with the last of them. */
export interface ThreadPart {
  readonly events: readonly DeviceEvent[];
  readonly verdict: ThreadVerdict | null;
}

export type ThreadAnswer = ThreadIdentified | ThreadPart;

/**
 * So many facts are handed over at once. Whoever gets them takes about a microsecond for each to make objects of them again,
 * and should not stand still for it: a message of 100,000 readings in one piece cost the service 90 ms.
 */
const FACTS_A_PART = 2_000;

let parts: Iterator<ThreadPart, undefined> | null = null;

/** The far end of `DecodingThread`: one request at a time. */
parentPort?.on('message', (request: ThreadRequest) => {
  if (request !== 'go on') parts = partsOf(decode(request));
  const part = parts?.next().value;
  if (part !== undefined) parentPort?.postMessage(part);
});

function decode({ raw: sent, options }: Exclude<ThreadRequest, 'go on'>): DecodedMessage {
  const body = Buffer.from(sent.body.buffer, sent.body.byteOffset, sent.body.byteLength);
  const identified = identifyMessage({ ...sent, body });
  const { key, raw } = identified;
  const redacted = raw.body === body ? null : new Uint8Array(raw.body);
  const answer: ThreadIdentified = { key, body: redacted, properties: raw.properties };
  parentPort?.postMessage(answer, redacted === null ? [] : [redacted.buffer]);
  return decodeIdentified(identified, options);
}

function* partsOf(decoded: DecodedMessage): Generator<ThreadPart, undefined> {
  const { sentAt, refusal } = decoded;
  const verdict: ThreadVerdict = { sentAt, refusal, about: 'about' in decoded ? decoded.about : undefined };
  const slices = inSlices(decoded.events, FACTS_A_PART);
  if (slices.length === 0) yield { events: [], verdict };
  for (const [index, events] of slices.entries()) {
    yield { events, verdict: index === slices.length - 1 ? verdict : null };
  }
  return undefined;
}
