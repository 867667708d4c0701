import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SinkUnavailable } from '../../src/domain/event-sink.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';
import { type AmqpRig, aWireReport, enterpriseSettings, livingSettings, startRig } from '../support/amqp-rig.js';
import { BareBroker } from '../support/bare-broker.js';
import { MemorySink } from '../support/memory-sink.js';
import { startRawPort } from '../support/raw-port.js';
import { until } from '../support/until.js';

// The transport against the platform simulator, in one process, over real sockets.

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function aSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  cleanups.push(() => simulator.stop());
  return simulator;
}

function consume(given: Parameters<typeof startRig>[0]): AmqpRig {
  const rig = startRig(given);
  cleanups.push(() => rig.stop());
  return rig;
}

function living(simulator: Simulator) {
  return { amqpUrl: `amqp://127.0.0.1:${simulator.plainPort}`, ...livingSettings };
}
function enterprise(simulator: Simulator) {
  return { amqpUrl: `amqp://127.0.0.1:${simulator.plainPort}`, ...enterpriseSettings };
}

/** Publishes reports; their numbers are told apart by their bodies. */
function publish(simulator: Simulator, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => simulator.publish(aWireReport(String(from + index))));
}

describe('signing in', () => {
  it.each([
    ['appkey', livingSettings, 'living'],
    ['aksign with hmacmd5', { ...enterpriseSettings, amqpSignMethod: 'hmacmd5' }, 'enterprise'],
    ['aksign with hmacsha1', { ...enterpriseSettings, amqpSignMethod: 'hmacsha1' }, 'enterprise'],
    ['aksign with hmacsha256', enterpriseSettings, 'enterprise'],
    [
      'ststoken',
      {
        ...enterpriseSettings,
        amqpAuthMode: 'ststoken',
        amqpAccessKeyId: 'STS.demoKeyId02',
        amqpAccessKeySecret: 'demoStsSecret-42',
        amqpSecurityToken: 'CAISdemo+token/01==',
      },
      'enterprise',
    ],
  ] as const)('works with %s', async (_, settings, flavour) => {
    const simulator = await aSimulator();
    const rig = consume({ settings: { amqpUrl: `amqp://127.0.0.1:${simulator.plainPort}`, ...settings } });
    const [id] = publish(simulator, 1);
    const group = flavour === 'living' ? simulator.living : simulator.enterprise('demoGroup000100');
    await until(() => expect(group.counts.accepted).toBe(1));
    expect(rig.sink.stored).toEqual([[id]]);
  });

  it('goes on by itself when refused credentials are accepted later', async () => {
    const simulator = await aSimulator();
    simulator.refuseLogins(true);
    const { connections } = consume({ settings: living(simulator) });
    await until(() => expect(simulator.logins.refused).toBeGreaterThan(2));
    expect(connections()[0]?.lastError).toMatch(/credentials were refused/);
    simulator.refuseLogins(false);
    publish(simulator, 1);
    await until(() => expect(simulator.living.counts.accepted).toBe(1));
    expect(connections()).toMatchObject([{ state: 'connected', lastError: null }]);
  });

  it('never shows a secret', async () => {
    const simulator = await aSimulator();
    const { connections } = consume({ settings: { ...living(simulator), amqpAppSecret: 'wrong-secret' } });
    await until(() => expect(connections()[0]?.lastError).toMatch(/refused/));
    expect(JSON.stringify(connections())).not.toContain('wrong-secret');
  });
});

describe('TLS', () => {
  async function withTls(): Promise<{ simulator: Simulator; url: string; caFile: string }> {
    const simulator = await aSimulator({ plainPort: null, tlsPort: 0 });
    const directory = await mkdtemp(join(tmpdir(), 'ca-'));
    cleanups.push(() => rm(directory, { recursive: true }));
    const caFile = join(directory, 'ca.pem');
    await writeFile(caFile, simulator.ca ?? '');
    return { simulator, url: `amqps://localhost:${simulator.tlsPort}`, caFile };
  }

  it('is spoken with an authority from AMQP_CA_FILE, by name and by address', async () => {
    const { simulator, url, caFile } = await withTls();
    for (const amqpUrl of [url, url.replace('localhost', '127.0.0.1')]) {
      const rig = consume({ settings: { ...livingSettings, amqpUrl, amqpCaFile: caFile } });
      publish(simulator, 1);
      await until(() => expect(rig.sink.stored.flat()).toHaveLength(1));
      await rig.stop();
    }
  });

  it('is reconnected over after a loss', async () => {
    const { simulator, url, caFile } = await withTls();
    const rig = consume({ settings: { ...livingSettings, amqpUrl: url, amqpCaFile: caFile } });
    await until(() => expect(rig.connection().state).toBe('connected'));
    simulator.dropConnections();
    publish(simulator, 1);
    await until(() => expect(simulator.living.counts.accepted).toBe(1));
  });

  it('is refused with a certificate that nobody vouches for, and says what to do', async () => {
    const { url } = await withTls();
    const { connections } = consume({ settings: { ...livingSettings, amqpUrl: url } });
    await until(() => expect(connections()[0]?.lastError).toMatch(/not trusted here.*AMQP_CA_FILE/));
  });

  it('needs a file of authorities that is there', async () => {
    const { url } = await withTls();
    const { connections } = consume({ settings: { ...livingSettings, amqpUrl: url, amqpCaFile: '/nowhere/ca.pem' } });
    await until(() => expect(connections()[0]?.lastError).toMatch(/ca\.pem.*AMQP_CA_FILE/));
  });

  it('is not spoken on a plain port', async () => {
    const simulator = await aSimulator();
    const amqpUrl = `amqps://127.0.0.1:${simulator.plainPort}`;
    const { connections } = consume({ settings: { ...livingSettings, amqpUrl } });
    await until(() => expect(connections()[0]?.lastError).toMatch(/TLS|ECONNRESET|socket/));
  });
});

describe('a platform that is away', () => {
  it('is connected to as soon as it is there', async () => {
    const first = await startSimulator();
    const port = first.plainPort;
    await first.stop();
    const { connections, sink } = consume({ settings: { ...livingSettings, amqpUrl: `amqp://127.0.0.1:${port}` } });
    await until(() => expect(connections()[0]?.lastError).toMatch(/nobody answers there \(ECONNREFUSED\)/));
    const simulator = await aSimulator({ plainPort: port });
    publish(simulator, 1);
    await until(() => expect(sink.stored).toHaveLength(1));
  });

  it('may have an unknown host', async () => {
    const { connections } = consume({ settings: { ...livingSettings, amqpUrl: 'amqp://no-such-host.invalid' } });
    await until(() => expect(connections()[0]?.lastError).toMatch(/AMQP_URL/));
  });

  it('may take the connection and never say a word', async () => {
    const port = await startRawPort();
    cleanups.push(() => port.stop());
    const { connections } = consume({
      settings: { ...livingSettings, amqpUrl: port.url },
      timing: { openWithinMs: 20 },
    });
    await until(() => expect(port.connections()).toBeGreaterThan(1));
    expect(connections()[0]?.lastError).toMatch(/ETIMEDOUT/);
  });

  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['AMQP 0-9-1', 'AMQP\0\0\t\u0001'],
  ])('may speak %s', async (_, greeting) => {
    const port = await startRawPort(greeting);
    cleanups.push(() => port.stop());
    const { connections } = consume({ settings: { ...livingSettings, amqpUrl: port.url } });
    await until(() => expect(port.connections()).toBeGreaterThan(1));
    expect(connections()[0]?.lastError).toMatch(/signing in failed/);
  });

  it.each([
    ['', Buffer.alloc(0)],
    [' in the middle of a frame', Buffer.from('000000ff0200', 'hex')],
  ])('may fall silent%s', async (_, lastWords) => {
    const broker = await BareBroker.start();
    cleanups.push(() => broker.stop());
    const { connections } = consume({
      settings: { amqpUrl: broker.url },
      timing: { idleTimeOutMs: 20, firstPauseMs: 100, longestPauseMs: 100 },
    });
    await until(() => expect(broker.links.length).toBe(1));
    broker.write(lastWords);
    broker.fallSilent();
    await until(() => expect(connections()[0]?.lastError).toMatch(/nothing was heard for 0.04 s/));
    await until(() => expect(broker.links.length).toBe(2));
  });
});

describe('a peer that wants nothing of us', () => {
  it('still hears from us, so that it does not take us for dead', async () => {
    const broker = await BareBroker.start();
    cleanups.push(() => broker.stop());
    const { connection } = consume({ settings: { amqpUrl: broker.url }, timing: { idleTimeOutMs: 20 } });
    await until(() => expect(connection().credit).toBe(500));
    const [socket] = broker.clients;
    const heard = socket?.bytesRead ?? 0;
    await until(() => expect(socket?.bytesRead).toBeGreaterThan(heard + 3 * 8)); // an empty frame has 8 bytes
    expect(connection().attempts).toBe(1);
  });

  it('may be entered without a name', async () => {
    const broker = await BareBroker.start();
    cleanups.push(() => broker.stop());
    const { connection } = consume({ settings: { amqpUrl: broker.url, amqpUsername: undefined } });
    await until(() => expect(connection().state).toBe('connected'));
    expect(broker.logins).toEqual([]);
  });
});

describe('losses', () => {
  it.each<[string, (simulator: Simulator) => unknown]>([
    ['dropped connections', (simulator) => simulator.dropConnections()],
    ['detached links', (simulator) => simulator.detachLinks()],
    ['closed connections', (simulator) => simulator.closeConnections('amqp:internal-error')],
  ])('(%s) in the middle of a flood lose nothing and store nothing twice', async (_, lose) => {
    const simulator = await aSimulator();
    const { sink, ingestor } = consume({ settings: { ...living(simulator), amqpCredit: 50 } });
    const published: string[] = [];
    for (let round = 1; round <= 5; round += 1) {
      published.push(...publish(simulator, 300, round * 300));
      await until(() => expect(simulator.living.counts.accepted).toBeGreaterThan(round * 300 - 200));
      lose(simulator);
    }
    await until(() => expect(simulator.living.counts.accepted).toBe(1_500));
    expect(sink.stored.flat().toSorted()).toEqual(published.toSorted());
    const { received, stored, duplicate, setAside, inHand } = ingestor.counts();
    expect({ stored, setAside, inHand }).toEqual({ stored: 1_500, setAside: 0, inHand: 0 });
    expect(received).toBe(stored + duplicate);
  });
});

describe('a store that is away', () => {
  it('leaves everything with the platform, and catches up without a restart', async () => {
    let away = true;
    const sink = new MemorySink(() => (away ? new SinkUnavailable('database') : undefined));
    const simulator = await aSimulator();
    const { ingestor } = consume({ sink, settings: { ...living(simulator), amqpCredit: 20 } });
    publish(simulator, 100);
    await until(() => expect(ingestor.counts().inHand).toBe(20));
    expect(simulator.living.counts).toMatchObject({ accepted: 0, unsettled: 20 });
    away = false;
    await until(() => expect(simulator.living.counts.accepted).toBe(100));
    expect(simulator.living.counts.redelivered).toBe(0);
  });
});

describe('several connections', () => {
  it('share the load, each under its own name and with its own credit', async () => {
    const simulator = await aSimulator();
    const { connections, sink } = consume({
      settings: { ...enterprise(simulator), amqpConnections: 3, amqpCredit: 10 },
    });
    await until(() => expect(connections().map(({ state }) => state)).toEqual(['connected', 'connected', 'connected']));
    expect(connections().map(({ connection }) => connection)).toEqual([1, 2, 3]);
    sink.hold();
    publish(simulator, 60);
    const group = simulator.enterprise('demoGroup000100');
    await until(() => expect(group.counts.unsettled).toBe(30));
    sink.release();
    await until(() => expect(group.counts.accepted).toBe(60));
    expect(sink.stored.flat()).toHaveLength(60);
  });
});

describe('Base64', () => {
  it('is asked for, decoded, and never guessed', async () => {
    const simulator = await aSimulator();
    const { sink } = consume({ settings: { ...enterprise(simulator), amqpEncode: 'base64' } });
    const [id] = publish(simulator, 1);
    await until(() => expect(simulator.enterprise('demoGroup000100').counts.accepted).toBe(1));
    expect(sink.stored).toEqual([[id]]);
  });

  it('that is none is set aside', async () => {
    const broker = await BareBroker.start();
    cleanups.push(() => broker.stop());
    const { sink } = consume({ settings: { amqpUrl: broker.url, amqpEncode: 'base64' } });
    broker.send({ id: 'x', message: { message_id: 'x', body: 'not base64!' } });
    await until(() => expect(broker.accepted).toEqual(['x']));
    expect(sink.aside).toEqual({ x: 'not-base64' });
  });
});

describe('stopping', () => {
  it('in the middle of a flood loses and doubles nothing, time after time', async () => {
    const simulator = await aSimulator();
    const sink = new MemorySink();
    publish(simulator, 4_000);
    for (let round = 1; round <= 10; round += 1) {
      const rig = startRig({ sink, settings: { ...living(simulator), amqpCredit: 100 } });
      const before = simulator.living.counts.accepted;
      await until(() => expect(simulator.living.counts.accepted).toBeGreaterThan(before));
      await rig.stop();
      await until(() => expect(simulator.connections).toBe(0));
      expect(simulator.living.counts.accepted).toBe(sink.stored.flat().length);
      expect(rig.ingestor.counts()).toMatchObject({ duplicate: 0, inHand: 0 });
    }
  });

  it('while the platform is away is done at once', async () => {
    const rig = consume({ settings: { ...livingSettings, amqpUrl: 'amqp://127.0.0.1:1' } });
    await until(() => expect(rig.connection().lastError).not.toBeNull());
    await rig.stop();
    expect(rig.connection().state).toBe('stopped');
  });

  it('while a connection is being made is done at once', async () => {
    const port = await startRawPort();
    cleanups.push(() => port.stop());
    const rig = consume({ settings: { ...livingSettings, amqpUrl: port.url } });
    await until(() => expect(port.connections()).toBe(1));
    await rig.stop();
    expect(rig.connection().state).toBe('stopped');
  });
});
