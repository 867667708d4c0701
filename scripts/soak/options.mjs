// @ts-check
import util from 'node:util';
import { PlainError } from '../plain-error.mjs';

/**
 * @typedef {object} SoakOptions
 * @property {boolean} help
 * @property {number} minutes
 * @property {number} perSecond messages
 * @property {string | undefined} plot where to put the picture beside data/
 */

export const USAGE = `npm run soak -- [options]

  --minutes N     how long (30)
  --rate N        messages a second (1000)
  --plot FILE     draw the memory over time into this PNG, too; data/soak.png has it always`;

/**
 * @param {string[]} args
 * @returns {SoakOptions}
 */
export function readOptions(args) {
  let values;
  try {
    ({ values } = util.parseArgs({
      args,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        minutes: { type: 'string', default: '30' },
        rate: { type: 'string', default: '1000' },
        plot: { type: 'string' },
      },
    }));
  } catch (error) {
    throw new PlainError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
  return {
    help: values.help,
    minutes: number('--minutes', values.minutes, 600),
    perSecond: number('--rate', values.rate, 10_000),
    plot: values.plot,
  };
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} most
 */
function number(name, text, most) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new PlainError(`${name} must be a whole number from 1 to ${most}, not ${text}.`);
}
