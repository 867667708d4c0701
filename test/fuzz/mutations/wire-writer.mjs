// @ts-check

/** @typedef {import('../chance.mjs').Chance} Chance */

const TEXTS = ['topic', 'messageId', 'generateTime', 'qos', '__proto__', '', 'é', '\0', '1700000170000', 'unreadable'];
const SYMBOLS = ['amqp:header:list', 'amqp:properties:list', 'amqp:data:binary', 'amqp:amqp-value:*', 'none'];
/** Codes of fixed width, with the width. 0x57 and 0x90 are no types. */
const FIXED = [
  ...[
    [0x40, 0],
    [0x41, 0],
    [0x42, 0],
    [0x43, 0],
    [0x44, 0],
    [0x45, 0],
    [0x50, 1],
    [0x51, 1],
    [0x52, 1],
    [0x53, 1],
  ],
  ...[
    [0x54, 1],
    [0x55, 1],
    [0x56, 1],
    [0x57, 1],
    [0x60, 2],
    [0x61, 2],
    [0x70, 4],
    [0x71, 4],
    [0x72, 4],
    [0x73, 4],
  ],
  ...[
    [0x74, 4],
    [0x80, 8],
    [0x81, 8],
    [0x82, 8],
    [0x83, 8],
    [0x84, 8],
    [0x90, 16],
    [0x94, 16],
    [0x98, 16],
  ],
];

/**
 * Bytes of an AMQP message with any value where the type system allows one, and now and then where it does not.
 * @param {Chance} chance
 * @param {Buffer} body
 * @returns {Buffer}
 */
export function inventTransfer(chance, body) {
  const sections = Array.from({ length: 1 + chance.size(5) }, () => section(chance, body));
  return Buffer.concat(sections);
}

/**
 * One value of any type, nested at most so deep.
 * @param {Chance} chance
 * @param {number} depth
 * @returns {Buffer}
 */
export function inventValue(chance, depth) {
  if (depth > 0 && chance.happens(0.12)) return tower(chance);
  switch (chance.below(depth > 0 ? 8 : 4)) {
    case 0:
    case 1: {
      const [code = 0, width = 0] = chance.pick(FIXED);
      return Buffer.from([code, ...randomBytes(chance, width)]);
    }
    case 2:
      return variable(chance, 0xa0, Buffer.from(randomBytes(chance, chance.size(40))));
    case 3:
      return variable(chance, chance.pick([0xa1, 0xa3]), Buffer.from(chance.pick(TEXTS)));
    case 4:
      return compound(chance, 0xc0, inventValues(chance, depth));
    case 5:
      return compound(chance, 0xc1, inventValues(chance, depth));
    case 6:
      return array(chance, depth);
    default:
      return Buffer.concat([Buffer.of(0), inventValue(chance, 0), inventValue(chance, depth - 1)]);
  }
}

/**
 * @param {Chance} chance
 * @param {Buffer} body
 */
function section(chance, body) {
  const code = 0x70 + chance.below(10);
  const descriptor = chance.happens(0.9)
    ? Buffer.of(0, 0x53, code)
    : Buffer.concat([Buffer.of(0), variable(chance, 0xa3, Buffer.from(chance.pick(SYMBOLS)))]);
  const value = chance.happens(0.1)
    ? inventValue(chance, 3)
    : code === 0x70 || code === 0x73
      ? compound(chance, 0xc0, inventValues(chance, 3))
      : code === 0x75
        ? variable(chance, 0xa0, body)
        : code === 0x77
          ? chance.pick([variable(chance, 0xa1, body), inventValue(chance, 4)])
          : code === 0x76
            ? compound(chance, 0xc0, inventValues(chance, 4))
            : compound(chance, 0xc1, pairs(chance));
  return Buffer.concat([descriptor, value]);
}

/** @param {Chance} chance */
function pairs(chance) {
  return Array.from({ length: chance.size(6) }, () => [
    variable(chance, 0xa1, Buffer.from(chance.pick(TEXTS))),
    inventValue(chance, 3),
  ]).flat();
}

/**
 * @param {Chance} chance
 * @param {number} depth
 */
function inventValues(chance, depth) {
  return Array.from({ length: chance.size(8) - 1 }, () => inventValue(chance, depth - 1));
}

/**
 * Lists within lists, further than any reader should follow.
 * @param {Chance} chance
 */
function tower(chance) {
  let value = inventValue(chance, 0);
  for (let height = chance.size(40); height > 0; height--) value = compound(chance, 0xc0, [value]);
  return value;
}

/**
 * @param {Chance} chance
 * @param {number} depth
 */
function array(chance, depth) {
  if (chance.happens(0.3)) {
    const count = chance.size(chance.happens(0.02) ? 70_000 : 40); // of elements without a width
    return Buffer.concat([Buffer.of(0xf0), uint32(5), uint32(count), Buffer.of(chance.pick([0x40, 0x41, 0x43, 0x45]))]);
  }
  const item = inventValue(chance, depth - 1);
  const count = chance.size(20) - 1;
  const items = Array.from({ length: count }, () => item.subarray(1));
  return compound(chance, 0xe0, [item.subarray(0, 1), ...items], count);
}

/**
 * @param {Chance} chance
 * @param {number} narrow the code with sizes of one byte; the wide one is 0x10 above
 * @param {Buffer[]} parts
 * @param {number} [count]
 */
function compound(chance, narrow, parts, count = parts.length) {
  const content = Buffer.concat(parts);
  const wrong = chance.happens(0.02) ? chance.below(300) - 20 : 0;
  if (content.length < 250 && count < 250 && chance.happens(0.7)) {
    return Buffer.concat([Buffer.of(narrow, content.length + 1, (count + wrong) & 0xff), content]);
  }
  return Buffer.concat([Buffer.of(narrow + 0x10), uint32(content.length + 4), uint32(count + wrong), content]);
}

/**
 * @param {Chance} chance
 * @param {number} narrow
 * @param {Buffer} bytes
 */
function variable(chance, narrow, bytes) {
  if (bytes.length < 256 && chance.happens(0.7)) return Buffer.concat([Buffer.of(narrow, bytes.length), bytes]);
  return Buffer.concat([Buffer.of(narrow + 0x10), uint32(bytes.length), bytes]);
}

/** @param {number} value */
function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/**
 * @param {Chance} chance
 * @param {number} length
 */
function randomBytes(chance, length) {
  const edge = chance.pick([0x00, 0xff, 0x7f, 0x80, null, null, null]);
  return Array.from({ length }, (_, index) => (edge !== null && index < 3 ? edge : chance.below(256)));
}
