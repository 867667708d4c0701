import { describe, expect, it } from '@jest/globals';
import { NO_GROUP_LIMITS, Tenants, TenantError, type Accounts, type TenantChange } from './tenants.js';

const ACCOUNTS: Accounts = {
  apps: [
    { appKey: '1', appSecret: 'one' },
    { appKey: '2', appSecret: 'two' },
  ],
  instances: [
    {
      instanceId: 'iot-a',
      accessKeys: [
        { accessKeyId: 'k1', accessKeySecret: 'old1' },
        { accessKeyId: 'k2', accessKeySecret: 'old2' },
      ],
      consumerGroupIds: ['g1', 'g2'],
      subscriptions: [
        { product: 'meter', messages: ['DeviceDataFlag'], groups: ['g1', 'g2'] },
        { product: 'lamp', messages: ['DeviceDataFlag'], groups: ['g2'] },
      ],
    },
    { instanceId: '', accessKeys: [{ accessKeyId: 'k1', accessKeySecret: 'legacy' }], consumerGroupIds: [] },
  ],
  freshnessWindowMs: null,
};

function tenantsOf(
  limits = NO_GROUP_LIMITS,
  accounts = ACCOUNTS,
): { readonly tenants: Tenants; readonly heard: TenantChange[] } {
  let made = 0;
  const tenants = new Tenants(accounts, limits, () => `made${++made}`);
  const heard: TenantChange[] = [];
  tenants.onChange((change) => heard.push(change));
  return { tenants, heard };
}

describe('tenants', () => {
  it('switch data sync, once, and tell whose clients must reconnect', () => {
    const { tenants, heard } = tenantsOf();
    tenants.setSync('1', true); // as it was
    tenants.setSync('1', false);
    tenants.setSync('1', false);
    expect(heard).toEqual([{ created: [], deleted: [], deafened: ['living/1'] }]);
    expect([tenants.isSynchronised('living/1'), tenants.isSynchronised('living/2')]).toEqual([false, true]);
    tenants.setSync('1', true);
    expect(heard).toHaveLength(2);
    expect(tenants.isSynchronised('living/1')).toBe(true);
  });

  it('create and delete groups, which leave their subscriptions', () => {
    const { tenants, heard } = tenantsOf();
    tenants.createGroup('iot-a', 'g3');
    tenants.subscribe('iot-a', { product: 'gate', messages: ['DeviceDataFlag'], groups: ['g3'] });
    tenants.deleteGroup('iot-a', 'g2');
    expect(heard.map(({ created, deleted }) => [created, deleted])).toEqual([
      [['enterprise/iot-a/g3'], []],
      [[], []],
      [[], ['enterprise/iot-a/g2']],
    ]);
    expect(tenants.instance('iot-a')).toMatchObject({ consumerGroupIds: ['g1', 'g3'] });
    expect(tenants.instance('iot-a').subscriptions?.map(({ product, groups }) => [product, groups])).toEqual([
      ['meter', ['g1']],
      ['gate', ['g3']],
    ]);
  });

  it('subscribe a product anew in place of what it had, and end it', () => {
    const { tenants } = tenantsOf();
    tenants.subscribe('iot-a', { product: 'meter', messages: ['OtaJobFlag'], groups: ['DEFAULT_GROUP'] });
    expect(tenants.instance('iot-a').subscriptions).toHaveLength(2);
    tenants.unsubscribe('iot-a', 'meter');
    expect(tenants.instance('iot-a').subscriptions?.map(({ product }) => product)).toEqual(['lamp']);
  });

  it('rotate one key or all, and restore what was', () => {
    const { tenants } = tenantsOf();
    const secrets = (): string[] => tenants.instance('iot-a').accessKeys.map(({ accessKeySecret }) => accessKeySecret);
    const one = tenants.rotateSecrets('enterprise/iot-a', 'k2');
    expect(secrets()).toEqual(['old1', 'made1']);
    one.restore();
    expect(secrets()).toEqual(['old1', 'old2']);
    const all = tenants.rotateSecrets('enterprise/iot-a');
    expect(secrets()).toEqual(['made2', 'made3']);
    expect(tenants.instance('').accessKeys[0]?.accessKeySecret).toBe('legacy');
    all.restore();
    tenants.rotateSecrets('living/2', undefined, 'chosen');
    expect(tenants.accounts.apps.map(({ appSecret }) => appSecret)).toEqual(['one', 'chosen']);
    expect(secrets()).toEqual(['old1', 'old2']);
  });

  it.each<[string, (tenants: Tenants) => void, RegExp]>([
    ['an unknown app', (tenants) => tenants.setSync('9', false), /No Living app 9/],
    ['an unknown instance', (tenants) => tenants.createGroup('iot-z', 'g'), /No Enterprise instance "iot-z"/],
    ['a group that exists', (tenants) => tenants.createGroup('iot-a', 'g1'), /g1 exists/],
    ['the built-in group again', (tenants) => tenants.createGroup('iot-a', 'DEFAULT_GROUP'), /exists/],
    ['a group no URL could name', (tenants) => tenants.createGroup('iot-a', 'a/b'), /consumer group id/],
    ['the end of the built-in group', (tenants) => tenants.deleteGroup('iot-a', 'DEFAULT_GROUP'), /cannot be deleted/],
    ['the end of an unknown group', (tenants) => tenants.deleteGroup('iot-a', 'g9'), /No consumer group g9/],
    [
      'a subscription of an unknown group',
      (tenants) => tenants.subscribe('iot-a', { product: 'p', messages: ['DeviceDataFlag'], groups: ['g9'] }),
      /no consumer group "g9"/,
    ],
    [
      'a subscription to nothing',
      (tenants) => tenants.subscribe('iot-a', { product: 'p', messages: [], groups: ['g1'] }),
      /at least one message type/,
    ],
    ['the end of no subscription', (tenants) => tenants.unsubscribe('iot-a', 'p'), /no subscription/],
    ['an unknown key', (tenants) => tenants.rotateSecrets('enterprise/iot-a', 'k9'), /No key k9/],
    ['an empty secret', (tenants) => tenants.rotateSecrets('living/1', '1', ''), /must not be empty/],
  ])('refuse %s and stay as they were', (_, change, reason) => {
    const { tenants } = tenantsOf();
    expect(() => change(tenants)).toThrow(TenantError);
    expect(() => change(tenants)).toThrow(reason);
    expect(tenants.accounts).toEqual(ACCOUNTS);
  });

  it('name the limit that a change breaks', () => {
    const { tenants } = tenantsOf({ groupsOfProduct: 2, groupsOfAccount: 4 });
    const subscribe = (): void =>
      tenants.subscribe('iot-a', { product: 'x', messages: ['DeviceDataFlag'], groups: ['g1', 'g2', 'DEFAULT_GROUP'] });
    expect(subscribe).toThrow('product x has 3 consumer groups; the limit "groups of a product" is 2');
    tenants.createGroup('iot-a', 'g3');
    expect(() => tenants.createGroup('iot-a', 'g4')).toThrow(
      'instance "iot-a" has 5 consumer groups; the limit "consumer groups of an account" is 4',
    );
  });

  it.each<[string, Partial<Accounts>, RegExp]>([
    ['an appKey twice', { apps: [...ACCOUNTS.apps, { appKey: '1', appSecret: 'x' }] }, /appKey "1" is there twice/],
    ['an instance twice', { instances: [...ACCOUNTS.instances, ...ACCOUNTS.instances] }, /instanceId "iot-a" is there/],
  ])('do not start with %s', (_, wrong, reason) => {
    expect(() => tenantsOf(NO_GROUP_LIMITS, { ...ACCOUNTS, ...wrong })).toThrow(reason);
  });
});
