import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.js';
import { bodyOf, enterpriseLogin, livingLogin, RawClient, until } from './raw-client.js';

describe('a consumer group', () => {
  let simulator: Simulator;
  const clients: RawClient[] = [];
  const client = (
    ...args: ConstructorParameters<typeof RawClient> extends [unknown, ...infer R] ? R : never
  ): RawClient => {
    const made = new RawClient(simulator, ...args);
    clients.push(made);
    return made;
  };
  const restart = async (options: SimulatorOptions): Promise<void> => {
    await simulator.stop();
    simulator = await startSimulator(options);
  };
  const publish = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => simulator.publish({ topic: '/pk/dn/user/n', body: String(i) }));

  beforeEach(async () => {
    simulator = await startSimulator();
  });
  afterEach(async () => {
    await simulator.stop();
    await until(() =>
      clients.every(({ happened }) => happened.some((name) => /^(disconnected|connection_close)/.test(name))),
    );
    clients.length = 0;
  });

  it('gives a message its id, topic, time and qos beside one data section', async () => {
    const id = simulator.publish({ topic: '/pk/dn/thing/lifecycle', body: '{"ä":1}', generateTime: 1_700_000_000_123 });
    const consumer = client().receive(10);
    await until(() => consumer.received.length === 1);
    const [received] = consumer.received;
    expect(id).toMatch(/^\d{18}$/);
    expect(received?.message.message_id).toBe(id);
    expect(received?.message.application_properties).toEqual({
      topic: '/pk/dn/thing/lifecycle',
      messageId: id,
      generateTime: 1_700_000_000_123,
      qos: 1,
    });
    expect(received?.message.body).toMatchObject({ typecode: 0x75 });
    expect(received && bodyOf(received).toString()).toBe('{"ä":1}');
  });

  it.each(['data', 'several-data', 'value-string', 'value-binary'] as const)(
    'carries the same bytes as %s',
    async (bodyForm) => {
      simulator.publish({ topic: null, body: 'some bytes', bodyForm, messageId: null, generateTime: null, qos: null });
      const consumer = client().receive(1);
      await until(() => consumer.received.length === 1);
      const [received] = consumer.received;
      expect(received && bodyOf(received).toString()).toBe('some bytes');
      expect(received?.message.application_properties ?? {}).toEqual({});
    },
  );

  it('sends no more than the credit, however much is queued', async () => {
    publish(100);
    const consumer = client().receive(7);
    await until(() => consumer.received.length === 7);
    // Were there an eighth, it would be on its way before the answer to this ninth round trip.
    simulator.publish({ topic: null, body: 'x' });
    consumer.receiver?.add_credit(2);
    await until(() => consumer.received.length >= 9);
    expect(simulator.sent).toBe(9);
    expect(simulator.unsettled).toBe(9);
    expect(simulator.living.counts.queued).toBe(92);
  });

  it('sends every message once when each is accepted', async () => {
    const ids = publish(3_000);
    const consumer = client();
    consumer.onMessage = ({ delivery }) => {
      delivery.accept();
      consumer.receiver?.add_credit(1);
    };
    consumer.receive(50);
    await until(() => simulator.accepted === 3_000);
    expect(consumer.ids).toEqual(ids);
    expect(simulator).toMatchObject({ published: 3_000, redelivered: 0, unsettled: 0 });
    expect(simulator.fate(ids[17] ?? '')).toEqual({ outcome: 'accepted', deliveries: 1, answers: ['accepted'] });
  });

  it('sends again under the same id what is not answered in time, and not what is accepted', async () => {
    await restart({ ackTimeoutMs: 40 });
    const [kept = '', taken = ''] = publish(2);
    const consumer = client();
    consumer.onMessage = ({ id, delivery }) => {
      if (id === taken) delivery.accept();
    };
    consumer.receive(4);
    await until(() => consumer.received.length === 4);
    expect(consumer.ids.sort()).toEqual([kept, kept, kept, taken].sort());
    expect(simulator.fate(taken)).toMatchObject({ outcome: 'accepted', deliveries: 1 });
    expect(simulator.fate(kept)?.answers.slice(0, 2)).toEqual(['timed-out', 'timed-out']);
  });

  it.each(['released', 'rejected', 'modified'] as const)('sends again what is %s', async (answer) => {
    const [id = ''] = publish(1);
    const consumer = client();
    consumer.onMessage = ({ delivery }) => {
      if (consumer.received.length > 1) delivery.accept();
      else if (answer === 'released') delivery.release();
      else if (answer === 'rejected') delivery.reject({ condition: 'test:no' });
      else delivery.modified({ delivery_failed: true });
    };
    consumer.receive(5);
    await until(() => simulator.accepted === 1);
    expect(simulator.fate(id)).toEqual({ outcome: 'accepted', deliveries: 2, answers: [answer, 'accepted'] });
  });

  it('sends again to the next client what a lost connection left unanswered', async () => {
    const ids = publish(5);
    const first = client().receive(3);
    await until(() => first.received.length === 3);
    simulator.dropConnections();
    await until(() => simulator.connections === 0);
    const second = client();
    second.onMessage = ({ delivery }) => delivery.accept();
    second.receive(10);
    await until(() => simulator.accepted === 5);
    expect(second.ids.sort()).toEqual(ids);
    expect(simulator.redelivered).toBe(3);
  });

  it('gives a copy to every group and each message to one client of a group', async () => {
    const accepting = (group: string): RawClient => {
      const made = client(enterpriseLogin(group));
      made.onMessage = ({ delivery }) => delivery.accept();
      return made.receive(1_000);
    };
    const [a, b, other] = [accepting('demoGroup000100'), accepting('demoGroup000100'), accepting('DEFAULT_GROUP')];
    await until(() => [a, b, other].every(({ receiver }) => receiver?.is_open()));
    await until(() => simulator.enterprise('demoGroup000100').clientCount === 2);
    const ids = publish(200);
    await until(() => simulator.accepted === 400);
    expect([...a.ids, ...b.ids].sort()).toEqual(ids);
    expect(other.ids.sort()).toEqual(ids);
    expect(Math.min(a.ids.length, b.ids.length)).toBeGreaterThan(50);
  });

  it('serves only the oldest live connection of a Living app', async () => {
    const first = client(livingLogin('first')).receive(100);
    await until(() => simulator.living.clientCount === 1);
    const second = client(livingLogin('second')).receive(100);
    await until(() => simulator.living.clientCount === 2);
    publish(20);
    await until(() => first.received.length === 20);
    first.connection.close();
    await until(() => second.received.length === 20);
    expect(first.received).toHaveLength(20);
  });

  it('drops the oldest messages once a group holds too many', async () => {
    await restart({ maxQueued: 10 });
    const ids = publish(25);
    const consumer = client().receive(100);
    await until(() => consumer.received.length === 10);
    expect(consumer.ids).toEqual(ids.slice(15));
    expect(simulator.fate(ids[0] ?? '')).toMatchObject({ outcome: 'overflowed', deliveries: 0 });
    expect(simulator.living.counts.dropped).toBe(15);
  });

  it('drops what is older than a day', async () => {
    let now = 1_700_000_000_000;
    await restart({ clock: () => now });
    const [old = ''] = publish(1);
    now += 86_400_001;
    const [fresh = ''] = publish(1);
    const consumer = client().receive(10);
    await until(() => consumer.received.length > 0);
    expect(consumer.ids).toEqual([fresh]);
    expect(simulator.fate(old)?.outcome).toBe('expired');
  });

  it('hands out Base64 when the userName asks for it', async () => {
    const consumer = client(enterpriseLogin('DEFAULT_GROUP', 'test', ',encode=base64')).receive(1);
    await until(() => consumer.has('receiver_open'));
    simulator.publish({ topic: '/pk/dn/user/raw', body: Buffer.from([0, 255, 128]) });
    await until(() => consumer.received.length === 1);
    const [received] = consumer.received;
    expect(received && bodyOf(received).toString()).toBe('AP+A');
  });

  it('settles for a client that answers first and settles second', async () => {
    publish(2);
    const consumer = client();
    let settled = 0;
    consumer.onMessage = ({ delivery }) => delivery.accept();
    consumer.receive(2, 'default', { rcv_settle_mode: 1 });
    consumer.receiver?.on('settled', () => settled++);
    await until(() => settled === 2);
    expect(simulator).toMatchObject({ accepted: 2, unsettled: 0, redelivered: 0 });
  });

  it('goes on past many deliveries that are never answered', async () => {
    publish(6_000);
    const consumer = client();
    // rhea's receiver stops at 2,048 unanswered ones unless its buffer is larger.
    consumer.receive(6_000);
    await until(() => consumer.received.length === 6_000);
    consumer.received.at(-1)?.delivery.accept();
    await until(() => simulator.accepted === 1);
    expect(simulator.unsettled).toBe(5_999);
  });

  it('gives a draining client what there is and takes the rest of its credit back', async () => {
    const consumer = client().receive(0);
    let drained = false;
    consumer.receiver?.on('receiver_drained', () => (drained = true));
    await until(() => simulator.living.clientCount === 1);
    publish(3);
    consumer.receiver?.add_credit(10);
    consumer.receiver?.drain_credit();
    await until(() => drained);
    expect(consumer.received).toHaveLength(3);
  });
});
