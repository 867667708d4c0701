import type { DeviceEvent } from './device-event.js';
import type { RawMessage, Refusal } from './raw-message.js';

/**
 * 128 bits as 32 lower-case hexadecimal digits. The first half stands for the message's id alone, so that two messages of one
 * id are known for that; the second for its id, topic and body.
 */
export type MessageKey = string;

/** The part of a key that stands for the message's id. */
export function idPart(key: MessageKey): string {
  return key.slice(0, 16);
}

interface Decoded {
  /** Hash of (messageId, topic, body): the same message has the same key however often it is delivered. */
  readonly key: MessageKey;
  /** The message as received, except that every `deviceSecret` is blanked. */
  readonly raw: RawMessage;
  /** The platform's time of the message (generateTime, else the body's); null when it carries none. */
  readonly sentAt: Date | null;
}

/** What can be told of a message that nobody understands, for people who look for it. Nothing is decided by it. */
export interface About {
  /** The kind that it seems to be of: of its body's shape, else of its topic. */
  readonly kind: string | null;
  readonly productKey: string | null;
  readonly deviceName: string | null;
}

export const ABOUT_NOTHING: About = { kind: null, productKey: null, deviceName: null };

/** A message after decoding: what happened, or why nobody will ever know. */
export type DecodedMessage =
  | (Decoded & { readonly events: readonly DeviceEvent[]; readonly refusal: null })
  | (Decoded & { readonly events: readonly []; readonly refusal: Refusal; readonly about: About });
