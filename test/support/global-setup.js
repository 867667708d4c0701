// @ts-check
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { query, sibling } from '../../scripts/postgres/connection.mjs';
import { startPostgres } from '../../scripts/postgres/embedded-postgres.mjs';
import { applyMigrations, readMigrations } from '../../scripts/postgres/migrations.mjs';
import { inMemory, makeDataFolder, removeLeftovers } from './data-folder.mjs';

/** What people set for the real thing has no business in a test. */
const SETTINGS = /^(DATABASE_URL|HTTP_|AMQP_|SIMULATOR_|BODY_IDENTITY|DEDUPE_DAYS|RETENTION_|LOG_|SHADOW_DATABASE_URL)/;

/**
 * Before a test run: stands by to start one PostgreSQL for all of it. It starts when the first test asks for a database
 * (test/support/database.ts), so that a run of unit tests alone never waits for it. It is started from here and not
 * from a worker because it dies with its parent, and workers come and go.
 */
export default async function globalSetup() {
  for (const name of Object.keys(process.env)) if (SETTINGS.test(name)) delete process.env[name];
  removeLeftovers();
  /** @type {Promise<{ url: string, stop: () => Promise<void> }> | undefined} */
  let starting;
  const secret = randomBytes(16).toString('hex');
  const server = http.createServer((request, response) => {
    // A connection kept open is closed by us after a while, perhaps just when a worker asks again over it.
    response.setHeader('connection', 'close');
    if (request.url !== `/${secret}`) {
      response.writeHead(404).end();
      return;
    }
    starting ??= startTestPostgres();
    starting.then(
      ({ url }) => response.end(JSON.stringify({ url, inMemory })),
      (error) => response.writeHead(500).end(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  server.unref();
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The test database service has no port');
  process.env['TEST_DATABASE_SERVICE'] = `http://127.0.0.1:${address.port}/${secret}`;
  Reflect.set(globalThis, 'stopTestDatabase', async () => {
    server.closeAllConnections();
    server.close();
    const started = await starting?.catch(() => undefined);
    await started?.stop();
  });
}

async function startTestPostgres() {
  const folder = makeDataFolder();
  const postgres = await startPostgres({
    root,
    directory: path.join(folder, 'postgres'),
    logFile: path.join(folder, 'postgres.log'),
    database: 'template_migrated',
    port: 0,
    durable: false,
    settings: ['max_connections=300', 'shared_buffers=128MB'],
  });
  const url = sibling(postgres.url, 'postgres');
  const stop = async () => {
    await postgres.stop(5_000);
    rmSync(postgres.directory, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await applyMigrations(postgres.url, readMigrations(root));
    // A template that somebody is connected to cannot be copied: nobody can connect.
    await query(url, 'ALTER DATABASE template_migrated WITH ALLOW_CONNECTIONS false IS_TEMPLATE true');
  } catch (error) {
    await stop(); // or the run would never end
    throw error;
  }
  return { url, stop };
}
