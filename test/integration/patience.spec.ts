import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import { SinkUnavailable } from '../../src/domain/event-sink.js';
import { connectionPool } from '../../src/storage/connection-pool.js';
import { GRACE_MS, UNHURRIED, type Patience } from '../../src/storage/patience.js';
import { NOON } from '../support/messages.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';

const device = { productKey: 'pk', deviceName: 'dn' };
const aVersion = (): DecodedMessage =>
  decodedAs([{ kind: 'version-reported', device, at: new Date(NOON), value: '{}' }]);

const SOON: Patience = { statementMs: 500, lockMs: 10_000, transactionMs: 1_000 };

let store: TestStore;
let database: string;
let proxy: TcpProxy;

/** A store whose way to the database can become a black hole. */
async function openStoreBehindProxy(patience: Patience): Promise<void> {
  store = await openStore(async (url) => {
    database = url;
    const { port } = new URL(url);
    proxy = await startTcpProxy(Number(port));
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(proxy.port);
    return { databaseUrl: through.href, patience };
  });
}

afterEach(async () => {
  await store.close();
  await proxy.stop();
});

describe('a database that does not answer', () => {
  it('is given up, and the next write uses a connection that works', async () => {
    await openStoreBehindProxy(SOON);
    const messages = [aVersion(), aVersion(), aVersion()];
    // several connections, all of which lie in the pool afterwards
    expect((await Promise.all(messages.map((message) => store.writer.write([message])))).flat()).toHaveLength(3);
    proxy.swallow();
    const message = aVersion();
    await expect(store.writer.write([message])).rejects.toBeInstanceOf(SinkUnavailable);
    proxy.heal();
    expect(await store.writer.write([message])).toEqual(['stored']);
    expect(await store.writer.write([message])).toEqual(['duplicate']);
  });

  it('is given up in the midst of a transaction, too', async () => {
    await openStoreBehindProxy(SOON);
    const work = store.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe('SELECT 1');
      proxy.swallow();
      await tx.$executeRawUnsafe('SELECT 2');
    });
    await expect(work).rejects.toThrow();
    proxy.heal();
    expect(await store.writer.write([aVersion()])).toEqual(['stored']);
  });
});

describe('a process that stood still for longer than that', () => {
  it('reads the answers that came meanwhile, and goes on', async () => {
    await openStoreBehindProxy(SOON);
    const pool = connectionPool({
      connectionString: database,
      connections: 1,
      connectTimeoutMs: 5_000,
      patience: SOON,
    });
    const client = await pool.connect();
    const first = client.query('SELECT 1');
    const second = first.then(() => client.query('SELECT 2 AS "two"'));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SOON.statementMs + GRACE_MS + 100);
    expect((await second).rows).toEqual([{ two: 2 }]);
    client.release();
    await pool.end();
  });
});

describe('a statement that hangs', () => {
  it.each<[string, Patience]>([
    ['itself', { ...SOON, transactionMs: 60_000 }],
    ['by its lock', { statementMs: 60_000, lockMs: 500, transactionMs: 60_000 }],
  ])('is cancelled by the server %s, and nobody is to blame', async (_, patience) => {
    await openStoreBehindProxy(patience);
    await store.writer.write([aVersion()]);
    const other = new pg.Client(database);
    await other.connect();
    await other.query('BEGIN');
    await other.query(`SELECT * FROM "Device" FOR UPDATE`);
    const message = aVersion();
    await expect(store.writer.write([message])).rejects.toThrow(/canceling statement due to (statement|lock) timeout/);
    await other.query('COMMIT');
    expect(await store.writer.write([message])).toEqual(['stored']);
    await other.end();
  });

  it('has more time where the work says so', async () => {
    await openStoreBehindProxy({ statementMs: 50, lockMs: 50, transactionMs: 100 });
    const nap = 'SELECT pg_sleep(2.5)';
    await expect(store.prisma.inTransaction((tx) => tx.$executeRawUnsafe(nap))).rejects.toThrow();
    await store.prisma.inTransaction((tx) => tx.$executeRawUnsafe(nap), UNHURRIED);
  });
});
