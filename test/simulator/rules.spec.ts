import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BadDescription } from '../../src/simulator/description-file.js';
import { enterpriseGroup, enterpriseTenant } from '../../src/simulator/platform/tenants.js';
import { BadRule, type RuleDescription } from '../../src/simulator/rules/rule.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';
import { readWorld, worldFile } from '../../src/simulator/world.js';
import { bodyOf, enterpriseLogin, RawClient, until } from './raw-client.js';

const tenant = enterpriseTenant('iot-demo0001');
const topic = '/h9DemoEnt02/boiler-3/thing/event/property/post';
const body = '{"requestId":1234567890123456789,"items":{"WaterTemp":{"value":61.50,"time":1700000200004}}}';

const RULES: readonly RuleDescription[] = [
  {
    name: 'hot',
    instanceId: 'iot-demo0001',
    sql: 'SELECT requestId, items.WaterTemp.value AS t FROM "/sys/h9DemoEnt02/+/thing/event/property/post"',
    to: ['demoGroup000100'],
    onError: null,
  },
  {
    name: 'broken',
    instanceId: 'iot-demo0001',
    topics: ['/h9DemoEnt02/+/user/#'],
    script: { file: 'broken.js', source: 'writeAmqp(1000, { before: 1 }, "urgent")\npayload("json").x.y' },
    destinations: [{ id: 1_000, group: 'demoGroup000100' }],
    onError: 'DEFAULT_GROUP',
  },
];

let simulator: Simulator | undefined;
let client: RawClient | undefined;
afterEach(async () => {
  client?.connection.close();
  await simulator?.stop();
});

async function started(group: string): Promise<{ simulator: Simulator; client: RawClient }> {
  simulator = await startSimulator({ rules: RULES });
  client = new RawClient(simulator, enterpriseLogin(group)).receive(10);
  return { simulator, client };
}

describe('a rule', () => {
  it('reaches a group beside its direct subscription, under an id of its own', async () => {
    const { simulator, client } = await started('demoGroup000100');
    const id = simulator.publish({ topic, body, tenant });
    await until(() => client.received.length === 2);
    const direct = client.received.find((each) => each.id === id)!;
    const ruled = client.received.find((each) => each.id !== id)!;
    expect(bodyOf(direct).toString()).toBe(body);
    expect(bodyOf(ruled).toString()).toBe('{"requestId":1234567890123456789,"t":61.50}');
    expect(ruled.id).toMatch(/^\d{18,}$/);
    for (const { message } of [direct, ruled]) expect(message.application_properties).toMatchObject({ topic });
    expect(simulator.published).toBe(1);
  });

  it('has what it forwards told to whoever keeps a journal of all messages, with the groups that get it', async () => {
    const told: [id: string, groups: readonly string[]][] = [];
    const onPublished: SimulatorOptions['onPublished'] = ({ id }, groups) => told.push([id, groups]);
    simulator = await startSimulator({ rules: RULES, onPublished });
    const id = simulator.publish({ topic, body, tenant });
    const all = ['DEFAULT_GROUP', 'demoGroup000100'].map((group) => enterpriseGroup('iot-demo0001', group));
    expect(told).toEqual([
      [id, all],
      [expect.stringMatching(/^\d{18}$/), [enterpriseGroup('iot-demo0001', 'demoGroup000100')]],
    ]);
    expect(told[1]?.[0]).not.toBe(id);
  });

  it('tells the error destination what failed, and keeps what was written before', async () => {
    const { simulator, client } = await started('DEFAULT_GROUP');
    const other = new RawClient(simulator, enterpriseLogin('demoGroup000100')).receive(10);
    const custom = '/h9DemoEnt02/boiler-3/user/update';
    const id = simulator.publish({ topic: custom, body: '{}', tenant });
    await until(() => client.received.length === 2 && other.received.length === 2);
    const report = client.received.find((each) => each.id !== id)!;
    expect(JSON.parse(bodyOf(report).toString())).toMatchObject({
      ruleName: 'broken',
      topic: custom,
      productKey: 'h9DemoEnt02',
      deviceName: 'boiler-3',
      messageId: id,
      base64OriginalPayload: 'e30=',
      failures: [
        { actionType: 'SCRIPT', errorMessage: "broken.js:2: TypeError: cannot read property 'y' of undefined" },
      ],
    });
    const written = other.received.find((each) => each.id !== id)!;
    expect(bodyOf(written).toString()).toBe('{"before":1}');
    expect(written.message.application_properties).toMatchObject({ topic: custom, tag: 'urgent' });
    other.connection.close();
  });

  it('that cannot be compiled stops the start', async () => {
    const [rule] = RULES;
    const bad = { ...rule, sql: 'SELECT FROM' } as RuleDescription;
    await expect(startSimulator({ rules: [bad] })).rejects.toThrow(BadRule);
  });
});

describe('a script', () => {
  it('sets properties of a device', async () => {
    simulator = await startSimulator({
      rules: [
        {
          name: 'echo',
          instanceId: 'iot-demo0001',
          topics: ['/h9DemoEnt02/+/user/on'],
          script: {
            file: 'echo.js',
            source: 'writeIotTopic(1, "/sys/h9DemoEnt02/boiler-3/thing/service/property/set", payload("json"))',
          },
          destinations: [{ id: 1, product: 'h9DemoEnt02' }],
          onError: 'DEFAULT_GROUP',
        },
      ],
    });
    client = new RawClient(simulator, enterpriseLogin('DEFAULT_GROUP')).receive(10);
    simulator.publish({ topic: '/h9DemoEnt02/boiler-3/user/on', body: '{"On":1}', tenant });
    // There is no such device, which the platform's side says.
    await until(() => client!.received.length === 2);
    expect(bodyOf(client.received[1]!).toString()).toContain('belongs to no device');
  });
});

describe('rules of a world file', () => {
  const limits = { groupsPerProduct: null, groupsPerAccount: null } as never;
  let folder: string | undefined;
  afterEach(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
    folder = undefined;
  });

  it('that comes with the simulator can be compiled and forward', async () => {
    const world = readWorld(worldFile('builtin:rules'), limits);
    simulator = await startSimulator({
      accounts: world.accounts!,
      products: world.products!,
      rules: world.rules,
      fleet: { seed: '1', devices: 0, flavour: 'both', rate: 200 },
    });
    client = new RawClient(simulator, enterpriseLogin('warmRooms000300'));
    client.receive(10_000);
    const seen = (): string[] => client!.received.map((each) => bodyOf(each).toString());
    await until(() =>
      ['"celsius":', '"values":', '"online":true'].every((part) => seen().some((text) => text.includes(part))),
    );
    expect(simulator.enterprise('ruleErrors000400').counts.queued).toBe(0);
  });

  it.each([
    [
      'a destination that is neither',
      'topics: [/a]\n    script: none.js\n    destinations: [{ id: 1 }]',
      ':5: rules.0.destinations.0: must have a group or a product',
    ],
    [
      'an unknown group',
      'sql: SELECT * FROM "/a"\n    to: { group: nobody }',
      ':4: to: the instance has no consumer group nobody',
    ],
    [
      'no destination',
      'sql: SELECT * FROM "/a"',
      ':2: rules.0.to.0: Invalid input: expected object, received undefined',
    ],
    [
      'an unknown key',
      'sql: SELECT * FROM "/a"\n    to: { group: DEFAULT_GROUP }\n    too: 1',
      ':2: rules.0: Unrecognized key: "too"',
    ],
    [
      'a script that is not there',
      'topics: [/a]\n    script: none.js\n    destinations: [{ id: 1, group: DEFAULT_GROUP }]',
      ':4: script: ',
    ],
  ])('with %s is told with its line', (_name, rule, message) => {
    folder = mkdtempSync(join(tmpdir(), 'rules-'));
    const file = join(folder, 'world.yaml');
    writeFileSync(file, `rules:\n  - name: x\n    ${rule}\n    instance: iot-demo0001\n`);
    const usual = {
      apps: [],
      instances: [{ instanceId: 'iot-demo0001', accessKeys: [], consumerGroupIds: [] }],
      freshnessWindowMs: null,
    };
    expect(() => readWorld(file, limits, usual)).toThrow(BadDescription);
    expect(() => readWorld(file, limits, usual)).toThrow(`world.yaml${message}`);
  });
});
