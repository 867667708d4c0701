// @ts-check
import { numberOf, readCommandLine } from '../command-line.mjs';

/**
 * @typedef {object} BenchQueryOptions
 * @property {boolean} help
 * @property {boolean} json print the JSON instead of the table
 * @property {number} devices
 * @property {number} readings
 * @property {number} seconds how long each question is asked
 * @property {readonly string[]} only names of questions; all when empty
 * @property {boolean} keep whether the data stay for another run
 * @property {boolean} growth whether a tenth of the data is asked, too
 * @property {boolean} busy whether everything is asked again while 1,000 messages a second come in
 */

export const USAGE = `npm run bench:query -- [options]

  --devices N     how many devices (100,000)
  --readings N    how many readings (20,000,000); a tenth of both is measured beside it
  --seconds N     how long each question is asked (5)
  --only NAMES    only some of the questions, by their names with commas between
  --no-growth     not the tenth of the data
  --no-busy       not once more while 1,000 messages a second come in
  --keep          leave the data, and use those that an earlier run with the same numbers left
  --quick         2,000 devices, 400,000 readings, a second each: for a look
  --json          print JSON instead of the table; it is always written to data/bench-query.json`;

/**
 * @param {string[]} args
 * @returns {BenchQueryOptions}
 */
export function readOptions(args) {
  const values = readCommandLine(
    args,
    {
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      devices: { type: 'string' },
      readings: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', default: '' },
      'no-growth': { type: 'boolean', default: false },
      'no-busy': { type: 'boolean', default: false },
    },
    'npm run bench:query',
  );
  const { quick } = values;
  return {
    help: values.help,
    json: values.json,
    devices: numberOf('--devices', values.devices ?? (quick ? '2000' : '100000'), 1_000, 10_000_000),
    readings: numberOf('--readings', values.readings ?? (quick ? '400000' : '20000000'), 100_000, 1_000_000_000),
    seconds: numberOf('--seconds', values.seconds ?? (quick ? '1' : '5'), 1, 600),
    only: values.only === '' ? [] : values.only.split(','),
    keep: values.keep,
    growth: !values['no-growth'],
    busy: !values['no-busy'],
  };
}
