import { describe, expect, it } from '@jest/globals';
import { Routes } from './routes.js';
import type { Accounts, EnterpriseInstance, LivingApp } from './tenants.js';

const FIRST: LivingApp = { appKey: '1', appSecret: 's' };
const KEY = { accessKeyId: 'k', accessKeySecret: 's' };
const WIDE: EnterpriseInstance = { instanceId: 'iot-wide', accessKeys: [KEY], consumerGroupIds: ['g'] };
const PICKY: EnterpriseInstance = {
  instanceId: 'iot-picky',
  accessKeys: [KEY],
  consumerGroupIds: ['all', 'states', 'none'],
  subscriptions: [
    { product: 'meter', messages: ['DeviceDataFlag', 'DeviceStatusChangeFlag', 'OtaJobFlag'], groups: ['all'] },
    { product: 'gate', messages: ['DeviceTopoLifeCycleFlag', 'FoundDeviceListFlag'], groups: ['all'] },
    { product: 'probe', messages: ['DeviceStatusChangeFlag'], groups: ['states', 'all'] },
  ],
};

const accounts = (apps: readonly LivingApp[], instances: readonly EnterpriseInstance[]): Accounts => ({
  apps,
  instances,
  freshnessWindowMs: null,
});

describe('the way of a message without subscriptions', () => {
  const routes = new Routes(accounts([FIRST, { appKey: '2', appSecret: 's' }], [WIDE]));

  it('is to everybody when it is nobody’s', () => {
    const all = ['living/1', 'living/2', 'enterprise/iot-wide/DEFAULT_GROUP', 'enterprise/iot-wide/g'];
    expect(routes.of(null, '/pk/dn/thing/lifecycle')).toEqual(all);
    expect(routes.of(null, 'no topic of the platform')).toEqual(all);
    expect(routes.of(null, null)).toEqual(all);
  });

  it.each([
    ['living/2', ['living/2']],
    ['enterprise/iot-wide', ['enterprise/iot-wide/DEFAULT_GROUP', 'enterprise/iot-wide/g']],
    ['living/9', []],
  ])('is to the groups of its tenant %s', (tenant, expected) => {
    expect(routes.of(tenant, '/pk/dn/thing/event/property/post')).toEqual(expected);
  });

  it('is looked up, not worked out again, where everybody takes everything', () => {
    expect(routes.of(null, '/a/b/user/c')).toBe(routes.of(null, '/other/topic/user/d'));
  });
});

describe('the way of a Living app’s message', () => {
  const of = (app: Partial<LivingApp>, topic: string | null, tenant: string | null = 'living/1'): readonly string[] =>
    new Routes(accounts([{ ...FIRST, ...app }], [])).of(tenant, topic);

  it('ends while its data sync is off', () => {
    expect(of({ sync: false }, '/pk/dn/user/x')).toEqual([]);
    expect(of({ sync: false }, '/pk/dn/user/x', null)).toEqual([]);
    expect(of({ sync: true }, '/pk/dn/user/x')).toEqual(['living/1']);
  });

  it.each([
    ['/lock/dn/thing/event/property/post', []],
    ['/mqtt/status/lock/dn', []],
    ['/lock/dn/thing/awss/enrollee/user', []],
    ['/lamp/dn/thing/event/property/post', ['living/1']],
    ['/mqtt/status/lamp/lock', ['living/1']],
    ['no/such/topic', ['living/1']],
    [null, ['living/1']],
  ])('leaves out what is of an excluded product: %s', (topic, expected) => {
    expect(of({ exclude: ['lock'] }, topic)).toEqual(expected);
  });
});

describe('the way of an Enterprise instance’s message', () => {
  const routes = new Routes(accounts([FIRST], [WIDE, PICKY]));
  const group = (...ids: string[]): string[] => ids.map((id) => `enterprise/iot-picky/${id}`);

  it.each([
    ['a report', '/meter/m1/thing/event/property/post', group('all')],
    ['a custom topic', '/meter/m1/user/a/b', group('all')],
    ['a reply', '/meter/m1/thing/downlink/reply/message', group('all')],
    ['a leading /sys', '/sys/meter/m1/thing/event/property/post', group('all')],
    ['a status', '/as/mqtt/status/meter/m1', group('all')],
    ['a batch of OTA, whose second segment is no device', '/meter/pkg-1/job-1/ota/job/status', group('all')],
    ['history, which is not subscribed', '/meter/m1/thing/event/property/history/post', []],
    ['an OTA result, which is not subscribed', '/meter/m1/ota/upgrade', []],
    ['a life cycle, which is not subscribed', '/meter/m1/thing/lifecycle', []],
    ['a topology of a gateway', '/gate/g1/thing/topo/lifecycle', group('all')],
    ['a found device of a gateway', '/gate/g1/thing/list/found', group('all')],
    ['a report of that gateway', '/gate/g1/thing/event/property/post', []],
    ['a status of another product', '/as/mqtt/status/probe/p1', group('all', 'states')],
    ['a product of the same beginning', '/meter2/m1/user/x', []],
    ['a product without a subscription', '/lamp/l1/user/x', []],
    ['an unknown topic', 'no/such/topic', []],
    ['no topic', null, []],
  ])('follows product and message type: %s', (_, topic, expected) => {
    expect(routes.of('enterprise/iot-picky', topic)).toEqual(expected);
    expect(routes.of('enterprise/iot-picky', topic)).toEqual(expected); // remembered
  });

  it('of everybody is still picked by those who subscribe', () => {
    const wide = ['living/1', 'enterprise/iot-wide/DEFAULT_GROUP', 'enterprise/iot-wide/g'];
    expect(routes.of(null, '/meter/m1/user/x')).toEqual([...wide, ...group('all')]);
    expect(routes.of(null, '/lamp/l1/user/x')).toEqual(wide);
    expect(routes.of(null, 'no/such/topic')).toEqual(wide);
  });

  it('goes nowhere when the list of subscriptions is empty', () => {
    const empty = new Routes(accounts([], [{ ...WIDE, subscriptions: [] }]));
    expect(empty.of('enterprise/iot-wide', '/meter/m1/user/x')).toEqual([]);
  });
});
