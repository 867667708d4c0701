import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { startSimulator } from '../../src/simulator/simulator.js';
import { RawClient, until } from './raw-client.js';

it('a simulator that can no longer keep what is published ends in order, and says why', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'simulator-disk-'));
  let why = '';
  const simulator = await startSimulator({
    queues: 'disk',
    dataDir,
    mqttPort: 0,
    faults: ['late'],
    fleet: { seed: '1', devices: 12, flavour: 'both', rate: 200 },
    onFailure: ({ message }) => (why = message),
  });
  try {
    const client = new RawClient(simulator).receive(1_000);
    await until(() => simulator.sent > 20);
    const { platform } = simulator as unknown as { platform: { options: { queues: { db: { batch: unknown } } } } };
    platform.options.queues.db.batch = () => Promise.reject(new Error('IO error: No space left on device'));
    await until(() => why !== '');
    expect(why).toMatch(/cannot be written: the disk is full/);
    expect(simulator.connections).toBe(0);
    expect(() => simulator.publish({ topic: '/t', body: 'x' })).toThrow(/the disk is full/);
    await until(() => client.happened.some((name) => /^(disconnected|connection_close)/.test(name)));
  } finally {
    await simulator.stop();
    await rm(dataDir, { recursive: true });
  }
});
