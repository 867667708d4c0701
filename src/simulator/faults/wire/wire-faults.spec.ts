import { describe, expect, it } from '@jest/globals';
import { FaultRig } from '../../../../test/simulator/fault-rig.js';

/** What a fault does to the platform from its start to its end. */
function deeds(name: string, params: Record<string, unknown> = {}, forMs = 60_000): string[] {
  const rig = new FaultRig();
  rig.engine.start(name, params, { forMs });
  for (let ms = 0; ms < forMs; ms += 1_000) rig.pass(1_000);
  return rig.deeds;
}

const published = async (rig: FaultRig, count: number): Promise<void> => {
  while (rig.published.length < count) await new Promise(setImmediate);
};

describe('faults of connections and tenants', () => {
  it.each([
    ['drop', {}, ['drop']],
    ['cut', { bytes: 77 }, ['cut 77']],
    ['half-open', { lasting: '3s' }, ['half-open 3000']],
    ['silent-link', {}, ['silence']],
    ['lost-credit', {}, ['forget-credit']],
    ['maintenance', { description: 'back soon' }, ['close amqp:connection:forced back soon']],
    ['detach', {}, ['detach amqp:link:detach-forced detached by the platform']],
    ['slow-tls', { delay: '2s' }, ['slow-tls 2000', 'slow-tls 0']],
    ['refused-logins', {}, ['refuse true', 'refuse false']],
    [
      'rotated-credentials',
      {},
      [
        'rotate living/90001234 all',
        'rotate enterprise/iot-demo0001 all',
        'restore living/90001234',
        'restore enterprise/iot-demo0001',
      ],
    ],
    [
      'rotated-credentials',
      { tenant: 'enterprise/iot-demo0001', key: 'k1' },
      ['rotate enterprise/iot-demo0001 k1', 'restore enterprise/iot-demo0001'],
    ],
    ['sync-off', {}, ['sync 90001234 false', 'sync 90001234 true']],
    ['sync-off', { app: '77' }, ['sync 77 false', 'sync 77 true']],
    ['flapping', { times: 3, every: '25s', device: 'p:d' }, ['flap 3 p:d', 'flap 3 p:d', 'flap 3 p:d']],
  ])('%s %j', (name, params, expected) => {
    expect(deeds(name, params)).toEqual(expected);
  });

  it('let nobody in before the last of them lets go', () => {
    const rig = new FaultRig();
    const [first, second] = [1, 2].map(() => rig.engine.start('refused-logins').id);
    rig.engine.stop(first!);
    expect(rig.deeds.at(-1)).toBe('refuse true');
    rig.engine.stop(second!);
    expect(rig.deeds.at(-1)).toBe('refuse false');
  });
});

describe('a backlog', () => {
  it('is published in portions while nobody is let in', async () => {
    const rig = new FaultRig();
    rig.engine.start('backlog', { messages: 25_000, devices: 10, over: '1h' });
    expect(rig.published).toEqual([]);
    expect(rig.deeds).toEqual(['refuse true', 'drop']);
    await published(rig, 25_000);
    expect(rig.deeds).toEqual(['refuse true', 'drop', 'refuse false']);
    expect(rig.engine.list()).toMatchObject([{ running: false, counts: { published: 25_000 } }]);
    const times = rig.published.map(({ generateTime }) => Number(generateTime));
    expect(times[0]).toBe(rig.now - 3_600_000 + 5);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(rig.published.map(({ topic }) => topic)).size).toBe(10);
    for (const { body } of rig.published.slice(0, 100)) JSON.parse(String(body));
  });

  it('can be stopped on its way, and leaves connections alone when told', async () => {
    const rig = new FaultRig();
    const { id } = rig.engine.start('backlog', { messages: 1_000_000, offline: 0 });
    await published(rig, 100);
    rig.engine.stop(id);
    const before = rig.published.length;
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    expect(rig.published).toHaveLength(before);
    expect(before).toBeLessThan(1_000_000);
    expect(rig.deeds).toEqual([]);
  });

  it('is the same again from the same seed', async () => {
    const run = async (): Promise<unknown> => {
      const rig = new FaultRig();
      rig.engine.start('backlog', { messages: 500 });
      await published(rig, 500);
      return rig.published;
    };
    expect(await run()).toEqual(await run());
  });
});
