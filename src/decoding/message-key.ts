import { hash } from 'node:crypto';
import type { MessageKey } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';

/**
 * The identity of a message: 64 bits of SHA-256 over its id, and 64 over its id, topic and body as they came (before any
 * secret is blanked). Each part is led by its length, so that no two messages share a text. Without an id, generateTime
 * stands in for it.
 */
export function messageKey(raw: Pick<RawMessage, 'messageId' | 'generateTime' | 'topic' | 'body'>): MessageKey {
  const id = raw.messageId ?? raw.generateTime ?? '';
  const topic = raw.topic === null ? '-' : `${raw.topic.length}:${raw.topic}`;
  const head = Buffer.from(`${id.length}:${id}${topic}${raw.body.length}:`);
  return half(id) + half(Buffer.concat([head, raw.body]));
}

function half(of: string | Buffer): string {
  return hash('sha256', of, 'hex').slice(0, 16);
}
