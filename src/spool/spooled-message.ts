import type { MessageKey } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';

/**
 * A message as the spool keeps it: as it was received, but without secrets. Blanking them changed its bytes, so its key is
 * kept beside it.
 */
export interface SpooledMessage {
  readonly key: MessageKey;
  readonly raw: RawMessage;
}

const LENGTH_BYTES = 4;

/** The bytes of a message: the length of its description, the description as JSON, the body. */
export function encodeSpooled({ key, raw }: SpooledMessage): Buffer {
  const { body, ...rest } = raw;
  const description = Buffer.from(JSON.stringify({ key, ...rest, receivedAt: raw.receivedAt.getTime() }));
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(description.length);
  return Buffer.concat([length, description, body]);
}

/** The message of bytes that `encodeSpooled` made, a view of its body included. */
export function decodeSpooled(bytes: Buffer): SpooledMessage {
  const bodyAt = LENGTH_BYTES + bytes.readUInt32BE(0);
  const description = bytes.toString('utf8', LENGTH_BYTES, bodyAt);
  const { key, receivedAt, ...rest } = JSON.parse(description) as Omit<RawMessage, 'body' | 'receivedAt'> & {
    readonly key: MessageKey;
    readonly receivedAt: number;
  };
  return { key, raw: { ...rest, receivedAt: new Date(receivedAt), body: bytes.subarray(bodyAt) } };
}
