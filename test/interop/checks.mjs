// @ts-check
import { isDeepStrictEqual } from 'node:util';

let passed = 0;
let failed = 0;

/** @param {string} title */
export function heading(title) {
  console.log(`\n${title}`);
}

/**
 * @param {string} what
 * @param {boolean} holds
 * @param {string} [otherwise] shown where it does not
 */
export function check(what, holds, otherwise = '') {
  console.log(`  ${holds ? 'ok     ' : 'NOT OK '} ${what}`);
  if (holds) passed += 1;
  else {
    failed += 1;
    if (otherwise !== '') console.log(otherwise.replace(/^/gm, '            '));
  }
}

/**
 * @param {string} what
 * @param {unknown} actual
 * @param {unknown} expected
 */
export function checkEqual(what, actual, expected) {
  const text = (/** @type {unknown} */ value) => JSON.stringify(value);
  check(what, isDeepStrictEqual(actual, expected), `is ${text(actual)}\nnot ${text(expected)}`);
}

/**
 * The same lines, in any order.
 * @param {string} what
 * @param {readonly string[]} actual
 * @param {readonly string[]} expected
 */
export function checkLines(what, actual, expected) {
  const left = new Map();
  for (const line of expected) left.set(line, (left.get(line) ?? 0) + 1);
  const surplus = actual.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
  const missing = [...left].filter(([, count]) => count > 0).map(([line]) => line);
  const shown = [...missing.map((line) => `missing  ${line}`), ...surplus.map((line) => `surplus  ${line}`)];
  check(what, shown.length === 0, shown.slice(0, 60).join('\n'));
}

/** Prints the sum. @returns {number} the exit code */
export function sum() {
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
