import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { RawClient, until } from './raw-client.js';

describe('AMQP over TLS', () => {
  let dataDir: string;
  let simulator: Simulator;
  const start = async (): Promise<Simulator> =>
    (simulator = await startSimulator({ tlsPort: 0, plainPort: null, dataDir }));

  beforeEach(async () => {
    dataDir = join(await mkdtemp(join(tmpdir(), 'simulator-tls-')), 'new');
    await start();
  });
  afterEach(async () => {
    await simulator.stop();
    await rm(dataDir, { recursive: true });
  });

  /** Null when the handshake succeeds and the certificate is trusted, else the error's code. */
  const handshake = (servername: string, ca: string | undefined): Promise<string | null> =>
    new Promise((resolve) => {
      const name = servername.includes(':') || /^\d/.test(servername) ? {} : { servername };
      const socket = connect({ host: '127.0.0.1', port: simulator.tlsPort ?? 0, ca, ...name });
      // Addresses go into no SNI; check the certificate against them as a client that dialled them would.
      socket.once('secureConnect', () => {
        const names = socket.getPeerCertificate().subjectaltname ?? '';
        socket.destroy();
        resolve(/^\d|:/.test(servername) && !names.includes(servername) ? names : null);
      });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });

  it('delivers to a client that trusts its authority', async () => {
    simulator.publish({ topic: '/pk/dn/user/x', body: 'secret' });
    const client = new RawClient(simulator, {
      port: simulator.tlsPort ?? 0,
      transport: 'tls',
      servername: 'localhost',
      ca: await readFile(simulator.caFile ?? ''),
    }).receive(1);
    await until(() => client.received.length === 1);
    client.connection.close();
    await until(() => simulator.connections === 0);
  });

  it.each(['localhost', '127.0.0.1'])('has a certificate for %s', async (name) => {
    expect(await handshake(name, simulator.ca ?? '')).toBeNull();
  });

  it('has a certificate for no other name, and none that the world trusts', async () => {
    expect(await handshake('example.org', simulator.ca ?? '')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await handshake('localhost', undefined)).toMatch(/SELF_SIGNED|UNABLE_TO/);
  });

  it('keeps certificate and key for the next start, the key for its owner only', async () => {
    const before = await readFile(join(dataDir, 'server.pem'), 'utf8');
    expect((await stat(join(dataDir, 'server.key'))).mode & 0o777).toBe(0o600);
    await simulator.stop();
    await start();
    expect(await readFile(join(dataDir, 'server.pem'), 'utf8')).toBe(before);
  });

  it.each(['ca.pem', 'server.pem', 'server.key'])('makes new ones when %s is broken', async (file) => {
    await simulator.stop();
    await writeFile(join(dataDir, file), 'garbage');
    await start();
    expect(await handshake('localhost', simulator.ca ?? '')).toBeNull();
  });

  it('survives a client that speaks no TLS', async () => {
    const client = new RawClient(simulator, { port: simulator.tlsPort ?? 0 });
    await until(() => client.has('disconnected'));
    expect(await handshake('localhost', simulator.ca ?? '')).toBeNull();
  });
});
