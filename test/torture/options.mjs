// @ts-check
import { numberOf, readCommandLine } from '../../scripts/command-line.mjs';
import { PlainError } from '../../scripts/plain-error.mjs';

/**
 * @typedef {object} TortureOptions
 * @property {number} minutes how long things are broken
 * @property {string} seed of the plan and of the workload
 * @property {number} replicas of the service
 * @property {number} rate messages a second
 * @property {'every-second' | 'all' | 'none'} spool which replicas get a SPOOL_DIR
 * @property {readonly string[]} only names of faults; empty is all
 * @property {readonly string[]} without names of faults that are left out
 * @property {number} quietMinutes how long it may go afterwards without less being on its way
 * @property {boolean} keep the database, the journal and the logs also after a run that went well
 * @property {boolean} plan print the plan and do nothing
 * @property {boolean} json print the result as JSON
 * @property {boolean} help
 */

export const USAGE = `npm run torture -- [options]

  --minutes N        how long things are broken (2); quieting and judging come on top
  --seed TEXT        what is broken when, and what is sent (1)
  --replicas N       replicas of the service that share the consumer group and the database (2)
  --rate N           messages a second (1000)
  --spool WHICH      which replicas get a SPOOL_DIR: every-second, all, none (every-second)
  --only A,B         these faults only; --plan shows their names
  --without A,B      all but these
  --quiet-minutes N  how long the end may go without coming nearer to nothing being on its way (3)
  --plan             print the plan of this seed and do nothing
  --keep             keep the database and the journal also when all is well
  --json             print JSON instead of the report; it is always written to data/torture/<seed>.json`;

/**
 * @param {readonly string[]} args
 * @param {readonly string[]} faults the names that there are
 * @returns {TortureOptions}
 */
export function readOptions(args, faults) {
  const values = readCommandLine(
    args,
    {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      replicas: { type: 'string', default: '2' },
      rate: { type: 'string', default: '1000' },
      spool: { type: 'string', default: 'every-second' },
      only: { type: 'string', default: '' },
      without: { type: 'string', default: '' },
      'quiet-minutes': { type: 'string', default: '3' },
      plan: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    'npm run torture',
  );
  const { seed, spool, plan, keep, json, help } = values;
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(seed)) {
    throw new PlainError(`--seed must be of letters, digits, - and _, at most 40, not ${JSON.stringify(seed)}.`);
  }
  if (spool !== 'every-second' && spool !== 'all' && spool !== 'none') {
    throw new PlainError(`--spool must be every-second, all or none, not ${spool}.`);
  }
  const names = (/** @type {'only' | 'without'} */ option) => {
    const list = values[option].split(',').filter((name) => name !== '');
    const wrong = list.find((name) => !faults.includes(name));
    if (wrong !== undefined) throw new PlainError(`--${option} names ${wrong}, but there are ${faults.join(', ')}.`);
    return list;
  };
  return {
    minutes: numberOf('--minutes', values.minutes, 0.2, 1_440, { whole: false }),
    seed,
    replicas: numberOf('--replicas', values.replicas, 1, 16),
    rate: numberOf('--rate', values.rate, 1, 20_000),
    spool,
    only: names('only'),
    without: names('without'),
    quietMinutes: numberOf('--quiet-minutes', values['quiet-minutes'], 0.1, 120, { whole: false }),
    keep,
    plan,
    json,
    help,
  };
}
