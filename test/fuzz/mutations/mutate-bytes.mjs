// @ts-check
import { FRAGMENTS, SCALARS } from './words.mjs';

/** @typedef {import('../chance.mjs').Chance} Chance */

const BYTES = [0x00, 0x22, 0x5c, 0x7f, 0x80, 0xc0, 0xed, 0xef, 0xff, 0x30, 0x39, 0x2d, 0x65];

/**
 * Changes bytes without a thought of what they mean.
 * @param {Buffer} bytes
 * @param {Chance} chance
 * @param {() => Buffer} other bytes of some other input
 * @returns {Buffer}
 */
export function mutateBytes(bytes, chance, other) {
  const at = chance.below(bytes.length + 1);
  const length = chance.size(Math.max(2, bytes.length - at));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (chance.below(10)) {
    case 0:
      return before; // cut
    case 1:
      return Buffer.concat([before, after.subarray(length)]);
    case 2:
      return overwritten(bytes, at, 1 << chance.below(8), (byte, bit) => byte ^ bit);
    case 3:
      return overwritten(bytes, at, chance.pick(BYTES), (_, byte) => byte);
    case 4:
      return overwritten(bytes, at, chance.below(256), (_, byte) => byte);
    case 5: {
      const donor = other();
      const from = chance.below(donor.length + 1);
      return Buffer.concat([before, donor.subarray(from, from + chance.size(200)), after.subarray(chance.size(50))]);
    }
    case 6:
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 7: {
      const piece = after.subarray(0, Math.min(length, 40));
      const copies = Math.min(chance.size(3_000), Math.floor(40_000 / Math.max(1, piece.length)));
      return Buffer.concat([before, Buffer.concat(Array.from({ length: copies }, () => piece)), after]);
    }
    case 8:
      return Buffer.concat([before, Buffer.from(chance.pick(SCALARS)), after.subarray(chance.size(8) - 1)]);
    default:
      return Buffer.concat([before, Buffer.from(chance.pick(FRAGMENTS)), after.subarray(chance.below(2))]);
  }
}

/**
 * @param {Buffer} bytes
 * @param {number} at
 * @param {number} operand
 * @param {(byte: number, operand: number) => number} change
 */
function overwritten(bytes, at, operand, change) {
  const result = Buffer.from(bytes);
  if (at < result.length) result[at] = change(result[at] ?? 0, operand);
  return result;
}
