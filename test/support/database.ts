import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { query, sibling } from '../../scripts/postgres/connection.mjs';
import { startPostgres, type EmbeddedPostgres } from '../../scripts/postgres/embedded-postgres.mjs';
import { makeDataFolder } from './data-folder.mjs';

/** A database of a test's own. */
export interface TestDatabase {
  /** Connection URL with its password. */
  readonly url: string;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

/**
 * A database that nobody else uses, on the one PostgreSQL of this test run (started by the first call): a copy of the
 * migrated template (about 60 ms in memory, a second on a disk), or an empty one with `{ migrated: false }`. Safe from
 * any number of Jest workers.
 */
export async function freshDatabase({ migrated = true }: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const { url, inMemory } = await server();
  const name = `test_${process.pid}_${randomUUID().slice(0, 8)}`;
  // Files as a whole rather than page by page through the log: half the time, where the checkpoints that it brings cost
  // nothing. On a disk they cost more than that.
  const strategy = inMemory ? 'file_copy' : 'wal_log';
  const template = migrated ? 'template_migrated' : 'template0';
  await query(url, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY ${strategy}`);
  return {
    url: sibling(url, name),
    drop: async () => {
      await query(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** A PostgreSQL that a test may stop, kill and start again. */
export interface PrivatePostgres {
  /** The server as it runs now; its `url` stays the same over restarts. */
  server(): EmbeddedPostgres;
  /** Starts it again on the same data and port after it was stopped or killed. */
  start(): Promise<EmbeddedPostgres>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** A whole PostgreSQL of a test's own (about 1.3 s), with one empty database, for tests in which it goes away. */
export async function privatePostgres(): Promise<PrivatePostgres> {
  const folder = makeDataFolder();
  const start = () =>
    startPostgres({
      root,
      directory: path.join(folder, 'postgres'),
      logFile: path.join(folder, 'postgres.log'),
      port: 0,
      durable: false,
    });
  let current = await start();
  return {
    server: () => current,
    start: async () => (current = await start()),
    remove: async () => {
      await current.stop(5_000);
      await rm(current.directory, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The run's server, asked of global-setup.js, which starts it if this is the first time. */
async function server(): Promise<{ url: string; inMemory: boolean }> {
  const service = process.env['TEST_DATABASE_SERVICE'];
  if (service === undefined)
    throw new Error('No test database: run tests with `npm test`, or jest with jest.config.js');
  const response = await fetch(service);
  const text = await response.text();
  if (!response.ok) throw new Error(`The test PostgreSQL did not start: ${text}`);
  return JSON.parse(text) as { url: string; inMemory: boolean };
}
