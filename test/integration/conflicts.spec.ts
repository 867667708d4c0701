import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import { SinkUnavailable } from '../../src/domain/event-sink.js';
import { DeviceEventWriter, TRIES } from '../../src/storage/device-event.writer.js';
import { PrismaService, type Transaction } from '../../src/storage/prisma.service.js';
import { NOON } from '../support/messages.js';
import { until } from '../support/until.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';

/** Nobody but the detector ends a wait here, however slow the machine. */
const LONG = { statementMs: 100_000, lockMs: 100_000, transactionMs: 100_000 };

/** Counts transactions. */
class Counting extends PrismaService {
  transactions = 0;

  override async inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.transactions += 1;
    return super.inTransaction(work);
  }
}

let store: TestStore;
let url: string;
let prisma: Counting;
let writer: DeviceEventWriter;
const others: pg.Client[] = [];

beforeEach(async () => {
  store = await openStore((databaseUrl) => {
    url = databaseUrl;
    return {};
  });
  await store.writer.write([versionsOf('a', 'b', 'c')]);
  await store.prisma.ingestCount.deleteMany();
});

afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.end()));
  await prisma.$disconnect();
  await store.close();
});

function aWriter(): void {
  prisma = new Counting({ databaseUrl: url, patience: LONG });
  writer = new DeviceEventWriter(prisma, store.partitions, { replica: 'test', dedupeDays: 8 });
}

/** A message of several devices, which are locked in the order of their ids: `a` before `b` before `c`. */
function versionsOf(...names: readonly string[]): DecodedMessage {
  return decodedAs(
    names.map((deviceName) => {
      return { kind: 'version-reported', device: { productKey: 'pk', deviceName }, at: new Date(NOON), value: '{}' };
    }),
  );
}

/** Somebody else with a transaction open. */
async function another(...before: readonly string[]): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  others.push(client);
  for (const sql of [...before, 'BEGIN']) await client.query(sql);
  return client;
}

const lock = (name: string): string => `SELECT 1 FROM "Device" WHERE "deviceName" = '${name}' FOR UPDATE`;

async function untilWaiting(many: number): Promise<void> {
  await until(async () => {
    const [row] = await store.prisma.$queryRawUnsafe<{ waiting: number }[]>(
      `SELECT count(*)::int AS "waiting" FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    expect(row?.waiting).toBe(many);
  });
}

async function counted(): Promise<(string | bigint)[][]> {
  const rows = await store.prisma.ingestCount.findMany({ orderBy: { outcome: 'asc' } });
  return rows.map(({ outcome, count }) => [outcome, count]);
}

const ONE_STORED = [
  ['received', 1n],
  ['stored', 1n],
];

describe('two writers in each other’s way', () => {
  it('both go on when one of them ends a deadlock by beginning again (40P01)', async () => {
    aWriter();
    const between = await another();
    await between.query(lock('b'));
    // this one never looks for deadlocks itself, so that the writer is the one who does
    const backwards = await another(`SET deadlock_timeout = '10min'`);
    await backwards.query(lock('c'));
    const written = writer.write([versionsOf('a', 'b', 'c')]);
    await untilWaiting(1); // has `a`, waits for `b`
    const crossing = backwards.query(lock('a'));
    await untilWaiting(2);
    await between.query('COMMIT'); // the writer goes on to `c`, and the circle closes
    await crossing;
    await backwards.query('COMMIT');

    expect(await written).toEqual(['stored']);
    expect(prisma.transactions).toBe(2);
    expect(await counted()).toEqual(ONE_STORED);
  });

  it('both go on where the database was told to be stricter than it must (40001)', async () => {
    const name = new URL(url).pathname.slice(1);
    await store.prisma.$executeRawUnsafe(
      `ALTER DATABASE ${name} SET default_transaction_isolation = 'repeatable read'`,
    );
    aWriter();
    const other = await another();
    await other.query(`UPDATE "Device" SET "iotId" = 'other' WHERE "deviceName" = 'a'`);
    const written = writer.write([versionsOf('a')]);
    await untilWaiting(1);
    await other.query('COMMIT');

    expect(await written).toEqual(['stored']);
    expect(prisma.transactions).toBe(2);
    expect(await counted()).toEqual(ONE_STORED);
  });

  it('are held for a while when it never ends, and no message is to blame', async () => {
    await store.prisma.$executeRawUnsafe(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'never' USING ERRCODE = '40001'; END $$`,
    );
    await store.prisma.$executeRawUnsafe(
      `CREATE TRIGGER refuse BEFORE INSERT ON "IngestCount" FOR EACH ROW EXECUTE FUNCTION refuse()`,
    );
    aWriter();
    await expect(writer.write([versionsOf('a')])).rejects.toThrow(SinkUnavailable);
    expect(prisma.transactions).toBe(TRIES);
    expect(await counted()).toEqual([]);
  });
});
