import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.mjs';

const FAULTS = ['kill-replica', 'failover'];
const read = (...args: string[]): ReturnType<typeof readOptions> => readOptions(args, FAULTS);

describe('options of npm run torture', () => {
  it('have defaults', () => {
    expect(read()).toMatchObject({ minutes: 2, seed: '1', replicas: 2, rate: 1_000, spool: 'every-second', only: [] });
  });

  it('are read', () => {
    expect(read('--minutes', '0.5', '--seed', 'night-1', '--replicas', '3', '--only', 'failover')).toMatchObject({
      minutes: 0.5,
      seed: 'night-1',
      replicas: 3,
      only: ['failover'],
    });
  });

  it.each([
    [['--minutes', 'ten'], '--minutes must be a number from 0.2 to 1440, not ten.'],
    [['--minutes', ''], '--minutes must be a number from 0.2 to 1440, not .'],
    [['--replicas', '1.5'], '--replicas must be a whole number from 1 to 16, not 1.5.'],
    [['--rate', '0'], '--rate must be a whole number from 1 to 20000, not 0.'],
    [['--seed', '../up'], '--seed must be of letters, digits, - and _, at most 40, not "../up".'],
    [['--spool', 'some'], '--spool must be every-second, all or none, not some.'],
    [['--only', 'earthquake'], '--only names earthquake, but there are kill-replica, failover.'],
    [['--without', 'earthquake'], '--without names earthquake, but there are kill-replica, failover.'],
    [['--minuets', '2'], "Unknown option '--minuets'. See npm run torture -- --help."],
  ])('that are wrong are refused by name, in one line: %j', (args, text) => {
    expect(() => read(...args)).toThrow(new Error(text));
  });
});
