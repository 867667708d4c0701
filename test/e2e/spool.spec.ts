import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { applyMigrations, readMigrations } from '../../scripts/postgres/migrations.mjs';
import { query } from '../../scripts/postgres/connection.mjs';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { privatePostgres, type PrivatePostgres } from '../support/database.js';
import { LOCK } from '../support/messages.js';
import { endServices, startService, type Service } from '../support/service.js';
import { until } from '../support/until.js';

/** The built service with a spool, through a database and a service that are killed. */

jest.setTimeout(180_000);

interface Ingest {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly spooled: number;
  readonly inHand: number;
  readonly addsUp: boolean;
  readonly platformDropsAt: string | null;
  readonly spool: { readonly messages: number; readonly state: string } | null;
  readonly replicas: readonly { readonly replica: string; readonly spooled: number; readonly state: string }[] | null;
  readonly totals: { readonly received: number; readonly stored: number; readonly spooled: number } | null;
}

let simulator: Simulator;
let postgres: PrivatePostgres;
let folder: string;
beforeEach(async () => {
  simulator = await startSimulator();
  postgres = await privatePostgres();
  await applyMigrations(postgres.server().url, readMigrations(root));
  folder = await mkdtemp(join(tmpdir(), 'e2e-spool-'));
});
afterEach(async () => {
  await endServices();
  await simulator.stop();
  await postgres.remove();
  await rm(folder, { recursive: true, force: true });
});

const service = (): Promise<Service> =>
  startService({
    databaseUrl: postgres.server().url,
    amqpPort: simulator.plainPort ?? 0,
    env: { SPOOL_DIR: folder, SPOOL_AFTER_SECONDS: '1', AMQP_CREDIT: '50', AMQP_CLIENT_ID: 'spooler' },
  });

const START = Date.now() - 3_600_000;

function publish(from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const time = START + i * 1000;
    simulator.publish({
      topic: `/${LOCK.productKey}/${LOCK.deviceName}/thing/event/property/post`,
      body: JSON.stringify({
        ...LOCK,
        deviceType: 'SmartDoor',
        gmtCreate: time,
        items: { Counter: { value: i, time } },
      }),
    });
  }
}

async function readings(): Promise<number[]> {
  const { rows } = await query(postgres.server().url, 'SELECT "number"::int AS n FROM "PropertyReading" ORDER BY "at"');
  return (rows as { n: number }[]).map(({ n }) => n);
}

it('accepts what comes while the database is away, and stores it once, whoever is killed in between', async () => {
  const first = await service();
  publish(0, 100);
  await until(() => expect(simulator.living.counts).toMatchObject({ accepted: 100, unsettled: 0 }));

  process.kill(postgres.server().pid, 'SIGKILL');
  publish(100, 700);
  await until(() => expect(simulator.living.counts).toMatchObject({ accepted: 700, unsettled: 0, queued: 0 }));
  const away = await first.get<Ingest>('/v1/ingest');
  expect(away).toMatchObject({ spooled: 600, inHand: 0, addsUp: true, totals: null, spool: { state: 'filling' } });
  expect(away.received).toBe(away.stored + away.duplicate + away.spooled);
  expect(Date.parse(away.platformDropsAt ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  await first.end('SIGKILL');

  const second = await service(); // the database is still away
  publish(700, 800);
  await until(() => expect(simulator.living.counts).toMatchObject({ accepted: 800, unsettled: 0, queued: 0 }));
  await until(async () => expect(await second.get('/v1/ingest')).toMatchObject({ received: 700, spooled: 700 }));
  expect(await second.get<Ingest>('/v1/ingest')).toMatchObject({ addsUp: true });

  await postgres.start();
  await until(async () =>
    expect(await second.get('/v1/ingest')).toMatchObject({ stored: 700, spooled: 0, spool: { state: 'empty' } }),
  );
  expect(await readings()).toEqual(Array.from({ length: 800 }, (_, index) => index));
  await until(async () =>
    expect(await second.get('/v1/ingest')).toMatchObject({
      received: 700,
      duplicate: 0,
      addsUp: true,
      platformDropsAt: null,
      totals: { received: 800, stored: 800, duplicate: 0, spooled: 700 },
      replicas: expect.arrayContaining([expect.objectContaining({ replica: 'spooler', state: 'running', spooled: 0 })]),
    }),
  );
  expect(await second.status('/health/ready')).toBe(200);
});

it('names a replica that is gone with messages in its spool', async () => {
  const killed = await service();
  publish(0, 10);
  await until(() => expect(simulator.living.counts.accepted).toBe(10));
  await postgres.server().stop(5_000);
  publish(10, 30);
  await until(() => expect(simulator.living.counts.accepted).toBe(30));
  await killed.end('SIGKILL');
  await postgres.start();
  // What it would have told with its next heartbeat, had the database been there.
  await query(postgres.server().url, `UPDATE "IngestReplica" SET "spool" = gen_random_uuid(), "spooled" = 20`);
  await rm(join(folder, 'owner.json'), { force: true });
  const other = await startService({
    databaseUrl: postgres.server().url,
    amqpPort: simulator.plainPort ?? 0,
    env: { AMQP_CLIENT_ID: 'other' },
  });
  await until(async () => {
    const response = await other.get<{ checks: { spool: { ok: boolean; detail: string } } }>('/health/ready');
    expect(response.checks.spool).toEqual({ ok: false, detail: expect.stringMatching(/20 messages .* of spooler/) });
  });
});

it('says at the start whose folder it is that cannot be used', async () => {
  await service();
  const refused = await service().catch((error: unknown) => String(error));
  expect(refused).toMatch(/living-mirror cannot run: SPOOL_DIR .* is used by process \d+/);
  expect(refused).not.toMatch(/^\s+at /m); // a sentence, and no stack
});
