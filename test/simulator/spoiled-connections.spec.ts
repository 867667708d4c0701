import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { livingLogin, RawClient, until } from './raw-client.js';

describe('what can happen to a connection', () => {
  let simulator: Simulator;
  beforeEach(async () => {
    simulator = await startSimulator({ tlsPort: 0 });
  });
  afterEach(() => simulator.stop());

  const ways = ['TCP', 'TLS'] as const;
  const consumer = async (way: (typeof ways)[number], credit = 100, clientId = 'test'): Promise<RawClient> => {
    const tls = {
      transport: 'tls',
      port: simulator.tlsPort ?? 0,
      ca: simulator.ca ?? '',
      servername: 'localhost',
    } as const;
    const client = new RawClient(simulator, { ...livingLogin(clientId), ...(way === 'TLS' ? tls : {}) });
    client.receive(credit);
    await until(() => simulator.living.clientCount === 1 && client.has('receiver_open'));
    return client;
  };
  const socketOf = ({ connection }: RawClient): TLSSocket => (connection as unknown as { socket: TLSSocket }).socket;
  const publish = (body: string): string => simulator.publish({ topic: '/pk/dn/user/x', body });

  describe.each(ways)('half-open %s', (way) => {
    it('takes what the platform sends and gives nothing, until it is reset', async () => {
      const client = await consumer(way);
      const lost = publish('into nothing'); // goes out after this turn, and so into the half-open connection
      expect(simulator.halfOpen(150)).toBe(1);
      await until(() => simulator.fate(lost)?.deliveries === 1);
      expect(simulator.unsettled).toBe(1); // the platform waits for an answer
      expect(socketOf(client).destroyed).toBe(false);
      await until(() => client.has('disconnected'));
      expect(client.received).toEqual([]);
      await until(() => simulator.connections === 0);
      const next = await consumer(way, 10, 'next');
      await until(() => next.received.length === 1);
      expect(next.ids).toEqual([lost]);
    });

    it('is not read, so that the client cannot get rid of what it writes', async () => {
      const client = await consumer(way);
      simulator.halfOpen(60_000);
      const socket = socketOf(client);
      // Larger than all buffers of the system on the way. A platform that read it would close for the nonsense.
      socket.write(Buffer.alloc(16 * 1_024 * 1_024));
      // Time enough for others to connect is time enough to read that.
      for (let i = 0; i < 6; i++) {
        const other = new RawClient(simulator, livingLogin(`other-${i}`)).receive(1);
        await until(() => other.has('receiver_open'));
        other.connection.close();
        await until(() => other.has('connection_close'));
      }
      expect(socket.writableLength).toBeGreaterThan(0);
      expect(client.happened).not.toContain('disconnected');
      socket.destroy(new Error('the client gives up'));
    });

    it('stays open for the client although the platform has given it up', async () => {
      const client = await consumer(way);
      simulator.halfOpen(60_000);
      simulator.dropConnections();
      await until(() => simulator.connections === 0);
      await consumer(way, 10, 'next'); // a few round trips later
      expect(socketOf(client).destroyed).toBe(false);
      expect(client.has('disconnected')).toBe(false);
      await simulator.stop();
      await until(() => client.has('disconnected'));
    });
  });

  describe.each(ways)('a cut %s', (way) => {
    it.each([1, 37, 5_000])('comes after exactly %d more bytes', async (bytes) => {
      const client = await consumer(way);
      const socket = socketOf(client);
      let read = 0;
      socket.prependListener('data', (data: Buffer) => (read += data.length));
      expect(simulator.cutAfter(bytes)).toBe(1);
      for (let i = 0; i < 40; i++) publish('x'.repeat(300));
      await until(() => client.has('disconnected') && simulator.connections === 0);
      expect(read).toBe(bytes);
      expect(client.received.length).toBeLessThan(20);
      await until(() => simulator.unsettled === 0);
      const next = await consumer(way, 100, 'next');
      await until(() => next.received.length === 40);
    });

    it('comes at once after no more bytes', async () => {
      const client = await consumer(way);
      simulator.cutAfter(0);
      await until(() => client.has('disconnected') && simulator.connections === 0);
    });
  });

  describe('slow TLS', () => {
    const knock = (): { readonly socket: TLSSocket; readonly happened: string[] } => {
      const ca = simulator.ca ?? '';
      const socket = connectTls({ port: simulator.tlsPort ?? 0, host: simulator.host, ca, servername: 'localhost' });
      const happened: string[] = [];
      for (const event of ['connect', 'secureConnect', 'close'] as const) socket.on(event, () => happened.push(event));
      socket.on('error', () => undefined);
      return { socket, happened };
    };

    it('keeps a client waiting that has connected, and none that comes later', async () => {
      simulator.slowTls(3_600_000);
      const slow = knock();
      await until(() => slow.happened.includes('connect'));
      simulator.slowTls(0);
      const quick = knock();
      await until(() => quick.happened.includes('secureConnect'));
      expect(slow.happened).toEqual(['connect']);
      await simulator.stop();
      await until(() => slow.happened.includes('close'));
      quick.socket.destroy();
    });

    it('ends after its time', async () => {
      simulator.slowTls(20);
      const { happened, socket } = knock();
      await until(() => happened.includes('secureConnect'));
      socket.destroy();
    });

    it('survives a client that gives up', async () => {
      simulator.slowTls(30);
      const impatient = knock();
      await until(() => impatient.happened.includes('connect'));
      impatient.socket.destroy();
      const patient = knock();
      await until(() => patient.happened.includes('secureConnect'));
      patient.socket.destroy();
    });
  });
});
