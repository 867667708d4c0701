// @ts-check
import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { RECEIVED_AT } from './input.mjs';
import { parseTree, repeatsNames, reversed, writeTree } from './json-tree.mjs';
import { tellSame, unkeepable } from './keepable.mjs';

/**
 * @typedef {import('./code.mjs').Code} Code
 * @typedef {import('./input.mjs').Input} Input
 * @typedef {import('../../src/domain/raw-message.js').RawMessage} RawMessage
 * @typedef {import('../../src/domain/decoded-message.js').DecodedMessage} DecodedMessage
 */

/**
 * Something that must not be, of one input. `rule` is the same for the same kind of fault.
 * @typedef {{ rule: string, detail: string }} Fault
 */

/** Bodies above are decoded in a thread, which is another engineer's concern and no matter of decoding. */
const IN_PLACE_LIMIT_BYTES = 256 * 1024;
const KEEP_ALL = { readingsFrom: null, eventsFrom: null };

/** What an input is as a message: of its own, or of the bytes of its transfer.
 * @param {Code} code
 * @param {Input} input
 * @returns {RawMessage}
 */
export function rawOf(code, { transfer, encode, topic, messageId, generateTime, properties, body }) {
  if (transfer !== null) return code.rawMessage(transfer, { encode: encode ?? undefined, receivedAt: RECEIVED_AT });
  return { transport: 'amqp', topic, messageId, generateTime, properties, body, fault: null, receivedAt: RECEIVED_AT };
}

/**
 * Tries one input in every way. The promises: nothing throws, the same again for the same input, only what can be kept, no
 * secret, and no meaning in the order of keys.
 * @param {Code} code
 * @param {Input} input
 * @returns {Fault | null}
 */
export function faultOf(code, input) {
  /** @type {string} what is under way, should it throw */
  let step = 'rawMessage';
  try {
    const raw = rawOf(code, input);
    const unreadable = raw.properties['unreadable'];
    if (
      input.transfer !== null &&
      unreadable !== undefined &&
      /call stack|string length|array length/i.test(unreadable)
    ) {
      return fault('the reader of transfers gave up for want of room', unreadable);
    }
    for (const bodyIdentity of /** @type {const} */ (['topic', 'any'])) {
      const options = { bodyIdentity };
      step = 'decodeMessage';
      const decoded = code.decodeMessage(raw, options);
      const bad = unkeepable(decoded);
      if (bad !== null) return fault('decoded to something that cannot be kept', bad);
      if (!isDeepStrictEqual(code.decodeMessage(rawOf(code, input), options), decoded)) {
        return fault('decoded twice, differently', decoded.refusal?.reason ?? 'events');
      }
      const leak = secretIn(decoded, input.secret);
      if (leak !== null) return fault('a deviceSecret survives', leak);
      step = 'the same with keys in another order';
      const other = withKeysReversed(decoded.raw);
      if (other !== null && raw.fault === null && !dependsOnBytes(decoded)) {
        const again = code.decodeMessage(other, options);
        if (!tellSame(again, decoded))
          return fault('the order of keys changes what is told', difference(again, decoded));
      }
      step = 'planWrites';
      code.planWrites([decoded], KEEP_ALL);
      const asideFault = setAsideFault(code, decoded);
      if (asideFault !== null) return asideFault;
    }
    return null;
  } catch (error) {
    return fault(`${step} threw`, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/**
 * Whatever was decoded can also be kept as bytes, and comes back from there as the same message.
 * @param {Code} code
 * @param {DecodedMessage} decoded
 * @returns {Fault | null}
 */
function setAsideFault(code, decoded) {
  let form = decoded;
  for (let forms = 0; !code.isBareForm(form); forms++) {
    if (forms > 2) return fault('there is no last form to set aside', form.refusal?.reason ?? 'events');
    form = code.setAsideForm(form, 'the store refuses it');
    const bad = unkeepable(form);
    if (bad !== null) return fault('the form to set aside cannot be kept', bad);
    code.planWrites([form], KEEP_ALL);
    const row = code.setAsideRow(form);
    for (const text of [row.messageId, row.topic, row.generateTime]) {
      if (text !== null && (text.includes('\0') || !text.isWellFormed()))
        return fault('a set-aside row cannot be kept', text);
    }
    const raw = { ...form.raw, fault: null };
    delete raw.redelivered; // how it was delivered is no part of the message that is kept
    if (!isDeepStrictEqual(code.rawMessageOf(row), raw)) return fault('a set-aside message comes back changed', row.id);
  }
  return null;
}

/**
 * A message that was set aside, tried again: it must tell the same as it did at first, and be known by its row's key. Text that is
 * not JSON is left out where a secret was blanked in it: what is blanked there a second time may be more.
 * @param {Code} code
 * @param {Input} input
 * @returns {Promise<Fault | null>}
 */
export async function faultOfReplay(code, input) {
  const raw = rawOf(code, input);
  if (raw.body.length > IN_PLACE_LIMIT_BYTES || raw.fault !== null) return null;
  const first = code.decodeMessage(raw, { bodyIdentity: 'any' });
  if (first.raw.body !== raw.body && !isJson(raw.body)) return null;
  const again = await code.decodeAgain(first.key, first.raw, { bodyIdentity: 'any' });
  if (again.key !== first.key) return fault('a replayed message has another key', again.key);
  return tellSame(first, again) ? null : fault('a replayed message tells something else', difference(again, first));
}

/** @param {Buffer} body */
function isJson(body) {
  try {
    JSON.parse(body.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {string} rule
 * @param {string} detail
 * @returns {Fault}
 */
function fault(rule, detail) {
  return { rule, detail: detail.slice(0, 2_000) };
}

/**
 * @param {DecodedMessage} decoded
 * @param {string | null} secret
 */
function secretIn({ raw, events }, secret) {
  if (secret === null) return null;
  if (raw.body.includes(secret)) return 'in the body';
  if (JSON.stringify(raw.properties).includes(secret)) return 'in the properties';
  return JSON.stringify(events).includes(secret) ? 'in the events' : null;
}

/** A body that is kept as its bytes or text, and not as what these mean.
 * @param {DecodedMessage} decoded
 */
function dependsOnBytes({ events }) {
  return events.some((event) => event.kind === 'custom-message-received' && event.encoding !== 'json');
}

/**
 * @param {RawMessage} raw with its secrets blanked already, which may make two names the same
 * @returns {RawMessage | null} null where the order means something, or there is none
 */
function withKeysReversed(raw) {
  if (!isUtf8(raw.body) || !isJson(raw.body)) return null;
  const tree = parseTree(raw.body.toString('utf8'));
  if (tree === null || 'text' in tree || repeatsNames(tree)) return null;
  return { ...raw, body: Buffer.from(writeTree(reversed(tree))) };
}

/**
 * @param {DecodedMessage} a
 * @param {DecodedMessage} b
 */
function difference(a, b) {
  const tell = (/** @type {DecodedMessage} */ { events, refusal }) => JSON.stringify(refusal ?? events).slice(0, 900);
  return `${tell(a)}\n  is not\n${tell(b)}`;
}
