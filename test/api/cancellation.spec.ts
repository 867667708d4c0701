import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Abandoned, askedBy } from '../../src/storage/asker.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { aNumber, aReading, startApi, type TestApi } from '../support/api.js';
import { until } from '../support/until.js';

const DEVICE = { productKey: 'a1', deviceName: 'one' };

/** A question that takes as long as the test wants it to: a lock is held until then. */
const SLOW = '/v1/devices/a1:one/readings';

describe('a request whose caller goes away', () => {
  let api: TestApi;
  let prisma: PrismaService;

  beforeAll(async () => {
    api = await startApi();
    prisma = new PrismaService({ databaseUrl: api.databaseUrl });
    await api.happened(aReading(DEVICE, 'Total', aNumber('1')));
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await api.close();
  });
  let letGo: () => Promise<void> = () => Promise.resolve();
  afterEach(() => letGo());

  /** Holds the table of readings, so that every question about it waits. */
  async function holdReadings(): Promise<void> {
    let free: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (free = resolve));
    let done: Promise<unknown> = Promise.resolve();
    await new Promise<void>((locked, failed) => {
      done = prisma
        .$transaction(
          async (tx) => {
            await tx.$executeRawUnsafe('LOCK TABLE "DeviceProperty" IN ACCESS EXCLUSIVE MODE');
            locked();
            await held;
          },
          { timeout: 60_000 },
        )
        .catch(failed);
    });
    letGo = async () => {
      free();
      await done;
      letGo = () => Promise.resolve();
    };
  }

  /** Only of questions: what the service does by the way may wait for the table, too. */
  const waiting = async (): Promise<number> => {
    const [row] = await prisma.$queryRawUnsafe<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock'
         AND query LIKE 'SELECT p."id", p."deviceId", p."identifier"%'`,
    );
    return row?.count ?? -1;
  };
  const waits = (count: number) => until(async () => expect(await waiting()).toBe(count));

  it('has its query cancelled in the database, at once', async () => {
    await holdReadings();
    const caller = new AbortController();
    const asked = fetch(api.url + SLOW, { signal: caller.signal });
    await waits(1);
    caller.abort();
    await expect(asked).rejects.toThrow();
    await waits(0); // although the table is still held
  });

  it('leaves its turn to others, and those who wait for theirs are forgotten', async () => {
    await holdReadings();
    const crowd = Array.from({ length: 12 }, () => new AbortController());
    const asked = crowd.map(({ signal }) => fetch(api.url + SLOW, { signal }).catch(() => 'gone'));
    await waits(4);
    const other = fetch(`${api.url}/v1/devices/a1:one/status`);
    for (const caller of crowd) caller.abort();
    expect((await other).status).toBe(200); // while the table is still held
    expect(await Promise.all(asked)).toEqual(crowd.map(() => 'gone'));
    await waits(0);
  });

  it('has the page of its list cancelled, too', async () => {
    await holdReadings();
    const caller = new AbortController();
    const asked = fetch(api.url + SLOW, { signal: caller.signal, headers: { accept: 'text/csv' } });
    await waits(1);
    caller.abort();
    await expect(asked).rejects.toThrow();
    await waits(0);
  });

  it('never hits the statement of another on the same connection', async () => {
    const snapshots = new Snapshots(prisma);
    const outcomes = { abandoned: 0, answered: 0 };
    /** Goes away at all sorts of moments: before, while and after its question is answered. */
    const impatient = async (round: number): Promise<void> => {
      const caller = new AbortController();
      const asker = { signal: caller.signal, origin: 'x', timeoutMs: 5_000 };
      const look = askedBy(asker, () => snapshots.read((ask) => ask(`SELECT pg_sleep(0.003)::text`)));
      for (let turn = 0; turn < (round % 20) * 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      caller.abort();
      await look.then(
        () => (outcomes.answered += 1),
        (error: unknown) => {
          expect(error).toBeInstanceOf(Abandoned);
          outcomes.abandoned += 1;
        },
      );
    };
    const patient = async (): Promise<void> => {
      for (let round = 0; round < 100; round += 1) await prisma.$queryRawUnsafe('SELECT pg_sleep(0.002)::text');
    };
    const impatientOnes = async (): Promise<void> => {
      for (let round = 0; round < 60; round += 1) await Promise.all([impatient(round), impatient(round + 7)]);
    };
    await Promise.all([patient(), patient(), patient(), patient(), patient(), patient(), impatientOnes()]);
    expect(outcomes.abandoned).toBeGreaterThan(0);
  });
});

describe('a question that takes too long', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi({ settings: { QUERY_TIMEOUT_MS: '150' } });
    await api.happened(aReading(DEVICE, 'Total', aNumber('1')));
  });
  afterAll(() => api.close());

  it('is refused after QUERY_TIMEOUT_MS with words that say how to narrow it, or to stream', async () => {
    const prisma = new PrismaService({ databaseUrl: api.databaseUrl });
    await prisma.$transaction(async (tx) => {
      await tx.$executeRawUnsafe('LOCK TABLE "DeviceProperty" IN ACCESS EXCLUSIVE MODE');
      const reply = await api.get(SLOW);
      expect(reply).toMatchObject({
        status: 504,
        type: 'application/problem+json; charset=utf-8',
        body: { type: 'urn:living-mirror:problem:question-too-large' },
      });
      expect(reply.body['detail']).toMatch(/range.*limit.*text\/csv/);
    });
    await prisma.$disconnect();
  });
});
