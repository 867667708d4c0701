import { afterEach, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';
import { readWorld, worldFile } from '../../src/simulator/world.js';
import { bodyOf, enterpriseLogin, livingLogin, RawClient, until, type Received } from './raw-client.js';

const START = Date.UTC(2025, 5, 1, 4);
const GROUP_LIMITS = { groupsOfProduct: 10, groupsOfAccount: 1_000 };

let simulator: Simulator | undefined;
const clients: RawClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.connection.close();
  await simulator?.stop();
  simulator = undefined;
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  simulator = await startSimulator({
    seed: '1',
    fleet: { seed: '1', devices: 12, flavour: 'both', rate: 0 },
    ...options,
  });
  return simulator;
}

/** A consumer that accepts everything. */
function consumer(of: Simulator, login: { username: string; password: string }): RawClient {
  const client = new RawClient(of, login);
  client.onMessage = ({ delivery }) => delivery.accept();
  client.receive(5_000);
  clients.push(client);
  return client;
}

const topicOf = ({ message }: Received): string => String(message.application_properties?.topic);
const parsed = (received: Received): Record<string, unknown> =>
  JSON.parse(bodyOf(received).toString()) as Record<string, unknown>;

describe('the fleet on the wire', () => {
  it('sends the same bytes from the same seed at the same time, of the demo and of a world', async () => {
    const world = readWorld(worldFile('builtin:two-tenants'), GROUP_LIMITS);
    for (const options of [{}, { accounts: world.accounts ?? undefined, products: world.products ?? undefined }]) {
      const runs: string[][] = [];
      for (let run = 0; run < 2; run++) {
        const running = await start({ ...options, clock: () => START });
        const client = consumer(running, livingLogin());
        const expected =
          running.living.counts.queued + running.living.counts.accepted + running.living.counts.unsettled;
        await until(() => client.received.length >= expected && expected > 0);
        runs.push(client.received.map((each) => `${topicOf(each)} ${bodyOf(each).toString()}`).sort());
        client.connection.close();
        await running.stop();
      }
      expect(runs[0]?.length).toBeGreaterThan(15);
      expect(runs[1]).toEqual(runs[0]);
    }
  });

  it('tells each tenant of a world of its own devices and of nobody else', async () => {
    const { accounts, products } = readWorld(worldFile('builtin:two-tenants'), GROUP_LIMITS);
    if (!accounts || !products) throw new Error('the world is empty');
    const running = await start({ accounts, products });
    expect(running.virtualDevices).toBe(26);
    const living = consumer(running, livingLogin());
    const meters = consumer(running, enterpriseLogin());
    const seen = ({ received }: RawClient): Set<string> =>
      new Set(
        received.map(
          (each) =>
            topicOf(each)
              .split('/')
              .find((part) => /^(a1|a2|h9|b2)/.test(part)) ?? '',
        ),
      );
    await until(() => seen(living).size >= 2 && seen(meters).size >= 1 && meters.received.length >= 12);
    expect(seen(living)).toEqual(new Set(['a1DemoLock1', 'a1DemoAir02']));
    expect(seen(meters)).toEqual(new Set(['h9DemoMete4']));
  });

  it('answers a command without waiting for the rate, under its id, and reports what was set', async () => {
    const running = await start();
    const client = consumer(running, livingLogin());
    const id = running.command('a1DemoHeat3:thermostat-001', 'property/set', { TargetTemperature: 19.5 });
    const about = (end: RegExp): Received[] =>
      client.received.filter(
        (each) => topicOf(each).startsWith('/a1DemoHeat3/thermostat-001/') && end.test(topicOf(each)),
      );
    await until(() => about(/downlink\/reply\/message$/).length > 0 && about(/property\/post$/).length > 1);
    expect(about(/downlink\/reply\/message$/).map(parsed)).toMatchObject([{ requestId: id, code: 200 }]);
    expect(
      about(/property\/post$/)
        .map(parsed)
        .at(-1),
    ).toMatchObject({
      items: { TargetTemperature: { value: 19.5 } },
    });
  });

  it('lets a device flicker, or one by chance, and knows those of which real devices may be one', async () => {
    const running = await start();
    const client = consumer(running, livingLogin());
    running.flap(4, 'h9DemoMete4:meter-001');
    const changes = (): unknown[] =>
      client.received
        .filter((each) => topicOf(each) === '/as/mqtt/status/h9DemoMete4/meter-001')
        .map((each) => parsed(each).status);
    await until(() => changes().length === 9);
    expect(changes().filter((status) => status === 'offline')).toHaveLength(4);
    const before = running.published;
    running.flap(1);
    expect(running.published).toBe(before + 2);
    expect(() => running.flap(1, 'h9DemoMete4:nobody')).toThrow('no device h9DemoMete4:nobody in the simulator');
    expect(() => running.flap(1, 'h9DemoMqtt7:esp32-001')).toThrow('device h9DemoMqtt7:esp32-001 is not online');
    expect(running.registry.device('h9DemoMqtt7', 'esp32-001')).toMatchObject({
      deviceSecret: 'demoDeviceSecret-esp32-001',
      online: false,
    });
  });
});
