import type { CanonicalNumber } from '../domain/value.js';
import { ExactNumber } from './json.js';

/** A number of more digits than this, written out without an exponent, is not kept as a number. */
export const DIGIT_LIMIT = 1000;

/**
 * The canonical decimal text of a number: no exponent, no needless zeros, no minus before zero.
 * @returns null when it would take more than 1,000 digits.
 */
export function canonicalNumber(number: number | ExactNumber): CanonicalNumber | null {
  if (number instanceof ExactNumber) return expand(number.text);
  const text = String(number); // "0" for minus zero
  return text.includes('e') ? expand(text) : text;
}

/** Counts before it builds: `1e999999999` must cost nothing. */
function expand(text: string): CanonicalNumber | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const all = whole + fraction;
  let start = 0;
  while (all.charCodeAt(start) === 0x30) start++;
  let end = all.length;
  while (end > start && all.charCodeAt(end - 1) === 0x30) end--;
  if (start === end) return '0';

  const digits = all.slice(start, end);
  const point = whole.length - start + Number(exponent); // digits before the point; negative: zeros after it
  const length = Math.max(point, 1) + Math.max(digits.length - point, 0);
  if (length > DIGIT_LIMIT) return null;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
