// @ts-check
import { isObject, JsonNumber } from './exact-json.mjs';
import { isStorable, shortened, spelt } from './texts.mjs';

/** @import { Json, JsonObject } from './exact-json.mjs' */

// One text for equal values (promise 7): what PostgreSQL prints for them.

const MOST_DIGITS = 1000;
const LONGEST_NUMBER_SHOWN = 1100;

/** Why a value cannot be kept as what it is. */
export class NotKept extends Error {
  /** @param {'not-storable' | 'too-long'} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Plain decimal: no exponent, no needless zero, no minus zero. Null where that takes more than 1,000 digits.
 * @param {JsonNumber} number
 */
export function plainNumber({ text }) {
  const negative = text.startsWith('-');
  const [mantissa = '', exponent = '0'] = text.slice(negative ? 1 : 0).split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/0+$/, '');
  const significant = digits.replace(/^0+/, '');
  if (significant === '') return '0';
  const point = whole.length - (digits.length - significant.length) + Number(exponent);
  if (Math.max(point, 1) + Math.max(significant.length - point, 0) > MOST_DIGITS) return null;
  const shifted = significant.padEnd(point, '0');
  const before = point > 0 ? shifted.slice(0, point) : '0';
  const after = point > 0 ? shifted.slice(point) : '0'.repeat(-point) + significant;
  return `${negative ? '-' : ''}${before}${after === '' ? '' : `.${after}`}`;
}

/**
 * @param {Json} value
 * @returns {string}
 * @throws {NotKept}
 */
export function canonical(value) {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw new NotKept('not-storable');
    return JSON.stringify(value);
  }
  if (value instanceof JsonNumber) {
    const plain = plainNumber(value);
    if (plain === null) throw new NotKept('too-long');
    return plain;
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(', ')}]`;
  if (!isObject(value)) return String(value);
  const names = [...value.keys()].map((name) => ({ name, bytes: Buffer.from(name) }));
  names.sort((a, b) => a.bytes.length - b.bytes.length || a.bytes.compare(b.bytes));
  const members = names.map(({ name }) => `${canonical(name)}: ${canonical(value.get(name) ?? null)}`);
  return `{${members.join(', ')}}`;
}

/**
 * The same of any value: what cannot be kept is spelt out.
 * @param {Json} value
 */
export function canonicalOfAny(value) {
  try {
    return canonical(value);
  } catch {
    return canonical(speltOut(value));
  }
}

/**
 * @param {Json} value
 * @returns {Json}
 */
export function speltOut(value) {
  if (typeof value === 'string') return spelt(value);
  if (value instanceof JsonNumber)
    return plainNumber(value) === null ? shortened(value.text, LONGEST_NUMBER_SHOWN) : value;
  if (Array.isArray(value)) return value.map(speltOut);
  if (!isObject(value)) return value;
  /** @type {JsonObject} */
  const members = new Map();
  for (const [key, member] of value) {
    let name = spelt(key);
    while (members.has(name)) name += '_';
    members.set(name, speltOut(member));
  }
  return members;
}
