import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sibling } from '../../scripts/postgres/connection.mjs';
import { DEMO_ENTERPRISE } from '../../src/simulator/demo-accounts.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { freshDatabase, privatePostgres, type TestDatabase } from '../support/database.js';
import { LOCK } from '../support/messages.js';
import { endServices, startService, type Service } from '../support/service.js';
import { until } from '../support/until.js';

/** Simulator -> the built service as a process -> PostgreSQL -> REST, and everything that may happen on the way. */

/** Each test starts processes; a busy machine takes its time over that. */
jest.setTimeout(120_000);

interface Ingest {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly setAside: number;
  readonly inHand: number;
  readonly connections: readonly { readonly state: string }[];
}

let simulator: Simulator;
let database: TestDatabase;
let prisma: PrismaService;

beforeEach(async () => {
  simulator = await startSimulator();
  database = await freshDatabase();
  prisma = new PrismaService({ databaseUrl: database.url });
});
afterEach(async () => {
  await endServices();
  await simulator.stop();
  await prisma.$disconnect();
  await database.drop();
});

const service = (env: Record<string, string> = {}): Promise<Service> =>
  startService({ databaseUrl: database.url, amqpPort: simulator.plainPort ?? 0, env });

const TOPIC = `/${LOCK.productKey}/${LOCK.deviceName}/thing/event/property/post`;
const START = Date.now() - 3_600_000;

/** Publishes reports number `from` to `to`: one value each, a second apart. */
function publishReports(from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const time = START + i * 1000;
    const items = { Counter: { value: i, time } };
    simulator.publish({
      topic: TOPIC,
      body: JSON.stringify({ ...LOCK, deviceType: 'SmartDoor', gmtCreate: time, items }),
    });
  }
}

async function readings(client: PrismaService = prisma): Promise<number[]> {
  const rows = await client.propertyReading.findMany({ select: { number: true }, orderBy: { at: 'asc' } });
  return rows.map(({ number }) => Number(number));
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

async function allAccepted(count: number): Promise<void> {
  await until(
    () => expect(simulator.living.counts).toMatchObject({ accepted: count, unsettled: 0, queued: 0 }),
    60_000,
  );
}

/** The counts of all replicas and restarts, from the database. */
async function totals(): Promise<Record<string, number>> {
  const rows = await prisma.ingestCount.groupBy({ by: ['outcome'], _sum: { count: true } });
  return Object.fromEntries(rows.map(({ outcome, _sum }) => [outcome, Number(_sum.count)]));
}

describe('a fleet', () => {
  it('is seen over REST with everything it does, and the count adds up', async () => {
    await simulator.stop();
    const fleet = { seed: 'e2e', devices: 12, flavour: 'both', rate: 2_000 } as const;
    simulator = await startSimulator({ fleet });
    const running = await service();
    await until(() => expect(simulator.living.counts.accepted).toBeGreaterThan(5_000), 60_000);

    const { items } = await running.get<{ items: { properties: object; online: boolean | null }[] }>(
      '/v1/devices?limit=1000',
    );
    expect(items.length).toBeGreaterThanOrEqual(12);
    expect(items.filter(({ properties }) => Object.keys(properties).length > 0).length).toBeGreaterThan(8);
    expect(items.some(({ online }) => online === true)).toBe(true);

    const counts = await running.get<Ingest>('/v1/ingest');
    expect(counts.received).toBe(counts.stored + counts.duplicate + counts.setAside + counts.inHand);
    expect(counts.setAside).toBe(0);
    const kinds = await prisma.eventLog.groupBy({ by: ['kind'] });
    expect(kinds.map(({ kind }) => kind).sort()).toEqual(
      expect.arrayContaining([
        'custom-message-received',
        'event-raised',
        'presence-changed',
        'user-bound',
        'value-rejected',
      ]),
    );
  });
});

describe('poison', () => {
  it('is set aside or understood, and no good message between is lost', async () => {
    const running = await service();
    for (const fault of ['poison', 'unknown-topics']) simulator.faults.start(fault, { share: 1 });
    publishReports(0, 60);
    simulator.faults.close();
    const { published } = simulator.living.counts;
    expect(published).toBe(4 * 60); // each report, a copy under another topic, and poison beside both
    await allAccepted(published);
    expect(await readings()).toEqual(expect.arrayContaining(numbers(60)));
    const counts = await running.get<Ingest>('/v1/ingest');
    expect(counts.received).toBe(counts.stored + counts.duplicate + counts.setAside);
    expect(counts.setAside).toBeGreaterThan(20);
    expect(await running.status('/health/ready')).toBe(200);
  });
});

describe('accepting', () => {
  it('waits for the commit: while the database holds the write, nothing is accepted, and afterwards the rows are there', async () => {
    const running = await service();
    await until(async () => expect(await running.status('/health/ready')).toBe(200));
    const held = new PrismaService({ databaseUrl: database.url });
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const holding = held.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe('LOCK TABLE "SeenMessage" IN ACCESS EXCLUSIVE MODE');
      publishReports(0, 200);
      await until(() => expect(simulator.living.counts.unsettled).toBe(200));
      await until(async () => expect((await running.get<Ingest>('/v1/ingest')).inHand).toBe(200));
      expect(simulator.living.counts.accepted).toBe(0);
      await released;
    });
    await until(() => expect(simulator.living.counts.unsettled).toBe(200));
    release();
    await holding;
    await held.$disconnect();
    await allAccepted(200);
    expect(await readings()).toEqual(numbers(200));
    expect(simulator.living.counts.redelivered).toBe(0);

    // and with every single message, its rows are there for everyone by then
    for (let i = 200; i < 220; i++) {
      publishReports(i, i + 1);
      await until(() => expect(simulator.living.counts.accepted).toBe(i + 1));
      expect(await readings()).toEqual(numbers(i + 1));
    }
  });
});

describe('a service that is killed in mid-stream', () => {
  it('loses nothing and doubles nothing', async () => {
    const count = 4_000;
    publishReports(0, count);
    for (const kills of [1, 2, 3]) {
      const running = await service({ AMQP_CREDIT: '50' });
      await until(() => expect(simulator.living.counts.accepted).toBeGreaterThan(kills * 400), 60_000);
      await running.end('SIGKILL');
    }
    expect(simulator.living.counts.accepted).toBeLessThan(count);
    await service();
    await allAccepted(count);
    expect(await readings()).toEqual(numbers(count));
    const { received = 0, stored = 0, duplicate = 0 } = await totals();
    expect(stored).toBe(count);
    expect(received).toBe(stored + duplicate);
  });
});

describe('a service that is told to stop in mid-stream', () => {
  it('has stored exactly what it accepted, and exits cleanly', async () => {
    const count = 5_000;
    publishReports(0, count);
    const running = await service({ AMQP_CREDIT: '100' });
    await until(() => expect(simulator.living.counts.accepted).toBeGreaterThan(500));
    expect(await running.end('SIGTERM')).toBe(0);
    const { accepted } = simulator.living.counts;
    expect(accepted).toBeLessThan(count);
    expect(await readings()).toHaveLength(accepted);
    await service();
    await allAccepted(count);
    const { late: _, ...once } = await totals(); // what was released may come after later reports, but never twice
    expect(once).toEqual({ received: count, stored: count });
  });
});

describe('two replicas', () => {
  it('share the messages of one consumer group and one database, and one may die', async () => {
    const count = 4_000;
    const { instanceId, accessKeyId, accessKeySecret, consumerGroupId } = DEMO_ENTERPRISE;
    const group = simulator.enterprise(consumerGroupId);
    const replica = (name: string): Promise<Service> =>
      service({
        AMQP_CLIENT_ID: name,
        AMQP_AUTH_MODE: 'aksign',
        AMQP_ACCESS_KEY_ID: accessKeyId,
        AMQP_ACCESS_KEY_SECRET: accessKeySecret,
        AMQP_IOT_INSTANCE_ID: instanceId,
        AMQP_CONSUMER_GROUP_ID: consumerGroupId,
        AMQP_CREDIT: '50',
      });
    const replicas = await Promise.all([replica('a'), replica('b')]);
    for (const { get } of replicas) {
      await until(async () =>
        expect((await get<Ingest>('/v1/ingest')).connections).toMatchObject([{ state: 'connected' }]),
      );
    }
    publishReports(0, count);
    await until(() => expect(group.counts.accepted).toBeGreaterThan(1_000), 60_000);
    for (const { get } of replicas) expect((await get<Ingest>('/v1/ingest')).stored).toBeGreaterThan(0);
    await replicas[0]?.end('SIGKILL');
    expect(group.counts.accepted).toBeLessThan(count);
    await until(() => expect(group.counts).toMatchObject({ accepted: count, unsettled: 0, queued: 0 }), 60_000);
    expect(await readings()).toEqual(numbers(count));
    expect((await totals())['stored']).toBe(count);
  });
});

describe('a database that goes away', () => {
  it('is waited for, at the start and later, without a restart', async () => {
    const postgres = await privatePostgres();
    try {
      const url = postgres.server().url;
      const copy = await migratedCopy(url);
      await postgres.server().stop(5_000);

      const running = await startService({
        databaseUrl: copy,
        amqpPort: simulator.plainPort ?? 0,
        env: { AMQP_CREDIT: '50' },
      });
      publishReports(0, 300);
      await until(() => expect(simulator.living.counts.unsettled).toBe(50), 60_000);
      expect(await running.status('/health/live')).toBe(200);
      expect(await running.status('/health/ready')).toBe(503);
      expect(await running.status('/v1/devices')).toBe(503);

      await postgres.start();
      await allAccepted(300);
      await until(async () => expect(await running.status('/health/ready')).toBe(200), 60_000);

      process.kill(postgres.server().pid, 'SIGKILL');
      publishReports(300, 600);
      await until(async () => expect(await running.status('/health/ready')).toBe(503), 60_000);
      await postgres.start();
      await allAccepted(600);
      const client = new PrismaService({ databaseUrl: copy });
      expect(await readings(client)).toEqual(numbers(600));
      await client.$disconnect();
      expect(running.running()).toBe(true);
    } finally {
      await endServices();
      await postgres.remove();
    }
  });
});

async function migratedCopy(url: string): Promise<string> {
  const { applyMigrations, readMigrations } = await import('../../scripts/postgres/migrations.mjs');
  const { root } = await import('../../scripts/checkout.mjs');
  await applyMigrations(url, readMigrations(root));
  return sibling(url, new URL(url).pathname.slice(1));
}
