// @ts-check
import { isUtf8 } from 'node:buffer';

/**
 * What is tried: a message as decoders get it, or, where `transfer` is there, the bytes that a transport heard.
 * @typedef {object} Input
 * @property {string | null} topic
 * @property {string | null} messageId
 * @property {string | null} generateTime
 * @property {Readonly<Record<string, string>>} properties
 * @property {Buffer} body
 * @property {Buffer | null} transfer bytes of an AMQP message, in place of all the above
 * @property {'base64' | null} encode
 * @property {string | null} secret stands in a deviceSecret and must not be found in the outcome
 */

/** When every input is received: 2026-11-20T12:00:00.500Z. */
export const RECEIVED_AT = new Date(Date.UTC(2026, 10, 20, 12, 0, 0, 500));

/** @type {Input} */
export const EMPTY = {
  topic: null,
  messageId: '170000000000000001',
  generateTime: String(RECEIVED_AT.getTime() - 500),
  properties: {},
  body: Buffer.alloc(0),
  transfer: null,
  encode: null,
  secret: null,
};

/**
 * As the JSON of a file that people can read and change where it is text.
 * @param {Input} input
 * @returns {Record<string, unknown>}
 */
export function toJson({ body, transfer, encode, secret, ...message }) {
  if (transfer !== null) return { transfer: transfer.toString('hex'), encode };
  const text = body.toString('utf8');
  return {
    ...message,
    ...(secret === null ? {} : { secret }),
    ...(isUtf8(body) && !text.startsWith('\ufeff') ? { body: text } : { bodyHex: body.toString('hex') }),
  };
}

/**
 * @param {Record<string, any>} json what `toJson` made
 * @returns {Input}
 */
export function fromJson({ body, bodyHex, transfer, encode, ...rest }) {
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(bodyHex ?? '', 'hex');
  return {
    ...EMPTY,
    ...rest,
    body: bytes,
    transfer: transfer === undefined ? null : Buffer.from(transfer, 'hex'),
    encode: encode ?? null,
  };
}
