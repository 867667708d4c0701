import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SinkUnavailable } from '../../src/domain/event-sink.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { QuestionTooLarge, Snapshots } from '../../src/storage/snapshots.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';

describe('a look at the database', () => {
  let database: TestDatabase;
  let prisma: PrismaService;
  let snapshots: Snapshots;

  beforeAll(async () => {
    database = await freshDatabase();
    prisma = new PrismaService({ databaseUrl: database.url });
    snapshots = new Snapshots(prisma);
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await database.drop();
  });

  const COUNT = 'SELECT count(*)::int AS count FROM "Device"';
  const INSERT = `INSERT INTO "Device" ("productKey", "deviceName") VALUES ('a', gen_random_uuid())`;

  it('sees one moment, whatever is written meanwhile', async () => {
    const [before, after] = await snapshots.read(async (query) => {
      const first = await query<{ count: number }>(COUNT);
      await prisma.$executeRawUnsafe(INSERT);
      return [first, await query<{ count: number }>(COUNT)];
    });
    expect(after).toEqual(before);
    expect(await snapshots.read((query) => query(COUNT))).not.toEqual(before);
  });

  it('cannot change anything', async () => {
    await expect(snapshots.read((query) => query(INSERT))).rejects.toThrow(/read-only/);
  });

  it('ends a question that takes too long', async () => {
    const question = snapshots.read((query) => query('SELECT pg_sleep(60)::text'), { timeoutMs: 500 });
    await expect(question).rejects.toBeInstanceOf(QuestionTooLarge);
  });

  it('leaves connections to the ingest, and turns away a crowd', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let running = 0;
    const look = () =>
      snapshots.read(async () => {
        running += 1;
        await gate;
      });
    const crowd = Array.from({ length: 204 }, look);
    await expect(look()).rejects.toBeInstanceOf(SinkUnavailable);
    await snapshots.read((query) => query(COUNT), { urgent: true });
    expect(running).toBeLessThanOrEqual(4);
    open();
    await Promise.all(crowd);
    expect(running).toBe(204);
  });

  it('passes our own mistakes on as they are', async () => {
    const mistake = snapshots.read((query) => query('SELECT * FROM "NoSuchTable"'));
    await expect(mistake).rejects.not.toBeInstanceOf(SinkUnavailable);
    await expect(mistake).rejects.toThrow(/NoSuchTable/);
  });
});
