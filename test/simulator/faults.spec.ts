import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseScenario } from '../../src/simulator/faults/scenario-file.js';
import type { QueuedMessage } from '../../src/simulator/platform/queued-message.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { bodyOf, enterpriseLogin, livingLogin, RawClient, until, type Received } from './raw-client.js';

const accept = ({ delivery }: Received): void => void delivery.accept();

interface Flow {
  readonly link_credit?: number;
  readonly available?: number;
}

/** Asks how the platform sees the client's link: a flow with echo, that grants so much credit, and the flow that answers it. */
function linkState({ receiver }: RawClient, credit: number): Promise<Flow> {
  const link = receiver as unknown as {
    credit: number;
    on_flow: (frame: { performative: Flow }) => void;
    readonly session: { output: (flow: object) => void; _write_flow: (link: unknown) => void };
  };
  const { session } = link;
  const { output } = session;
  return new Promise((resolve) => {
    link.on_flow = ({ performative }) => resolve(performative);
    link.credit = credit;
    session.output = (flow) => output.call(session, Object.assign(flow, { echo: true }));
    session._write_flow(link);
    session.output = output;
  });
}

describe('faults over the wire', () => {
  let simulator: Simulator;
  const clients: RawClient[] = [];
  /** A client that accepts all it gets. */
  const consumer = (login = enterpriseLogin()): RawClient => {
    const client = new RawClient(simulator, login).receive(1_000);
    client.onMessage = accept;
    clients.push(client);
    return client;
  };
  /** Publishes one more message and waits until it has arrived at that client. */
  const roundTrip = async (client: RawClient): Promise<void> => {
    const id = simulator.publish({ topic: '/pk/dn/user/up', body: 'round trip' });
    await until(() => client.ids.includes(id));
  };

  beforeEach(async () => {
    simulator = await startSimulator({ tlsPort: 0 });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.connection.close();
    await simulator.stop();
  });

  it('half-open: the connection stays, and nothing goes through it in either direction', async () => {
    const client = consumer();
    await roundTrip(client);
    const group = simulator.enterprise('demoGroup000100');
    simulator.faults.start('half-open', { lasting: '1h' });
    const id = simulator.publish({ topic: '/pk/dn/user/up', body: 'into the void' });
    await until(() => group.counts.unsettled === 1);
    // Time for it to arrive, were it to: another client comes, receives and answers meanwhile.
    const other = consumer(enterpriseLogin('DEFAULT_GROUP', 'other'));
    await roundTrip(other);
    expect(client.ids).not.toContain(id);
    expect(client.has('disconnected')).toBe(false);
    // Once the platform gives the connection up, the message comes back under its id.
    simulator.faults.start('drop');
    const third = consumer();
    await until(() => third.ids.includes(id));
  });

  it.each([
    ['silent-link', { link_credit: 999, available: 2 }],
    ['lost-credit', { link_credit: 0, available: 2 }],
  ])('%s: the link stays open and brings nothing until the client connects again', async (fault, state) => {
    const client = consumer();
    await roundTrip(client);
    expect(await linkState(client, 999)).toMatchObject({ link_credit: 999, available: 0 });
    simulator.faults.start(fault);
    const ids = [1, 2].map((n) => simulator.publish({ topic: '/pk/dn/user/up', body: String(n) }));
    expect(await linkState(client, 999)).toMatchObject(state);
    const other = consumer(enterpriseLogin('DEFAULT_GROUP', 'other'));
    await roundTrip(other);
    expect(client.ids.filter((id) => ids.includes(id))).toEqual([]);
    expect(client.has('disconnected') || client.has('receiver_close')).toBe(false);
    client.connection.close();
    const again = consumer();
    await until(() => ids.every((id) => again.ids.includes(id)));
  });

  it('cut: ends in the middle of a message, which comes again', async () => {
    const client = consumer();
    await roundTrip(client);
    simulator.faults.start('cut', { bytes: 5_000 });
    const id = simulator.publish({ topic: '/pk/dn/user/up', body: 'x'.repeat(10_000) });
    await until(() => client.has('disconnected'));
    expect(client.ids).not.toContain(id);
    expect(client.happened.some((event) => event.startsWith('connection_close'))).toBe(false);
    const again = consumer();
    await until(() => again.ids.includes(id));
    expect(bodyOf(again.received[0]!)).toHaveLength(10_000);
  });

  it('maintenance: closes with its condition and lets clients come back', async () => {
    const client = consumer();
    await roundTrip(client);
    simulator.faults.start('maintenance', { description: 'back soon' });
    await until(() => client.has('connection_error amqp:connection:forced'));
    expect(client.connection.error).toMatchObject({ description: 'back soon' });
    await roundTrip(consumer());
  });

  it('detach: takes the link and leaves the connection', async () => {
    const client = consumer();
    await roundTrip(client);
    simulator.faults.start('detach');
    await until(() => client.has('receiver_error amqp:link:detach-forced'));
    expect(client.connection.is_open()).toBe(true);
  });

  it('slow TLS: handshakes wait, and others do not', async () => {
    const sockets: TLSSocket[] = [];
    const handshake = (): TLSSocket => {
      const socket = connectTls({
        port: simulator.tlsPort ?? 0,
        host: simulator.host,
        ca: simulator.ca ?? '',
        servername: 'localhost',
      });
      socket.on('error', () => undefined);
      sockets.push(socket);
      return socket;
    };
    const { id } = simulator.faults.start('slow-tls', { delay: '1h' });
    const slow = handshake();
    let done = false;
    slow.once('secureConnect', () => (done = true));
    await new Promise((resolve) => slow.once('connect', resolve));
    await roundTrip(consumer()); // the plain door knows no handshake
    simulator.faults.stop(id);
    await new Promise((resolve) => handshake().once('secureConnect', resolve));
    expect(done).toBe(false);
    for (const socket of sockets) socket.destroy();
  });

  it('refused logins and rotated credentials: nobody new gets in, whoever is in stays', async () => {
    const inside = consumer();
    await roundTrip(inside);
    for (const [name, login] of [
      ['refused-logins', enterpriseLogin('DEFAULT_GROUP')],
      ['rotated-credentials', livingLogin()],
    ] as const) {
      const { id } = simulator.faults.start(name);
      const outside = consumer(login);
      await until(() => outside.happened.length > 0);
      expect(outside.has('connection_open')).toBe(false);
      await roundTrip(inside);
      simulator.faults.stop(id);
      await roundTrip(consumer(login));
    }
  });

  it('sync off: the connection stays open, and receives again only once it reconnects', async () => {
    const client = new RawClient(simulator).receive(1_000);
    clients.push(client);
    client.onMessage = accept;
    await roundTrip(client);
    const { id } = simulator.faults.start('sync-off');
    simulator.faults.stop(id);
    const later = simulator.publish({ topic: '/pk/dn/user/up', body: 'later' });
    await roundTrip(consumer());
    expect(client.ids).not.toContain(later);
    expect(client.connection.is_open()).toBe(true);
    const again = new RawClient(simulator).receive(1_000);
    clients.push(again);
    await until(() => again.ids.includes(later));
  });

  it('poison and oddities reach a client, whatever they are', async () => {
    const client = consumer();
    for (const fault of ['poison', 'unknown-topics', 'oddities', 'duplicates'])
      simulator.faults.start(fault, { share: 1 });
    for (let i = 0; i < 60; i++) {
      const body = `{"iotId":"x","requestId":"${i}","productKey":"pk","deviceName":"dn","items":{"A":{"value":1,"time":1700000000000}}}`;
      simulator.publish({ topic: '/pk/dn/thing/event/property/post', body });
    }
    simulator.faults.close();
    const group = simulator.enterprise('demoGroup000100');
    expect(group.counts.published).toBeGreaterThan(360);
    await until(() => group.counts.accepted === group.counts.published);
    expect(client.received).toHaveLength(group.counts.published);
  });

  it('a backlog is published while nobody is let in, and delivered afterwards', async () => {
    const early = consumer();
    await roundTrip(early);
    // Its answer too must have arrived: else the message comes again, after the connection is dropped.
    await until(() => simulator.enterprise('demoGroup000100').counts.accepted === 1);
    const { id } = simulator.faults.start('backlog', { messages: 900, devices: 10 });
    await until(() => early.has('disconnected'));
    await until(() => simulator.faults.list().some((run) => run.id === id && !run.running));
    const client = consumer();
    await until(() => client.received.length === 900);
    expect(early.received).toHaveLength(1);
  });
});

describe('a scenario in the whole simulator', () => {
  const YAML = `
seed: again
ends: 5m
steps:
  - { at: 5s, fault: shuffle, with: { time: 20s }, for: 2m }
  - { at: 10s, fault: late, with: { share: 0.3, least: 10s, most: 40s } }
  - { at: 20s, fault: duplicates, with: { share: 0.3, copies: 3 } }
  - { at: 30s, fault: clock-skew, with: { devices: 0.5 } }
  - { at: 40s, fault: poison, with: { share: 0.2 } }
  - { at: 50s, fault: unknown-fields, for: 1m }
  - { at: 60s, fault: oddities, for: 1m }
  - { at: 70s, publish: { topic: /pk/dn/user/up, body: '{"at":{{now}}}' }, every: 30s }
  - { at: 2m, fault: old-values, for: 2m }
  - { at: 3m, fault: early }
`;

  /** Everything that a group was sent, with a message every second, on a clock that is moved by hand. */
  async function sent(yaml: string): Promise<string[]> {
    let now = Date.UTC(2025, 5, 1, 4);
    const scenario = parseScenario('again.yaml', yaml);
    const simulator = await startSimulator({ plainPort: null, clock: () => now, scenario });
    const lines: string[] = [];
    const group = simulator.enterprise('demoGroup000100');
    group.join({
      clientId: 'test',
      peer: 'test',
      room: () => 1_000_000,
      send: ({ message: { id, topic, body, generateTime } }: QueuedMessage) =>
        void lines.push([id, topic, generateTime, body.toString('base64')].join(' ')),
    });
    for (let i = 0; i < 300; i++) {
      const device = `dn-${i % 20}`;
      const body = `{"iotId":"x","requestId":"${i}","productKey":"pk","deviceName":"${device}","gmtCreate":${now},"items":{"A":{"value":${i},"time":${now}}}}`;
      simulator.publish({ topic: `/pk/${device}/thing/event/property/post`, body });
      now += 1_000;
      simulator.faults.advance();
    }
    await until(() => lines.length === group.counts.published);
    expect(simulator.faults.listScenarios()).toMatchObject([{ running: false, done: 17 }]);
    await simulator.stop();
    return lines;
  }

  it('gives the same bytes under the same ids in the same order from the same file and seed', async () => {
    const once = await sent(YAML);
    expect(once.length).toBeGreaterThan(450);
    expect(await sent(YAML)).toEqual(once);
    expect(await sent(YAML.replace('seed: again', 'seed: other'))).not.toEqual(once);
  });
});
