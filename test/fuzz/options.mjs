// @ts-check
import { readCommandLine } from '../../scripts/command-line.mjs';
import { PlainError } from '../../scripts/plain-error.mjs';

/**
 * @typedef {object} FuzzOptions
 * @property {boolean} help
 * @property {number} seconds how long at least
 * @property {number} quietSeconds how long no new block must have been reached at the end; at most the same time again is added
 * @property {number} seed
 * @property {boolean} database whether samples are also written to a real PostgreSQL
 * @property {string | undefined} replay a finding's file, instead of all that
 */

export const USAGE = `npm run fuzz -- [options]

  --minutes N     how long (20); goes on, up to twice as long, until no new block was reached for a tenth of it
  --seconds N     how long, exactly: for a quick look
  --seed N        where chance begins (1)
  --no-database   leave out the PostgreSQL to which samples of what was decoded are written
  --replay FILE   try the input of one finding again

Findings, figures and uncovered code go to data/fuzz/. Exit code 1 when there is a finding.`;

/**
 * @param {string[]} args
 * @returns {FuzzOptions}
 */
export function readOptions(args) {
  const values = readCommandLine(
    args,
    {
      help: { type: 'boolean', short: 'h', default: false },
      minutes: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      'no-database': { type: 'boolean', default: false },
      replay: { type: 'string' },
    },
    'npm run fuzz',
  );
  const exact = values.seconds !== undefined;
  const seconds = exact ? Number(values.seconds) : Number(values.minutes ?? 20) * 60;
  if (!(seconds > 0)) throw new PlainError(`--minutes and --seconds take a number above 0.\n\n${USAGE}`);
  return {
    help: values.help,
    seconds,
    quietSeconds: exact ? 0 : seconds / 10,
    seed: Number(values.seed),
    database: !values['no-database'],
    replay: values.replay,
  };
}
