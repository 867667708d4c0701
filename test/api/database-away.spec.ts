import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { applyMigrations, readMigrations } from '../../scripts/postgres/migrations.mjs';
import { root } from '../../scripts/checkout.mjs';
import { MigrationGate, SchemaNotReady } from '../../src/storage/migration-gate.js';
import { type RunningApp, startApp } from '../support/app.js';
import { freshDatabase, privatePostgres, type PrivatePostgres } from '../support/database.js';
import { until } from '../support/until.js';

describe('while the database is away', () => {
  let postgres: PrivatePostgres;
  let app: RunningApp;

  beforeAll(async () => {
    postgres = await privatePostgres();
    await applyMigrations(postgres.server().url, readMigrations(root));
    app = await startApp({ databaseUrl: postgres.server().url });
  }, 120_000);
  afterAll(async () => {
    await app.close();
    await postgres.remove();
  });

  const get = async (path: string): Promise<{ status: number; body: unknown; retryAfter: string | null }> => {
    const reply = await fetch(app.url + path);
    return { status: reply.status, body: await reply.json(), retryAfter: reply.headers.get('retry-after') };
  };

  it('questions are refused for now, probes tell why, and all is well when it is back', async () => {
    expect(await get('/v1/devices')).toMatchObject({ status: 200 });
    expect(await get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });

    await postgres.server().stop(5_000);
    expect(await get('/v1/devices')).toEqual({
      status: 503,
      retryAfter: '5',
      body: {
        type: 'about:blank',
        title: 'Service Unavailable',
        status: 503,
        detail: 'The database does not answer at the moment: try again later',
      },
    });
    expect(await get('/v1/devices/a:b/readings')).toMatchObject({ status: 503 });
    expect(await get('/v1/ingest')).toMatchObject({ status: 200, body: { totals: null, inHand: 0 } });
    expect(await get('/health/live')).toMatchObject({ status: 200 });
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'not-ready', checks: { database: { ok: false, detail: 'does not answer' } } },
    });

    await postgres.start();
    await until(async () => expect(await get('/health/ready')).toMatchObject({ status: 200 }));
    expect(await get('/v1/devices')).toMatchObject({ status: 200 });
  }, 120_000);
});

describe('a database that is not migrated', () => {
  it('makes the service not ready, and keeps it from starting', async () => {
    const database = await freshDatabase({ migrated: false });
    const app = await startApp({ databaseUrl: database.url });
    try {
      // the first look opens the connection, which may take a busy machine longer than the check waits
      await until(async () => {
        const reply = await fetch(`${app.url}/health/ready`);
        expect(reply.status).toBe(503);
        expect(await reply.json()).toMatchObject({
          checks: {
            database: { ok: true },
            migrations: { ok: false, detail: expect.stringContaining('migrations are pending') },
          },
        });
      });
      const gate = app.app.get(MigrationGate, { strict: false });
      await expect(gate.pass()).rejects.toThrow(SchemaNotReady);
      await expect(gate.pass()).rejects.toThrow(/run npx prisma migrate deploy/);
    } finally {
      await app.close();
      await database.drop();
    }
  });
});
