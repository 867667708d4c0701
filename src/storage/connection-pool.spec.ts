import { afterEach, describe, expect, it } from '@jest/globals';
import net from 'node:net';
import { connectionPool } from './connection-pool.js';

/** What a server says: a letter, the length of the rest with its own four bytes, the rest. */
function said(kind: string, rest: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(rest.length + 4);
  return Buffer.concat([Buffer.from(kind), length, rest]);
}

const SIGNED_IN = said('R', Buffer.alloc(4));
const READY = said('Z', Buffer.from('I'));
const KILLED = said(
  'E',
  Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'),
);

let server: net.Server | undefined;
afterEach(() => {
  server?.close();
});

/** A PostgreSQL that dies with its first word. */
function dyingServer(): Promise<number> {
  const listening = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([SIGNED_IN, READY, KILLED])));
  });
  server = listening;
  return new Promise((resolve) => {
    listening.listen(0, '127.0.0.1', () => resolve((listening.address() as net.AddressInfo).port));
  });
}

describe('a connection that is lost between the pool and whoever asked for it', () => {
  it('fails the work that it was for, and does not end the process', async () => {
    const pool = connectionPool({
      connectionString: `postgresql://nobody:none@127.0.0.1:${await dyingServer()}/none`,
      connections: 1,
      connectTimeoutMs: 5_000,
      patience: { statementMs: 5_000, lockMs: 5_000, transactionMs: 5_000 },
    });
    pool.on('error', () => undefined);
    const client = await pool.connect();
    await expect(client.query('SELECT 1')).rejects.toThrow();
    client.release(true);
    await pool.end();
  });
});
