import { ABOUT_NOTHING, type DecodedMessage } from '../domain/decoded-message.js';
import type { RawMessage, Refusal } from '../domain/raw-message.js';
import { aboutEvents, aboutTopic } from '../decoding/about-message.js';
import { messageKey } from '../decoding/message-key.js';
import { redactSecrets } from '../decoding/redact-secrets.js';
import { readTopic } from '../decoding/topic.js';

/**
 * The same message as one that is only to be kept, not understood. Should the store refuse even that, the form after it
 * goes without everything but the exact bytes.
 */
export function setAsideForm(message: DecodedMessage, detail: string): DecodedMessage {
  const refusal: Refusal = { reason: 'not-storable', detail };
  if (message.refusal === null) {
    return { ...message, events: [], refusal, about: aboutEvents(message.raw.topic, message.events) };
  }
  return { ...message, raw: { ...message.raw, ...nothingButBytes }, refusal, about: ABOUT_NOTHING };
}

/** True when there is no further form to try. */
export function isBareForm(message: DecodedMessage): boolean {
  return message.refusal?.reason === 'not-storable' && message.raw.properties === nothingButBytes.properties;
}

/** A message that made our own decoder fail: kept like any other that nobody understands. */
export function undecodable(raw: RawMessage, detail: string): DecodedMessage {
  return {
    key: messageKey(raw),
    raw: redactSecrets(raw),
    sentAt: null,
    events: [],
    refusal: { reason: 'invalid-body', detail },
    about: aboutTopic(readTopic(raw.topic)),
  };
}

const nothingButBytes = { messageId: null, topic: null, generateTime: null, properties: {} } as const;
