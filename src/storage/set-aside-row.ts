import { SERVICE_VERSION } from '../config/service-version.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';

/** A message as the set-aside table holds it. */
export interface SetAsideRow {
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
  readonly transport: string;
  readonly messageId: string | null;
  readonly topic: string | null;
  readonly generateTime: string | null;
  readonly properties: string;
  readonly body: Uint8Array & { toString(encoding: 'hex'): string };
  readonly receivedAt: Date;
  readonly kind: string | null;
  readonly productKey: string | null;
  readonly deviceName: string | null;
  readonly refusedBy: string;
}

/**
 * The row of a refused message. Whatever text came with it is in `properties` as escaped JSON, which holds every character;
 * the columns beside it show the same for people, with what PostgreSQL cannot hold replaced.
 */
export function setAsideRow(message: DecodedMessage): SetAsideRow {
  const { key, raw } = message;
  if (!message.refusal) throw new Error('only refused messages are set aside');
  const { refusal, about } = message;
  const { messageId, topic, generateTime, properties } = raw;
  return {
    id: key,
    reason: refusal.reason,
    detail: storable(refusal.detail),
    transport: raw.transport,
    messageId: messageId === null ? null : storable(messageId),
    topic: topic === null ? null : storable(topic),
    generateTime: generateTime === null ? null : storable(generateTime),
    properties: JSON.stringify({ messageId, topic, generateTime, properties }),
    body: raw.body,
    receivedAt: raw.receivedAt,
    ...about,
    refusedBy: SERVICE_VERSION,
  };
}

/** The message as it was before it was set aside, without the fault that a transport found in it and how it was delivered. */
export function rawMessageOf(row: {
  readonly transport: string;
  readonly properties: string;
  readonly body: Uint8Array;
  readonly receivedAt: Date;
}): RawMessage {
  const kept = JSON.parse(row.properties) as Pick<RawMessage, 'messageId' | 'topic' | 'generateTime' | 'properties'>;
  return { ...kept, transport: row.transport, body: Buffer.from(row.body), fault: null, receivedAt: row.receivedAt };
}

/** The text without NUL characters and halves of surrogate pairs, which PostgreSQL refuses. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
