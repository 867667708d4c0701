import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Accounts } from '../../src/simulator/platform/tenants.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { bodyOf, enterpriseLogin, livingLogin, RawClient, until } from './raw-client.js';

const OTHER_APP = { appKey: '90005678', appSecret: 'otherAppSecret-2b9e' };
const ACCOUNTS: Accounts = {
  apps: [{ appKey: '90001234', appSecret: 'demoAppSecret-7f3a', exclude: ['a1DemoLock1'] }, OTHER_APP],
  instances: [
    {
      instanceId: 'iot-demo0001',
      accessKeys: [{ accessKeyId: 'demoAccessKeyId01', accessKeySecret: 'demoAccessKeySecret-9c1d' }],
      consumerGroupIds: ['demoGroup000100'],
      subscriptions: [
        { product: 'h9DemoMete4', messages: ['DeviceDataFlag'], groups: ['DEFAULT_GROUP', 'demoGroup000100'] },
        { product: 'h9DemoGate5', messages: ['DeviceTopoLifeCycleFlag'], groups: ['DEFAULT_GROUP'] },
      ],
    },
  ],
  freshnessWindowMs: null,
};
const INSTANCE = 'enterprise/iot-demo0001';

/** As `livingLogin`, of any app. */
function appLogin(appKey: string, secret: string): { username: string; password: string } {
  const { username } = livingLogin();
  const password = createHmac('sha256', secret).update('random=1700000000000').digest('hex');
  return { username: username.replaceAll('90001234', appKey), password };
}

describe('tenants over the wire', () => {
  let simulator: Simulator;
  const consumer = async (login: { username: string; password: string }): Promise<RawClient> => {
    const client = new RawClient(simulator, login);
    client.onMessage = ({ delivery }) => delivery.accept();
    client.receive(100);
    await until(() => client.has('receiver_open'));
    return client;
  };
  const texts = (client: RawClient): string[] => client.received.map((received) => bodyOf(received).toString());
  const publish = (tenant: string | null, topic: string, body: string): string =>
    simulator.publish({ tenant, topic, body });
  /** Sent to everybody at the end: what comes before it has come by then. */
  const last = async (...clients: RawClient[]): Promise<void> => {
    publish('living/90001234', '/a1DemoAir02/p/user/x', 'last');
    publish('living/90005678', '/b1/p/user/x', 'last');
    publish(INSTANCE, '/h9DemoMete4/m/user/x', 'last');
    await until(() => clients.every((client) => texts(client).includes('last')));
  };

  beforeEach(async () => {
    simulator = await startSimulator({ accounts: ACCOUNTS });
  });
  afterEach(() => simulator.stop());

  it('see what is theirs, and of that what they subscribe to', async () => {
    const first = await consumer(livingLogin());
    const second = await consumer(appLogin(OTHER_APP.appKey, OTHER_APP.appSecret));
    const builtIn = await consumer(enterpriseLogin('DEFAULT_GROUP'));
    const named = await consumer(enterpriseLogin());
    publish('living/90001234', '/a1DemoAir02/p/thing/event/property/post', 'air');
    publish('living/90001234', '/a1DemoLock1/l/thing/event/property/post', 'an excluded product');
    publish('living/90005678', '/mqtt/status/b1/d', 'other app');
    publish(INSTANCE, '/h9DemoMete4/m/thing/event/property/post', 'meter');
    publish(INSTANCE, '/as/mqtt/status/h9DemoMete4/m', 'a flag that nobody subscribed to');
    publish(INSTANCE, '/h9DemoGate5/g/thing/topo/lifecycle', 'gateway');
    publish(INSTANCE, '/h9DemoOther/g/thing/topo/lifecycle', 'a product that nobody subscribed to');
    publish(INSTANCE, 'no/such/topic', 'an unknown topic');
    const lost = publish('living/1', '/a/b/user/c', 'nobody’s');
    await last(first, second, builtIn, named);
    expect(texts(first)).toEqual(['air', 'last']);
    expect(texts(second)).toEqual(['other app', 'last']);
    expect(texts(builtIn)).toEqual(['meter', 'gateway', 'last']);
    expect(texts(named)).toEqual(['meter', 'last']);
    expect(simulator.fate(lost)).toBeNull();
  });

  it('of whom a message names none all get it', async () => {
    const clients = [
      await consumer(livingLogin()),
      await consumer(appLogin(OTHER_APP.appKey, OTHER_APP.appSecret)),
      await consumer(enterpriseLogin('DEFAULT_GROUP')),
    ];
    publish(null, '/h9DemoMete4/m/thing/event/property/post', 'mixed');
    await last(...clients);
    expect(clients.map(texts)).toEqual(clients.map(() => ['mixed', 'last']));
  });

  it('receive nothing after a toggled sync until they reconnect, though connected', async () => {
    const before = new RawClient(simulator, livingLogin('before')).receive(0);
    await until(() => simulator.living.clientCount === 1);
    publish('living/90001234', '/a1DemoAir02/p/user/x', 'before');
    simulator.setSync('90001234', false);
    publish('living/90001234', '/a1DemoAir02/p/user/x', 'while off');
    before.receiver?.add_credit(10);
    const during = await consumer(livingLogin('during'));
    simulator.setSync('90001234', true);
    const kept = publish('living/90001234', '/a1DemoAir02/p/user/x', 'on again');
    expect(simulator.connections).toBe(2);
    expect(simulator.living.counts).toMatchObject({ sent: 0, queued: 2 });
    const after = await consumer(livingLogin('after'));
    await until(() => simulator.fate(kept)?.outcome === 'accepted');
    await until(() => after.received.length === 2);
    expect([before, during, after].map((client) => texts(client).sort())).toEqual([[], [], ['before', 'on again']]);
    expect([before, during].map(({ connection }) => connection.is_open())).toEqual([true, true]);
  });

  it('may still answer what they had before the sync was toggled', async () => {
    const client = new RawClient(simulator).receive(10);
    const id = publish('living/90001234', '/a1DemoAir02/p/user/x', 'before');
    await until(() => client.received.length === 1);
    simulator.setSync('90001234', false);
    client.received[0]?.delivery.accept();
    await until(() => simulator.fate(id)?.outcome === 'accepted');
  });

  it('stay deaf although they attach again on the same connection', async () => {
    const client = await consumer(livingLogin());
    simulator.setSync('90001234', false);
    simulator.setSync('90001234', true);
    client.receiver?.close();
    await until(() => client.has('receiver_close'));
    publish('living/90001234', '/a1DemoAir02/p/user/x', 'x');
    client.receive(10);
    await until(() => client.happened.filter((name) => name === 'receiver_open').length === 2);
    expect(simulator.living.counts.queued).toBe(1);
    expect(simulator.living.clientCount).toBe(0);
  });

  it('get a group that is made while running, and lose it again with its clients', async () => {
    expect((await refused(enterpriseLogin('late000300'))).logins.refused).toBe(1);
    simulator.tenants.createGroup('iot-demo0001', 'late000300');
    simulator.tenants.subscribe('iot-demo0001', {
      product: 'h9DemoMete4',
      messages: ['DeviceStatusChangeFlag'],
      groups: ['late000300'],
    });
    const client = await consumer(enterpriseLogin('late000300'));
    publish(INSTANCE, '/as/mqtt/status/h9DemoMete4/m', 'status');
    publish(INSTANCE, '/h9DemoMete4/m/user/x', 'not subscribed any more');
    await until(() => client.received.length === 1);
    simulator.tenants.deleteGroup('iot-demo0001', 'late000300');
    await until(() => client.has('connection_error amqp:resource-deleted'));
    expect((await refused(enterpriseLogin('late000300'))).logins.refused).toBe(2);
    expect(texts(client)).toEqual(['status']);
    publish(INSTANCE, '/as/mqtt/status/h9DemoMete4/m', 'for nobody');
  });

  it('lose what a deleted group held: it is given up, in whatever queue it was, and a group of that name begins empty', async () => {
    const group = 'enterprise/iot-demo0001/late000300';
    const create = (): void => {
      simulator.tenants.createGroup('iot-demo0001', 'late000300');
      simulator.tenants.subscribe('iot-demo0001', {
        product: 'h9DemoMete4',
        messages: ['DeviceDataFlag'],
        groups: ['late000300'],
      });
    };
    create();
    const [old = ''] = [publish(INSTANCE, '/h9DemoMete4/m/user/x', 'backlog')];
    const client = new RawClient(simulator, enterpriseLogin('late000300')).receive(1);
    await until(() => client.received.length === 1);
    const waiting = publish(INSTANCE, '/h9DemoMete4/m/user/x', 'in real time');
    const { counts } = simulator.groups.get(group) ?? {};
    expect(counts).toMatchObject({ queued: 1, unsettled: 1 });
    simulator.tenants.deleteGroup('iot-demo0001', 'late000300');
    await until(() => simulator.connections === 0);
    expect([old, waiting].map((id) => simulator.fate(id, group)?.outcome)).toEqual(['cleared', 'cleared']);
    create();
    expect(simulator.groups.get(group)?.counts).toMatchObject({ queued: 0, published: 0 });
  });

  it('are refused with their former secret, keep open connections, and are let in once it is restored', async () => {
    const open = await consumer(enterpriseLogin('DEFAULT_GROUP'));
    const rotation = simulator.rotateSecrets(INSTANCE, 'demoAccessKeyId01');
    expect((await refused(enterpriseLogin())).logins.refused).toBe(1);
    publish(INSTANCE, '/h9DemoMete4/m/user/x', 'still');
    await until(() => open.received.length === 1);
    await consumer(livingLogin()); // another tenant's secret stays
    rotation.restore();
    await consumer(enterpriseLogin());
  });

  async function refused(login: { username: string; password: string }): Promise<Simulator> {
    const { refused: before } = simulator.logins;
    const client = new RawClient(simulator, login).receive(1);
    await until(() => simulator.logins.refused > before && client.happened.length > 0);
    return simulator;
  }
});
