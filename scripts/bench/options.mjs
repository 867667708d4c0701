// @ts-check
import { readCommandLine } from '../command-line.mjs';
import { PlainError } from '../plain-error.mjs';

/**
 * @typedef {object} BenchOptions
 * @property {boolean} quick under a minute, for a look; too short for figures to quote
 * @property {boolean} json print the JSON instead of the table
 * @property {boolean} help
 * @property {number} messages through this service and the bare script; the Prisma shape gets a thirtieth
 * @property {number} steadySeconds how long 1,000 messages a second are sent
 * @property {number} closedReadings in the month whose size is measured
 * @property {number} seenBefore keys in SeenMessage before its cost is measured
 * @property {string} only letters of the peers to run: for profiling
 * @property {string | undefined} profile folder for a processor profile of the service
 */

export const USAGE = `npm run bench -- [options]

  --quick         under a minute, for a look
  --messages N    how many messages for this service and the bare script (60,000; the Prisma shape gets a thirtieth)
  --json          print JSON instead of the table; it is always written to data/bench.json
  --only LETTERS  run only some parts: a Prisma shape, b this service, c bare script, s SeenMessage, m closed month
  --profile DIR   write a processor profile of the service (node --cpu-prof) to DIR`;

/**
 * @param {string[]} args
 * @returns {BenchOptions}
 */
export function readOptions(args) {
  const values = readCommandLine(
    args,
    {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      messages: { type: 'string' },
      only: { type: 'string', default: 'abcsm' },
      profile: { type: 'string' },
    },
    'npm run bench',
  );
  const { quick, json, help, only, profile } = values;
  const messages = Number(values.messages ?? (quick ? 12_000 : 60_000));
  if (!Number.isInteger(messages) || messages < 2_000 || messages > 900_000) {
    throw new PlainError(`--messages must be a whole number from 2000 to 900000, not ${values.messages}.`);
  }
  if (!/^[abcsm]+$/.test(only)) throw new PlainError(`--only takes some of the letters a, b, c, s and m, not ${only}.`);
  return {
    quick,
    json,
    help,
    messages,
    only,
    profile,
    steadySeconds: quick ? 5 : 20,
    closedReadings: quick ? 150_000 : 1_002_000,
    seenBefore: quick ? 100_000 : 1_000_000,
  };
}
