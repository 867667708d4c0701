import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Log } from '../../src/simulator/log.js';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.js';
import { enterpriseLogin, livingLogin, RawClient, until } from './raw-client.js';

describe('the door of the platform', () => {
  let simulator: Simulator;
  let logged: string[];
  const log: Log = {
    info: () => undefined,
    warn: (msg, fields) => logged.push(`${msg} ${JSON.stringify(fields ?? {})}`),
  };
  const restart = async (options: SimulatorOptions): Promise<void> => {
    await simulator.stop();
    simulator = await startSimulator({ log, ...options });
  };

  beforeEach(async () => {
    logged = [];
    simulator = await startSimulator({ log });
  });
  afterEach(() => simulator.stop());

  /** What a bare socket gets to read until the simulator closes it. */
  const talk = async (...bytes: (string | Buffer)[]): Promise<Buffer> => {
    const socket = connectTcp(simulator.plainPort ?? 0, simulator.host);
    const read: Buffer[] = [];
    socket.on('data', (data) => read.push(data));
    socket.on('error', () => undefined);
    for (const chunk of bytes) socket.write(chunk);
    await new Promise((resolve) => socket.once('close', resolve));
    return Buffer.concat(read);
  };
  const SASL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]);

  describe('sign-in', () => {
    it.each([
      ['Living', livingLogin()],
      ['Enterprise', enterpriseLogin()],
      ['the built-in group', enterpriseLogin('DEFAULT_GROUP')],
    ])('admits %s', async (_, login) => {
      const client = new RawClient(simulator, login).receive(1);
      await until(() => client.has('receiver_open'));
      expect(simulator.logins).toEqual({ admitted: 1, refused: 0 });
      client.connection.close();
    });

    it.each([
      ['a wrong password', { ...livingLogin(), password: 'nope' }, /wrong password/],
      ['an unknown group', enterpriseLogin('foreign'), /unknown consumer group/],
      ['a malformed userName', { username: 'admin', password: 'admin' }, /malformed userName/],
    ])('refuses %s, ends the connection and says why in its own log only', async (_, login, reason) => {
      const client = new RawClient(simulator, login).receive(1);
      await until(() => simulator.logins.refused === 1 && simulator.connections === 0);
      await until(() => client.happened.length > 0);
      expect(client.has('connection_open')).toBe(false);
      expect(logged.join()).toMatch(reason);
      expect(logged.join()).not.toContain(login.password === 'admin' ? '"admin"' : login.password);
    });

    it('answers SASL outcome 1 and nothing more to a refusal', async () => {
      const response = Buffer.from('\0admin\0admin');
      const items = Buffer.concat([
        Buffer.from([0xa3, 5]),
        Buffer.from('PLAIN'),
        Buffer.from([0xa0, response.length]),
        response,
      ]);
      // sasl-init (0x41), a list of two: the mechanism and its response.
      const performative = Buffer.concat([Buffer.from([0x00, 0x53, 0x41, 0xc0, items.length + 1, 2]), items]);
      const head = Buffer.alloc(8);
      head.writeUInt32BE(8 + performative.length, 0);
      head.writeUInt8(2, 4);
      head.writeUInt8(1, 5);
      const answer = await talk(SASL_HEADER, Buffer.concat([head, performative]));
      // The last frame: sasl-outcome (0x44), a list of one, the ubyte 1.
      expect(answer.toString('hex')).toMatch(/005344d00{7}60{7}15001$/);
    });

    it('refuses everybody while told to, and admits again afterwards', async () => {
      simulator.refuseLogins(true);
      const refused = new RawClient(simulator).receive(1);
      await until(() => simulator.logins.refused === 1);
      await until(() => refused.happened.length > 0);
      simulator.refuseLogins(false);
      const admitted = new RawClient(simulator).receive(1);
      await until(() => admitted.has('receiver_open'));
      admitted.connection.close();
    });

    it('never lets in without SASL', async () => {
      const answer = await talk(Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0]));
      expect(answer.subarray(0, 8)).toEqual(SASL_HEADER);
      await until(() => simulator.connections === 0);
      expect(simulator.logins.admitted).toBe(0);
    });

    it.each([
      ['AMQP 0-9-1', Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])],
      ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
    ])('tells a client of %s which protocol it speaks, and closes', async (_, bytes) => {
      expect((await talk(bytes)).subarray(0, 8)).toEqual(SASL_HEADER);
    });

    it('closes a client that does not sign in', async () => {
      await restart({ setupTimeoutMs: 30 });
      await talk(SASL_HEADER);
      expect(logged.join()).toMatch(/no sign-in in time/);
    });
  });

  describe('links', () => {
    it('closes a client that attaches no receiver', async () => {
      await restart({ setupTimeoutMs: 30 });
      const client = new RawClient(simulator);
      await until(() => client.happened.some((name) => name.startsWith('connection_close')));
      expect(client.happened).toContain('connection_error amqp:connection:forced');
    });

    it.each([['default'], ['/queue-name'], [null]])('does not care for the source address %s', async (address) => {
      simulator.publish({ topic: null, body: 'x' });
      const client = new RawClient(simulator).receive(1, address);
      await until(() => client.received.length === 1);
      client.connection.close();
    });

    it('refuses a second receiver and keeps the first', async () => {
      const client = new RawClient(simulator).receive(5);
      await until(() => client.has('receiver_open'));
      const second = client.connection.open_receiver({ source: 'other', credit_window: 0 });
      let condition: string | undefined;
      second.on('receiver_error', () => {
        condition = second.error && 'condition' in second.error ? second.error.condition : undefined;
      });
      await until(() => condition !== undefined);
      expect(condition).toBe('amqp:not-allowed');
      simulator.publish({ topic: null, body: 'x' });
      await until(() => client.received.length === 1);
      client.connection.close();
    });

    it('refuses a sender', async () => {
      const client = new RawClient(simulator).receive(5);
      client.connection.open_sender('anywhere');
      await until(() => client.happened.some((name) => name.startsWith('sender_error')));
      expect(client.happened).toContain('sender_error amqp:not-allowed');
      client.connection.close();
    });

    it('lets a client attach again after its link was detached', async () => {
      const client = new RawClient(simulator).receive(5);
      await until(() => client.has('receiver_open'));
      simulator.publish({ topic: null, body: 'x' });
      await until(() => client.received.length === 1);
      simulator.detachLinks('test:maintenance');
      await until(() => client.has('receiver_error test:maintenance'));
      client.onMessage = ({ delivery }) => delivery.accept();
      client.receive(5);
      await until(() => simulator.accepted === 1);
      expect(client.ids[0]).toBe(client.ids[1]);
      client.connection.close();
    });
  });

  describe('the open frame', () => {
    it.each([[30_000], [300_000]])('takes an idle-time-out of %d', async (idle) => {
      const client = new RawClient(simulator, { idle_time_out: idle }).receive(1);
      await until(() => client.has('receiver_open'));
      client.connection.close();
    });

    it.each([[29_999], [300_001], [undefined]])('closes with amqp:invalid-field for %s', async (idle) => {
      const client = new RawClient(simulator, { idle_time_out: idle }).receive(1);
      await until(() => client.has('connection_error amqp:invalid-field'));
      await until(() => simulator.connections === 0);
      expect(simulator.living.clientCount).toBe(0);
    });
  });

  describe('on demand', () => {
    it('closes every connection with a condition', async () => {
      const client = new RawClient(simulator).receive(1);
      await until(() => client.has('receiver_open'));
      expect(simulator.closeConnections('amqp:connection:forced')).toBe(1);
      await until(() => client.has('connection_error amqp:connection:forced') && simulator.connections === 0);
    });

    it('drops every connection without a word', async () => {
      const client = new RawClient(simulator).receive(1);
      await until(() => client.has('receiver_open'));
      expect(simulator.dropConnections()).toBe(1);
      await until(() => client.has('disconnected'));
      expect(client.happened.filter((name) => name.startsWith('connection_'))).toEqual(['connection_open']);
    });

    it('stops although a client never answers', async () => {
      const deaf = connectTcp(simulator.plainPort ?? 0, simulator.host);
      deaf.on('error', () => undefined);
      await until(() => simulator.connections === 1);
      await simulator.stop();
      await until(() => deaf.destroyed || deaf.readableEnded || deaf.closed);
      deaf.destroy();
    });
  });

  it('says which port is taken and which setting moves it', async () => {
    const port = simulator.plainPort;
    await expect(startSimulator({ plainPort: port })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another process. Set SIMULATOR_PORT to another port, or to 0 for any free one.`,
    );
  });
});
