import { describe, expect, it } from '@jest/globals';
import { FAULT_KINDS } from '../../src/simulator/faults/catalogue.js';
import { FAULTS, FAULT_NAMES } from './catalogue.mjs';
import { makePlan, planText, type PlannedFault } from './plan.mjs';
import { SeededRandom } from './random.mjs';

const everything = new Set(FAULT_NAMES);
const planOf = (seed: string, seconds = 600, faults: ReadonlySet<string> = everything): PlannedFault[] =>
  makePlan({ seed, seconds, replicas: 2, faults });
const SEEDS = ['1', '2', '7', 'night', 'x_y-z'];

/** What a planned fault breaks, by name; of replicas with their number. */
function broken({ name, replica }: PlannedFault): string[] {
  const { takes = [] } = FAULTS.find((fault) => fault.name === name) ?? {};
  const own = ['process', 'clock', 'amqp', 'postgres'];
  return takes.map((thing) => (own.includes(thing) ? `${thing}/${String(replica)}` : thing));
}

describe('a plan', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planText(planOf('7'))).toBe(planText(planOf('7')));
    expect(planText(planOf('7'))).not.toBe(planText(planOf('8')));
  });

  it.each(SEEDS)('has every fault within ten minutes, and at least fifty kills (seed %s)', (seed) => {
    const plan = planOf(seed);
    expect(FAULT_NAMES.filter((name) => !plan.some((planned) => planned.name === name))).toEqual([]);
    expect(plan.filter(({ name }) => name.startsWith('kill-')).length).toBeGreaterThanOrEqual(50);
  });

  it.each(SEEDS)('never breaks at once what another fault has broken, and is over in time (seed %s)', (seed) => {
    const until = new Map<string, number>();
    for (const planned of planOf(seed)) {
      const end = planned.at + planned.lasting;
      expect(end).toBeLessThanOrEqual(600.01);
      for (const thing of broken(planned)) {
        expect([thing, planned.at - (until.get(thing) ?? 0) >= 0]).toEqual([thing, true]);
        until.set(thing, end);
      }
    }
  });

  it('meets every replica, and none that is not there', () => {
    const met = new Set(planOf('7').flatMap(({ replica }) => (replica === null ? [] : [replica])));
    expect([...met].sort()).toEqual([0, 1]);
  });

  it('has no faults but those that were asked for', () => {
    const names = planOf('7', 600, new Set(['kill-replica', 'platform-poison'])).map(({ name }) => name);
    expect(new Set(names)).toEqual(new Set(['kill-replica', 'platform-poison']));
  });

  it('is empty where nothing can be broken', () => {
    expect(planOf('7', 600, new Set())).toEqual([]);
  });
});

describe('the catalogue', () => {
  it('has every fault of the simulator but the one that concerns Living apps', () => {
    const theirs = FAULT_KINDS.map(({ name }) => `platform-${name}`).filter((name) => name !== 'platform-sync-off');
    expect(FAULT_NAMES.filter((name) => name.startsWith('platform-')).sort()).toEqual(theirs.sort());
  });
});

describe('seeded chance', () => {
  it('is the same on every machine', () => {
    const random = new SeededRandom('torture');
    expect([random.whole(1, 100), random.whole(1, 100), random.pick(['a', 'b', 'c']), random.chance(0.5)]).toEqual([
      95,
      77,
      'b',
      false,
    ]);
  });

  it('shuffles without losing anything', () => {
    expect(new SeededRandom('1').shuffled([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('draws what weighs nothing never', () => {
    const random = new SeededRandom('1');
    const drawn = Array.from({ length: 200 }, () =>
      random.weighted([
        { name: 'heavy', weight: 3 },
        { name: 'nothing', weight: 0 },
      ]),
    );
    expect(drawn.some(({ name }) => name === 'nothing')).toBe(false);
  });
});
