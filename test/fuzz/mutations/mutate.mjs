// @ts-check
import { EMPTY } from '../input.mjs';
import { parseTree, writeTree } from '../json-tree.mjs';
import { mutateBytes } from './mutate-bytes.mjs';
import { mutateTree, plantSecret } from './mutate-tree.mjs';
import { inventTransfer } from './wire-writer.mjs';
import { FRAGMENTS, NAMES, SEGMENTS, TIMES, TOPICS } from './words.mjs';

/**
 * @typedef {import('../chance.mjs').Chance} Chance
 * @typedef {import('../input.mjs').Input} Input
 * @typedef {import('../json-tree.mjs').Node} Node
 */

/** Long inputs take their time and mostly show nothing that short ones do not: they are made, but seldom. */
const [SHORT_BYTES, LONG_BYTES, LONG_SHARE] = [6_000, 200_000, 0.01];
const TRIES = 4;

/** Each its own, so that a copy of an older one elsewhere is not taken for a leak.
 * @param {Chance} chance
 */
const newSecret = (chance) => `Zq7${chance.below(1e9)}secret`;

/**
 * A new input made of a known one by a few changes.
 * @param {Input} input
 * @param {Chance} chance
 * @param {() => Input} other some other known input
 * @returns {Input}
 */
export function mutate(input, chance, other) {
  const limit = chance.happens(LONG_SHARE) ? LONG_BYTES : SHORT_BYTES;
  let made = mutated(input, chance, other);
  for (let tries = 1; tries < TRIES && lengthOf(made) > limit; tries++) made = mutated(other(), chance, other);
  const { body, transfer } = made;
  return { ...made, body: body.subarray(0, limit), transfer: transfer?.subarray(0, limit) ?? null };
}

/** @param {Input} input */
export function lengthOf({ body, transfer }) {
  return transfer?.length ?? body.length;
}

/**
 * @param {Input} input
 * @param {Chance} chance
 * @param {() => Input} other some other known input
 * @returns {Input}
 */
function mutated(input, chance, other) {
  if (input.transfer !== null) return mutateTransfer(input, input.transfer, chance, other);
  if (chance.happens(0.04)) return { ...EMPTY, transfer: inventTransfer(chance, input.body), encode: null };
  let made = { ...input, secret: /** @type {string | null} */ (null) };
  if (chance.happens(0.15)) made = mutateHead(made, chance);
  const tree = chance.happens(0.75) ? parseTree(made.body.toString('utf8')) : null;
  if (tree !== null) made = mutateMeaning(made, tree, chance, other);
  else
    for (let changes = chance.size(6); changes > 0; changes--) {
      made.body = mutateBytes(made.body, chance, () => other().body);
    }
  return made;
}

/**
 * @param {Input} input
 * @param {Node} tree
 * @param {Chance} chance
 * @param {() => Input} other
 * @returns {Input}
 */
function mutateMeaning(input, tree, chance, other) {
  const otherTree = () => parseTree(other().body.toString('utf8'));
  for (let changes = chance.size(8); changes > 0; changes--) mutateTree(tree, chance, otherTree);
  // last of all, so that nothing spoils the name that the secret is known by; only what a parser reads can be promised
  const planned = newSecret(chance);
  const secret = chance.happens(0.1) && plantSecret(tree, chance, planned) ? planned : null;
  const text = writeTree(tree);
  return { ...input, body: Buffer.from(text), secret: secret !== null && isJson(text) ? secret : null };
}

/**
 * @param {Input} input
 * @param {Buffer} transfer
 * @param {Chance} chance
 * @param {() => Input} other
 * @returns {Input}
 */
function mutateTransfer(input, transfer, chance, other) {
  let bytes = transfer;
  if (chance.happens(0.2)) bytes = inventTransfer(chance, other().body);
  else
    for (let changes = chance.size(5); changes > 0; changes--) {
      bytes = mutateBytes(bytes, chance, () => other().transfer ?? other().body);
    }
  const encode = chance.happens(0.05) ? chance.pick(/** @type {const} */ (['base64', null])) : input.encode;
  return { ...input, transfer: bytes, encode };
}

/**
 * Everything of a message beside its body.
 * @param {Input} input
 * @param {Chance} chance
 * @returns {Input}
 */
function mutateHead(input, chance) {
  switch (chance.below(7)) {
    case 0:
      return { ...input, topic: chance.pick(TOPICS) };
    case 1:
    case 2: {
      const segments = (input.topic ?? '').split('/');
      segments.splice(chance.below(segments.length + 1), chance.below(3), chance.pick(SEGMENTS));
      return { ...input, topic: segments.join('/') };
    }
    case 3:
      return { ...input, topic: chance.happens(0.3) ? null : (input.topic ?? '') + chance.pick(FRAGMENTS) };
    case 4:
      return { ...input, generateTime: chance.happens(0.3) ? null : unquoted(chance.pick(TIMES)) };
    case 5:
      return { ...input, messageId: chance.happens(0.3) ? null : chance.pick(NAMES) };
    default:
      return { ...input, properties: { ...input.properties, [chance.pick(NAMES)]: chance.pick(FRAGMENTS) } };
  }
}

/** @param {string} text */
function unquoted(text) {
  return text.replaceAll('"', '');
}

/** @param {string} text */
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
