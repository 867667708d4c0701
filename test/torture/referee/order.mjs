// @ts-check

// The fixed orders that decide where times do not (promise 3). Numbers differ from other values by their first character.

/**
 * By code point, as UTF-8's bytes are.
 * @param {string} a
 * @param {string} b
 */
export function compareTexts(a, b) {
  return a === b ? 0 : Buffer.from(a).compare(Buffer.from(b));
}

/** @param {string} value canonical */
export const isNumber = (value) => /^[-0-9]/.test(value);

/**
 * Numbers by size below everything else, which is by its text.
 * @param {string} a canonical
 * @param {string} b canonical
 */
export function compareValues(a, b) {
  if (a === b) return 0;
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  return isNumber(a) ? compareNumbers(a, b) : compareTexts(a, b);
}

/**
 * As whole numbers, after both were given the same number of decimals.
 * @param {string} a
 * @param {string} b
 */
function compareNumbers(a, b) {
  const decimals = (/** @type {string} */ text) => text.split('.')[1] ?? '';
  const places = Math.max(decimals(a).length, decimals(b).length);
  const scaled = (/** @type {string} */ text) =>
    BigInt((text.split('.')[0] ?? '') + decimals(text).padEnd(places, '0'));
  const [left, right] = [scaled(a), scaled(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * The greater of two rows compared place by place; null and false are least.
 * @template {readonly (number | boolean | string | null)[]} T
 * @param {T | null} known
 * @param {T} told
 * @returns {T}
 */
export function greater(known, told) {
  if (known === null) return told;
  for (let i = 0; i < told.length; i++) {
    const order = comparePlaces(told[i] ?? null, known[i] ?? null);
    if (order !== 0) return order > 0 ? told : known;
  }
  return known;
}

/**
 * @param {number | boolean | string | null} a
 * @param {number | boolean | string | null} b
 */
function comparePlaces(a, b) {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return typeof a === 'string' ? compareTexts(a, String(b)) : Number(a) - Number(b);
}
