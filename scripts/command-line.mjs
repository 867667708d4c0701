// @ts-check
import util from 'node:util';
import { PlainError } from './plain-error.mjs';

/** @typedef {NonNullable<import('node:util').ParseArgsConfig['options']>} Options */

/**
 * The options of a command line; a wrong one is refused by its name.
 * @template {Options} const O
 * @param {readonly string[]} args
 * @param {O} options
 * @param {string} command such as `npm run bench`
 */
export function readCommandLine(args, options, command) {
  try {
    return util.parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [first = ''] = /** @type {Error} */ (error).message.split('. '); // Node goes on with hints on its own syntax
    throw new PlainError(`${first}. See ${command} -- --help.`);
  }
}

/**
 * A number that was given as text.
 * @param {string} option its name
 * @param {string} text
 * @param {number} least
 * @param {number} most
 * @param {{ whole?: boolean }} [rule]
 */
export function numberOf(option, text, least, most, { whole = true } = {}) {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new PlainError(`${option} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}, not ${text}.`);
}
