// @ts-check
import { numberOf, readCommandLine } from '../command-line.mjs';

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
  const values = readCommandLine(
    args,
    {
      help: { type: 'boolean', short: 'h', default: false },
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '1000' },
      plot: { type: 'string' },
    },
    'npm run soak',
  );
  return {
    help: values.help,
    minutes: numberOf('--minutes', values.minutes, 1, 600),
    perSecond: numberOf('--rate', values.rate, 1, 10_000),
    plot: values.plot,
  };
}
