import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Log } from '../../src/simulator/log.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';
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
  /** The code of the SASL outcome (0x44), a list of one ubyte, at the very end of what was read. */
  const outcomeIn = (answer: Buffer): number =>
    /005344(?:d00{7}60{7}1|c00301)50(0\d)$/.exec(answer.toString('hex'))?.map(Number)[1] ?? -1;
  /** sasl-init (0x41), a list of two: the mechanism and its response. */
  const saslInit = (mechanism: string, response: string): Buffer => {
    const [name, bytes] = [Buffer.from(mechanism), Buffer.from(response)];
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    const items = Buffer.concat([Buffer.from([0xa3, name.length]), name, Buffer.from([0xb0]), length, bytes]);
    const list = Buffer.alloc(8);
    list.writeUInt32BE(items.length + 4, 0);
    list.writeUInt32BE(2, 4);
    const performative = Buffer.concat([Buffer.from([0x00, 0x53, 0x41, 0xd0]), list, items]);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + performative.length, 0);
    head.writeUInt8(2, 4);
    head.writeUInt8(1, 5);
    return Buffer.concat([head, performative]);
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
      expect(outcomeIn(await talk(SASL_HEADER, saslInit('PLAIN', '\0admin\0admin')))).toBe(1);
    });

    it.each(['ANONYMOUS', 'EXTERNAL', 'toString'])('answers the same to the mechanism %s', async (mechanism) => {
      const answer = await talk(SASL_HEADER, saslInit(mechanism, ''));
      expect(outcomeIn(answer)).toBe(1);
      expect(answer.toString('latin1')).toContain('PLAIN');
      expect(answer.toString('latin1')).not.toContain(mechanism);
      expect(simulator.logins).toEqual({ admitted: 0, refused: 1 });
      expect(logged.join()).toMatch(/another SASL mechanism than PLAIN/);
    });

    it('takes one attempt a connection, however many a client sends at once', async () => {
      const { username, password } = livingLogin();
      await talk(SASL_HEADER, saslInit('PLAIN', '\0a\0b'), saslInit('PLAIN', `\0${username}\0${password}`));
      expect(simulator.logins).toEqual({ admitted: 0, refused: 1 });
    });

    const AMQP_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0]);
    it('drops clients that it ends and that keep their own end open, and their places are free', async () => {
      await restart({ setupTimeoutMs: 3_600_000, connectionLimits: { connections: 2 } });
      const refused = { username: 'a', password: 'b' };
      const cases: [typeof refused, Buffer[]][] = [
        [refused, []],
        [livingLogin('nonsense'), [Buffer.alloc(64)]],
        [livingLogin('broken frame'), [AMQP_HEADER, Buffer.alloc(64)]],
      ];
      const sockets = cases.map(([{ username, password }, then]) => {
        const socket = connectTcp({ port: simulator.plainPort ?? 0, host: simulator.host, allowHalfOpen: true });
        socket.on('error', () => undefined);
        let read = Buffer.alloc(0);
        socket.on('data', (data) => {
          read = Buffer.concat([read, data]);
          if (outcomeIn(read) === 0) for (const bytes of then) socket.write(bytes);
        });
        socket.write(Buffer.concat([SASL_HEADER, saslInit('PLAIN', `\0${username}\0${password}`)]));
        return socket;
      });
      await until(() => simulator.logins.admitted === 2 && simulator.logins.refused === 1);
      await until(() => simulator.connections === 0);
      const next = new RawClient(simulator).receive(1);
      await until(() => next.has('receiver_open'));
      for (const socket of sockets) socket.destroy();
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

  describe('the limits on clients', () => {
    const plain = ({ username, password }: { username: string; password: string }): Buffer =>
      saslInit('PLAIN', `\0${username}\0${password}`);
    const admitted = async (login = livingLogin()): Promise<RawClient> => {
      const client = new RawClient(simulator, login).receive(1);
      await until(() => client.has('receiver_open'));
      return client;
    };

    it.each([
      ['of a tenant', { connections: 2 }, ['DEFAULT_GROUP', 'demoGroup000100'], /has 2 connections already/],
      ['of a group', { clientsOfGroup: 2 }, ['DEFAULT_GROUP', 'DEFAULT_GROUP'], /has 2 clients already/],
    ])('turn the next client %s away with SASL outcome 4, until one leaves', async (_, limits, groups, reason) => {
      await restart({ connectionLimits: limits });
      const [first] = [await admitted(enterpriseLogin(groups[0])), await admitted(enterpriseLogin(groups[1]))];
      expect(outcomeIn(await talk(SASL_HEADER, plain(enterpriseLogin(groups[0]))))).toBe(4);
      expect(logged.join()).toMatch(reason);
      await admitted(livingLogin()); // another tenant
      first.connection.close();
      await until(() => simulator.connections === 2);
      await admitted(enterpriseLogin(groups[0]));
    });

    it('count refused sign-ins to a group too', async () => {
      await restart({ connectionLimits: { connectsPerMinute: 2 } });
      const wrong = { ...livingLogin(), password: 'wrong' };
      expect(outcomeIn(await talk(SASL_HEADER, plain(wrong)))).toBe(1);
      await admitted();
      expect(outcomeIn(await talk(SASL_HEADER, plain(livingLogin())))).toBe(4);
      await admitted(enterpriseLogin());
      expect(logged.join()).toMatch(/more than 2 sign-ins to living\/90001234 within a minute/);
    });

    it('tell rhea as much: an error, and the end', async () => {
      await restart({ connectionLimits: { clientsOfGroup: 1 } });
      await admitted();
      const second = new RawClient(simulator).receive(1);
      await until(() => second.happened.some((name) => name.startsWith('connection_error')));
      await until(() => simulator.connections === 1);
      expect(second.has('connection_open')).toBe(false);
    });

    it('are off unless asked for', async () => {
      for (let i = 0; i < 70; i++) await admitted();
      expect(simulator.living.clientCount).toBe(70);
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

  describe('an idle client', () => {
    it('is closed once it was silent for its own idle-time-out', async () => {
      await restart({ minIdleTimeoutMs: 10 });
      const client = new RawClient(simulator, { idle_time_out: 200 }).receive(1);
      await until(() => client.has('receiver_open'));
      silence(client);
      await until(() => client.has('connection_error amqp:resource-limit-exceeded'));
      await until(() => simulator.connections === 0 && simulator.living.clientCount === 0);
    });

    it('is not closed while its library sends empty frames', async () => {
      await restart({ minIdleTimeoutMs: 10 });
      const client = new RawClient(simulator, { idle_time_out: 200 }).receive(1);
      await until(() => client.has('receiver_open'));
      const silent = new RawClient(simulator, { idle_time_out: 400 }).receive(1);
      await until(() => silent.has('receiver_open'));
      silence(silent);
      // Twice the time that the first one may be silent has passed when the second one is closed.
      await until(() => silent.has('connection_error amqp:resource-limit-exceeded'));
      expect(client.connection.is_open()).toBe(true);
    });

    it('is asked for frames often enough: within half of its time', async () => {
      const client = new RawClient(simulator, { idle_time_out: 60_000 }).receive(1);
      await until(() => client.has('receiver_open'));
      expect(client.connection.idle_time_out).toBe(30_000);
    });

    /** A client sends no more empty frames. */
    function silence({ connection }: RawClient): void {
      const inside = connection as unknown as { heartbeat_out: NodeJS.Timeout; remote: { open: object } };
      clearTimeout(inside.heartbeat_out);
      Object.assign(inside.remote.open, { idle_time_out: 0 });
    }
  });

  describe('a client that sends more than any would', () => {
    const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const socketOf = ({ connection }: RawClient): Socket => (connection as unknown as { socket: Socket }).socket;

    it('is dropped before it has signed in', async () => {
      await talk(SASL_HEADER, bytesOf('40000000 02010000'));
      expect(logged.join()).toMatch(/a frame of 1073741824 bytes/);
      await talk(SASL_HEADER, ...Array.from({ length: 9_000 }, () => bytesOf('00000008 02010000')));
      expect(logged.join()).toMatch(/\d+ bytes before its sign-in/);
      await until(() => simulator.connections === 0);
    });

    /** No remote channel, the first id 0, windows of 100. */
    const BEGIN = '005311 c00704 40 43 5264 5264';
    // The performative is described by a small ulong; lists and values have one byte of length, `43` is 0, `41` true.
    it.each([
      ['a frame that it never ends', '40000000 02000000', /a frame of 1073741824 bytes/],
      [
        'an answer to more deliveries than there can be',
        '00000017 02000000 005315 c00a05 41 43 70ffffffff 41 40',
        /answered at once/,
      ],
      ['a message', '00000011 02000000 005314 c00403 43 43 40', /may not send messages/],
      [
        'one session after the other',
        Array.from({ length: 16 }, (_, i) => `00000014 020000${(i + 1).toString(16).padStart(2, '0')} ${BEGIN}`).join(
          '',
        ),
        /more than 16 sessions/,
      ],
    ])('is dropped with %s', async (_, hex, reason) => {
      const client = new RawClient(simulator).receive(1);
      await until(() => client.has('receiver_open'));
      socketOf(client).write(bytesOf(hex));
      await until(() => simulator.connections === 0);
      expect(logged.join()).toMatch(reason);
    });
  });

  describe('on demand', () => {
    it('closes every connection with a condition', async () => {
      const client = new RawClient(simulator).receive(1);
      await until(() => client.has('receiver_open'));
      simulator.publish({ topic: null, body: 'x' });
      await until(() => simulator.unsettled === 1);
      expect(simulator.closeConnections('amqp:connection:forced')).toBe(1);
      expect(simulator.unsettled).toBe(0); // another client may have it at once
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
