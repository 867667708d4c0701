import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';
import type { ConsumerGroup } from '../../src/simulator/platform/consumer-group.js';
import { bodyOf, enterpriseLogin, livingLogin, RawClient, until, type Received } from './raw-client.js';

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

  it('gives larger ids after a restart, wherever the simulated time starts and however fast it ran before', async () => {
    const first = publish(3);
    await restart({ timeScale: 10_000 });
    const fast = publish(3);
    await restart({});
    const second = publish(3);
    await restart({ startAt: Date.UTC(2024, 0, 1) });
    const ids = [...first, ...fast, ...second, ...publish(3)];
    expect(new Set(ids).size).toBe(12);
    expect([...ids].sort()).toEqual(ids);
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
    const times = (wanted: string): number => consumer.ids.filter((id) => id === wanted).length;
    consumer.receive(1_000);
    await until(() => simulator.fate(taken)?.outcome === 'accepted');
    // On a machine that stands still the accept may have been late, and the message sent again before it.
    const [keptBefore, takenBefore] = [times(kept), times(taken)];
    await until(() => times(kept) >= keptBefore + 3);
    expect(times(taken)).toBe(takenBefore);
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

  it.each(['connection', 'receiver'] as const)('counts what is accepted right before the %s is closed', async (end) => {
    publish(2);
    const consumer = client();
    consumer.onMessage = ({ delivery }) => {
      delivery.accept();
      if (consumer.received.length === 2) consumer[end]?.close();
    };
    consumer.receive(2);
    await until(() => simulator.living.clientCount === 0 && consumer.received.length === 2);
    await until(() => simulator.unsettled === 0);
    expect(simulator.living.counts).toMatchObject({ accepted: 2, queued: 0 });
    consumer.connection.close();
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

  it('tells what the console shows of a group', async () => {
    let now = 1_700_000_000_000;
    await restart({ clock: () => now });
    const group = simulator.enterprise('demoGroup000100');
    publish(3);
    expect(group.status()).toEqual({
      accumulationCount: 3,
      consumerSpeed: 0,
      realTimeConsumeCountPerMinute: 0,
      accumulatedConsumeCountPerMinute: 0,
      lastConsumerTime: null,
      clients: [],
    });
    const consumer = client(enterpriseLogin('demoGroup000100', 'lobby'));
    consumer.onMessage = ({ delivery }) => delivery.accept();
    consumer.receive(100);
    await until(() => group.counts.accepted === 3);
    now += 5_000;
    publish(2);
    await until(() => group.counts.accepted === 5);
    const consumed = { realTimeConsumeCountPerMinute: 2, accumulatedConsumeCountPerMinute: 3 };
    expect(group.status()).toEqual({
      accumulationCount: 0,
      consumerSpeed: 5,
      ...consumed,
      lastConsumerTime: now,
      clients: [{ clientId: 'lobby', clientIpPort: expect.any(String), onlineTime: 1_700_000_000_000, ...consumed }],
    });
    expect(group.status().clients[0]?.clientIpPort).toMatch(/127\.0\.0\.1:\d+$/);
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

  it('drops its backlog when told to, and nothing that is on its way', async () => {
    const consumer = client().receive(2);
    await until(() => simulator.living.clientCount === 1);
    const [first = '', second = '', third = ''] = publish(3);
    await until(() => consumer.received.length === 2);
    simulator.dropConnections();
    await until(() => simulator.living.counts.queued === 3);
    const next = client(livingLogin('next')).receive(2);
    await until(() => next.received.length === 2);
    simulator.living.clear();
    expect(simulator.living.counts).toMatchObject({ queued: 0, unsettled: 2, dropped: 1 });
    next.received[0]?.delivery.accept();
    await until(() => simulator.living.counts.accepted === 1); // rhea mixes up different answers of one turn
    next.received[1]?.delivery.release();
    await until(() => simulator.living.counts.queued === 1);
    const outcomes = [first, second, third].map((id) => simulator.fate(id, simulator.living.id)?.outcome).sort();
    expect(outcomes).toEqual(['accepted', 'cleared', 'queued']);
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

// The platform's own rhythms, by a clock that only the test moves.
describe('the backlog of a consumer group', () => {
  const MINUTE = 60_000;
  let now: number;
  let simulator: Simulator;
  const start = async (options: SimulatorOptions = {}): Promise<void> => {
    now = 1_700_000_000_000;
    simulator = await startSimulator({
      clock: () => now,
      ...{ retryAfterMs: MINUTE, roundMs: 5 * MINUTE, perRound: 10, slowAfterMs: 3_600_000 },
      ...options,
    });
  };
  /** Lets simulated time pass, of which the groups' timers know nothing. */
  const pass = (ms: number): void => {
    now += ms;
    for (const group of simulator.groups.values()) group.wake();
  };
  const publish = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => simulator.publish({ topic: '/pk/dn/user/n', body: String(i) }));
  /** Answers as told, one message a turn (rhea mixes up different answers of one turn), and gets one more for each. */
  const consumer = (
    login: { username: string; password: string },
    answer: (received: Received) => boolean,
  ): RawClient => {
    const made = new RawClient(simulator, login);
    let turn = Promise.resolve();
    made.onMessage = (received) => {
      turn = turn.then(() => {
        if (answer(received)) received.delivery.accept();
        else received.delivery.release();
        made.receiver?.add_credit(1);
        return new Promise((resolve) => setImmediate(resolve));
      });
    };
    return made.receive(100);
  };
  /** When whatever is on its way now has arrived: a message in real time overtakes no other. */
  const settled = async (made: RawClient, group: ConsumerGroup): Promise<void> => {
    const id = simulator.publish({ topic: 'settled', body: '' });
    await until(() => made.ids.includes(id) && group.counts.unsettled === 0);
  };
  const withoutMarks = (made: RawClient): string[] =>
    made.received.filter(({ message }) => message.application_properties?.topic !== 'settled').map(({ id }) => id);

  afterEach(() => simulator.stop());

  it('of Enterprise blocks after a failure and is tried again a minute later', async () => {
    await start();
    const group = simulator.enterprise('DEFAULT_GROUP');
    const [bad = ''] = publish(1);
    let refusing = true;
    const made = consumer(enterpriseLogin('DEFAULT_GROUP'), ({ id }) => id !== bad || !refusing);
    await until(() => group.counts.redelivered === 0 && made.ids.length === 1);
    await settled(made, group);
    pass(MINUTE - 1);
    await settled(made, group);
    expect(withoutMarks(made)).toEqual([bad]);
    refusing = false;
    pass(1);
    await until(() => simulator.fate(bad, group.id)?.outcome === 'accepted');
    expect(withoutMarks(made)).toEqual([bad, bad]);
  });

  it('of Enterprise never holds up a message in real time', async () => {
    await start();
    const group = simulator.enterprise('DEFAULT_GROUP');
    const [bad = ''] = publish(1);
    const made = consumer(enterpriseLogin('DEFAULT_GROUP'), ({ id }) => id !== bad);
    await until(() => made.ids.length === 1);
    const [late = ''] = publish(1);
    await until(() => simulator.fate(late, group.id)?.outcome === 'accepted');
    expect(made.ids).toEqual([bad, late]);
    expect(group.status().accumulationCount).toBe(1);
  });

  it('of Enterprise is sent at its rate while messages in real time overtake it', async () => {
    await start({ backlogPerSecond: 1 });
    const group = simulator.enterprise('DEFAULT_GROUP');
    const old = publish(50);
    const made = consumer(enterpriseLogin('DEFAULT_GROUP'), () => true);
    await until(() => made.ids.length === 1);
    const fresh = publish(50);
    await until(() => fresh.every((id) => made.ids.includes(id)));
    expect(made.ids.filter((id) => old.includes(id)).length).toBeLessThan(25);
    expect(group.status().accumulationCount).toBeGreaterThan(25);
  });

  it('of Living is sent ten at a time, and one more for each accept', async () => {
    await start();
    const ids = publish(25);
    const made = new RawClient(simulator, livingLogin()).receive(100);
    await until(() => made.received.length === 10);
    const mark = simulator.publish({ topic: 'mark', body: '' });
    await until(() => made.ids.includes(mark));
    expect(made.ids).toEqual([...ids.slice(0, 10), mark]);
    for (const { delivery } of made.received.slice(0, 3)) delivery.accept();
    await until(() => made.received.length === 14);
    expect(made.ids.slice(11)).toEqual(ids.slice(10, 13));
    // The next round sends ten more, whatever the ten of the last one became.
    pass(5 * MINUTE);
    await until(() => made.received.length === 24);
    expect(made.ids.slice(14)).toEqual(ids.slice(13, 23));
  });

  it('of Living keeps what failed for the next round, five minutes later', async () => {
    await start();
    const [bad = '', good = ''] = publish(2);
    const made = consumer(livingLogin(), ({ id }) => id !== bad);
    await until(() => simulator.fate(good, simulator.living.id)?.outcome === 'accepted');
    await settled(made, simulator.living);
    pass(5 * MINUTE - 1);
    await settled(made, simulator.living);
    expect(withoutMarks(made).filter((id) => id === bad)).toHaveLength(1);
    pass(1);
    await until(() => withoutMarks(made).filter((id) => id === bad).length === 2);
  });

  it('begins anew with a client that comes online', async () => {
    await start();
    const [bad = ''] = publish(1);
    const first = consumer(livingLogin(), () => false);
    await until(() => first.ids.length === 1);
    await until(() => simulator.living.counts.queued === 1);
    first.connection.close();
    await until(() => simulator.living.clientCount === 0);
    consumer(livingLogin(), () => true);
    await until(() => simulator.fate(bad, simulator.living.id)?.outcome === 'accepted');
  });

  it('takes in what waited too long for a slow client', async () => {
    await start({ slowAfterMs: 10 });
    const made = new RawClient(simulator, enterpriseLogin('DEFAULT_GROUP')).receive(1);
    const group = simulator.enterprise('DEFAULT_GROUP');
    await until(() => group.clientCount === 1);
    publish(5);
    await until(() => group.status().accumulationCount === 4);
    made.onMessage = ({ delivery }) => delivery.accept();
    made.receiver?.add_credit(10);
    await until(() => group.counts.accepted === 4);
    expect(group.status().accumulatedConsumeCountPerMinute).toBe(4);
  });

  it('takes in what a lost connection had not answered, though another client is there', async () => {
    await start();
    const [first, second] = ['a', 'b'].map((id) => new RawClient(simulator, enterpriseLogin('DEFAULT_GROUP', id)));
    const group = simulator.enterprise('DEFAULT_GROUP');
    first?.receive(1);
    await until(() => group.clientCount === 1);
    const [id = ''] = publish(1);
    await until(() => first?.received.length === 1);
    second?.receive(1);
    await until(() => group.clientCount === 2);
    first?.connection.close();
    await until(() => second?.received.length === 1);
    expect(second?.ids).toEqual([id]);
    expect(simulator.fate(id, group.id)?.answers).toEqual(['lost']);
  });

  it('loses without a word what nobody accepted in a day, wherever it waits', async () => {
    await start();
    const [old = ''] = publish(1);
    pass(1_440 * MINUTE);
    expect(simulator.living.status().accumulationCount).toBe(1);
    pass(1);
    await until(() => simulator.living.status().accumulationCount === 0);
    expect(simulator.fate(old, simulator.living.id)?.outcome).toBe('expired');
    const made = new RawClient(simulator, livingLogin()).receive(0);
    await until(() => simulator.living.clientCount === 1);
    const [waiting = ''] = publish(1);
    now += 1_440 * MINUTE + 1;
    made.receiver?.add_credit(1);
    await until(() => simulator.fate(waiting, simulator.living.id)?.outcome === 'expired');
    expect(made.received).toHaveLength(0);
  });

  it('is given up bit by bit where very much of it is too old at once', async () => {
    await start();
    publish(25_000);
    pass(1_440 * MINUTE + 1);
    expect(simulator.living.status().accumulationCount).toBe(15_000);
    await until(() => simulator.living.counts.dropped === 25_000);
  });

  it('comes sooner where time runs faster', async () => {
    simulator = await startSimulator({ timeScale: 10_000, startAt: Date.UTC(2026, 0, 1), retryAfterMs: MINUTE });
    const group = simulator.enterprise('DEFAULT_GROUP');
    const id = simulator.publish({ topic: null, body: 'x' });
    const made = consumer(enterpriseLogin('DEFAULT_GROUP'), () => made.received.length > 2);
    await until(() => simulator.fate(id, group.id)?.outcome === 'accepted'); // two minutes
    expect(Number(made.received[0]?.message.application_properties?.generateTime)).toBeGreaterThan(
      Date.UTC(2026, 0, 1),
    );
    expect(Number(made.received[0]?.message.application_properties?.generateTime)).toBeLessThan(Date.UTC(2026, 0, 8));
  });
});

describe('a limit of messages a second to a connection', () => {
  it('holds for each connection by itself', async () => {
    const simulator = await startSimulator({ realtimePerSecond: 10, slowAfterMs: 3_600_000 });
    try {
      const group = simulator.enterprise('DEFAULT_GROUP');
      const made = ['a', 'b'].map((id) => new RawClient(simulator, enterpriseLogin('DEFAULT_GROUP', id)).receive(100));
      await until(() => group.clientCount === 2);
      for (let i = 0; i < 40; i++) simulator.publish({ topic: null, body: String(i) });
      await until(() => made.some(({ received }) => received.length >= 3));
      // A burst of one each, then one in a tenth of a second each: none is far ahead of the other.
      const [a = 0, b = 0] = made.map(({ received }) => received.length);
      expect(Math.abs(a - b)).toBeLessThan(3);
      expect(group.counts.queued).toBeGreaterThan(30);
    } finally {
      await simulator.stop();
    }
  });
});
