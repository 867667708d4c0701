import { describe, expect, it } from '@jest/globals';
import type { Publication } from '../platform/platform-message.js';
import { FaultRig } from '../../../test/simulator/fault-rig.js';
import { BadFault } from './fault-engine.js';

const bodies = (published: readonly Publication[]): string[] => published.map(({ body }) => String(body));
const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

function stream(rig: FaultRig, count: number): Publication[] {
  return rig.during(() => {
    for (const body of numbers(count)) rig.engine.pass({ topic: '/t', body });
  });
}

describe('the fault engine', () => {
  it('leaves the stream alone while nothing is started, and once all has ended', () => {
    const rig = new FaultRig();
    expect(bodies(stream(rig, 100))).toEqual(numbers(100));
    const { id } = rig.engine.start('duplicates', { share: 1 });
    expect(rig.engine.stop(id)).toBe(true);
    expect(bodies(stream(rig, 100))).toEqual(numbers(100));
    expect(rig.engine.stop('duplicates-9')).toBe(false);
  });

  it('ends all faults although the platform no longer takes what one of them held back', () => {
    const rig = new FaultRig();
    const { options } = rig.engine as unknown as { options: { publish: (publication: Publication) => string } };
    rig.engine.start('late', { share: 1 });
    rig.engine.start('refused-logins');
    rig.engine.pass({ topic: '/t', body: 'x' });
    options.publish = () => {
      throw new Error('the disk is full');
    };
    rig.engine.close();
    expect(rig.engine.list().map(({ running }) => running)).toEqual([false, false]);
    expect(rig.deeds).toEqual(['refuse true', 'refuse false']);
    expect(rig.engine.log()).toContainEqual(
      expect.objectContaining({ what: 'not ended in order', details: { reason: 'the disk is full' } }),
    );
  });

  it('runs no more than a hundred at once', () => {
    const rig = new FaultRig();
    for (const name of numbers(100)) rig.engine.start('duplicates', {}, { seed: name });
    expect(() => rig.engine.start('late')).toThrow('100 faults are running; end some of them first');
    rig.engine.stop('duplicates-1');
    rig.engine.start('late');
  });

  it('gives the id of a message also when it holds it back', () => {
    const rig = new FaultRig();
    rig.engine.start('late', { share: 1, least: '1m', most: '1m' });
    const id = rig.engine.pass({ topic: '/t', body: 'x' });
    expect(rig.published).toEqual([]);
    rig.pass(60_000);
    expect(rig.published).toMatchObject([{ messageId: id, generateTime: rig.now - 60_000 }]);
  });

  it('runs several at once in the order of the catalogue, whichever was started first', () => {
    const once = (names: readonly string[]): Publication[] => {
      const rig = new FaultRig();
      for (const name of names) rig.engine.start(name, name === 'shuffle' ? {} : { share: 1 });
      return stream(rig, 50);
    };
    const all = once(['duplicates', 'shuffle', 'unknown-topics']);
    expect(all).toEqual(once(['shuffle', 'unknown-topics', 'duplicates']));
    // What was added first is shuffled and repeated as well.
    expect(all.filter(({ topic }) => topic !== '/t').length).toBeGreaterThan(60);
  });

  it('does the same again from the same seed, and something else from another', () => {
    const run = (seed: string): unknown => {
      const rig = new FaultRig(seed);
      for (const name of ['duplicates', 'shuffle', 'poison', 'disconnects']) rig.engine.start(name);
      return [stream(rig, 1_000), rig.deeds];
    };
    expect(run('1')).toEqual(run('1'));
    expect(run('2')).not.toEqual(run('1'));
  });

  it('seeds the second start of a fault otherwise than the first, unless it is given the seed', () => {
    const rig = new FaultRig();
    const run = (seed?: string): string[] => {
      const { id } = rig.engine.start('shuffle', {}, seed === undefined ? {} : { seed });
      const passed = bodies(stream(rig, 200));
      rig.engine.stop(id);
      return passed;
    };
    const [first, second] = [run(), run()];
    expect(second).not.toEqual(first);
    expect(run('1/shuffle/1')).toEqual(first);
  });

  it('ends a fault after its time, and tells what it did from start to end', () => {
    const rig = new FaultRig();
    rig.engine.start('duplicates', { share: 1, within: 0 }, { forMs: 5_000 });
    stream(rig, 20);
    rig.pass(5_000);
    const [run] = rig.engine.list();
    expect(run).toMatchObject({ id: 'duplicates-1', running: false, counts: { repeated: 20 }, seed: '1/duplicates/1' });
    expect(rig.engine.log().map(({ what, details }) => `${what} ${String(details.count ?? '')}`)).toEqual([
      'started ',
      'repeated 1',
      'repeated 2',
      'repeated 3',
      'repeated 10',
      'ended ',
    ]);
    expect(rig.said).toContainEqual({
      msg: 'fault',
      fields: { run: 'duplicates-1', what: 'ended', did: 'repeated 20' },
    });
  });

  it('shows messages that a fault made or changed as such', () => {
    const rig = new FaultRig();
    rig.engine.start('early', { share: 1 });
    rig.engine.start('duplicates', { share: 1, within: 0 });
    const body = '{"items":{"A":{"value":1,"time":1700000000000}}}';
    rig.engine.pass({ topic: '/p/d/thing/event/property/post', body, origin: { from: 'mqtt' } });
    expect(rig.published.map(({ origin }) => origin)).toEqual([
      { from: 'mqtt', by: 'early-1' },
      { from: 'fault', by: 'duplicates-1' },
    ]);
  });

  it.each([
    ['duplicate', {}, /no fault is called "duplicate"; did you mean "duplicates"\?/],
    ['plague', {}, /no fault is called "plague"; there are clock-skew, /],
    ['duplicates', { share: 2 }, /^duplicates: share: /],
    ['duplicates', { copy: 2 }, /^duplicates: .*"copy"/],
    ['late', { least: '5 parsecs' }, /^late: least: must be a number with a unit.*"5 parsecs"/],
    ['late', { least: '2h', most: '1h' }, /^late: least: must not be more than "most"/],
    ['poison', { kinds: ['arsenic'] }, /^poison: kinds\.0: must be of cut-json, /],
    ['rotated-credentials', { tenant: 'living/0' }, /^rotated-credentials cannot be done: no tenant living\/0/],
  ])('refuses %s %j', (name, params, message) => {
    const rig = new FaultRig();
    expect(() => rig.engine.start(name, params)).toThrow(BadFault);
    expect(() => rig.engine.start(name, params)).toThrow(message);
    expect(rig.engine.list()).toEqual([]);
  });

  it('describes every fault with what it takes', () => {
    const { engine } = new FaultRig();
    const names = engine.catalogue().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, meaning, course, parameters } of engine.catalogue()) {
      expect(meaning).not.toBe('');
      // What it describes as the default is what it can be started with.
      const params = Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.default]));
      if (name !== 'backlog') engine.start(name, params, { forMs: 1 });
      expect(['lasting', 'once', 'job']).toContain(course);
    }
  });

  it('lets go of everything when it closes', () => {
    const rig = new FaultRig();
    for (const name of ['late', 'shuffle', 'refused-logins', 'rotated-credentials', 'sync-off', 'slow-tls'])
      rig.engine.start(name);
    stream(rig, 100);
    rig.engine.close();
    expect(bodies(rig.published).sort()).toEqual(numbers(100).sort());
    expect(rig.deeds.slice(-5).sort()).toEqual(
      [
        'refuse false',
        'restore enterprise/iot-demo0001',
        'restore living/90001234',
        'slow-tls 0',
        'sync 90001234 true',
      ].sort(),
    );
  });
});
