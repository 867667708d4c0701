import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GROUP_LIMITS } from './platform/tenants.js';
import { readWorld, worldFile, type World } from './world.js';

describe('the tenants of a world file', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'world-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const read = (text: string): World => {
    const file = join(directory, 'world.yaml');
    writeFileSync(file, text);
    return readWorld(file, { ...GROUP_LIMITS, groupsOfProduct: 2 });
  };

  it('come with keys, tokens, groups and subscriptions', () => {
    const { accounts } = read(`
tenants:
  living:
    - { appKey: '0012', appSecret: 'any, thing' }
    - { appKey: b, appSecret: s, sync: false, exclude: [a1Lock] }
  enterprise:
    - instanceId: ''
      accessKeys:
        - { id: k, secret: s, mayConsume: false }
        - { id: STS.k, secret: s, securityToken: CAIS+/==, expiresAt: 2030-01-01T00:00:00Z }
      consumerGroups: [g, DEFAULT_GROUP]
      subscriptions:
        - { product: h9Meter, messages: [DeviceDataFlag] }
`);
    expect(accounts).toEqual({
      apps: [
        { appKey: '0012', appSecret: 'any, thing', sync: true, exclude: [] },
        { appKey: 'b', appSecret: 's', sync: false, exclude: ['a1Lock'] },
      ],
      instances: [
        {
          instanceId: '',
          accessKeys: [
            { accessKeyId: 'k', accessKeySecret: 's', mayConsume: false },
            {
              accessKeyId: 'STS.k',
              accessKeySecret: 's',
              mayConsume: true,
              securityToken: 'CAIS+/==',
              expiresAt: 1_893_456_000_000,
            },
          ],
          consumerGroupIds: ['g'],
          subscriptions: [{ product: 'h9Meter', messages: ['DeviceDataFlag'], groups: ['DEFAULT_GROUP'] }],
        },
      ],
      freshnessWindowMs: null,
    });
  });

  it('are those of the settings where the file names none', () => {
    expect(read('{}').accounts).toBeNull();
  });

  const instance = (rest: string): string =>
    `tenants:\n  enterprise:\n    - instanceId: i\n      accessKeys: [{ id: k, secret: s }]\n${rest}`;
  it.each([
    ['tenants:\n  living:\n    - { appKey: 12, appSecret: s }', 3, /appKey must be text; put it in quotes/],
    ['tenants:\n  living:\n    - appKey: a', 3, /appSecret is missing/],
    ['tenants:\n  living:\n    - appKey: a|b\n      appSecret: s', 3, /appKey must be 1 to 128 characters/],
    ['tenants:\n  livings: []', 2, /livings/],
    [
      "tenants:\n  living:\n    - { appKey: 'a', appSecret: s }\n    - { appKey: a, appSecret: t }",
      4,
      /appKey "a" is there twice/,
    ],
    ['tenants:\n  enterprise:\n    - instanceId: i\n      accessKeys: []', 4, /at least one AccessKey/],
    [
      'tenants:\n  enterprise:\n    - instanceId: i\n      accessKeys:\n        - { id: k, secret: s, expiresAt: 2030-01-01T00:00:00Z }',
      5,
      /only a temporary credential/,
    ],
    [
      'tenants:\n  enterprise:\n    - instanceId: i\n      accessKeys:\n        - { id: k, secret: s, securityToken: t, expiresAt: soon }',
      5,
      /expiresAt must be a time/,
    ],
    [
      instance('      subscriptions:\n        - { product: p, messages: [DeviceDateFlag] }'),
      6,
      /a message type is one of/,
    ],
    [instance('      subscriptions:\n        - { product: p, messages: [] }'), 6, /at least one message type/],
    [
      instance(
        '      subscriptions:\n        - { product: p, messages: [DeviceDataFlag] }\n        - product: q\n          messages: [DeviceDataFlag]\n          groups: [nobody]',
      ),
      9,
      /no consumer group "nobody" in this instance/,
    ],
    [
      instance(
        '      consumerGroups: [a, b]\n      subscriptions:\n        - product: p\n          messages: [DeviceDataFlag]\n          groups: [a, b, DEFAULT_GROUP]',
      ),
      9,
      /limit "groups of a product" is 2/,
    ],
    [
      `${instance('      subscriptions:\n        - product: h9Metre\n          messages: [DeviceDataFlag]')}\nproducts:\n  - { productKey: h9Meter, tenant: i, model: builtin:electricity-meter }`,
      6,
      /h9Metre is no product of this tenant; it has h9Meter/,
    ],
    [
      'tenants:\n  living:\n    - appKey: a\n      appSecret: s\n      exclude: [x]\nproducts: []',
      5,
      /x is no product of this tenant; it has none/,
    ],
    [instance('      consumerGroups: [a, b, a]'), 5, /consumer group "a" is there twice/],
  ])('are refused with file and line: %j', (text, line, reason) => {
    expect(() => read(text)).toThrow(reason);
    expect(() => read(text)).toThrow(new RegExp(`world\\.yaml:${line}: `));
  });

  it('in the documentation are valid', () => {
    const [example = ''] = /(?<=```yaml\n)tenants:\n[^]*?(?=```)/.exec(readFileSync('docs/simulator.md', 'utf8')) ?? [];
    expect(read(example).accounts).toMatchObject({
      apps: [{ appKey: '90001234', exclude: ['a1DemoLock1'] }],
      instances: [{ instanceId: 'iot-demo0001', subscriptions: [{ groups: ['DEFAULT_GROUP', 'demoGroup000100'] }] }],
    });
  });

  it('that come with the simulator are valid', () => {
    const { accounts } = readWorld(worldFile('builtin:two-tenants'), GROUP_LIMITS);
    expect(accounts?.apps).toHaveLength(2);
    expect(readWorld(worldFile('builtin:rules'), GROUP_LIMITS).rules).not.toHaveLength(0);
    expect(accounts?.instances.map(({ instanceId }) => instanceId)).toEqual(['iot-demo0001', '']);
  });
});
