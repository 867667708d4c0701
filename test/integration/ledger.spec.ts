import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import type { ReplicaState } from '../../src/domain/replica-board.js';
import { LedgerReader } from '../../src/storage/ledger.reader.js';
import { ReplicaBoardWriter } from '../../src/storage/replica-board.writer.js';
import { ReplicaReader } from '../../src/storage/replica.reader.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { SpoolPositionReader } from '../../src/storage/spool-position.reader.js';
import { aMessage, NOON } from '../support/messages.js';
import { until } from '../support/until.js';
import { decodedAs, openStore, refusedAs, type TestStore } from '../support/writer.js';

/** What is counted in the database, in the transactions of the messages themselves. */

let store: TestStore;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

let devices = 0;
const MINUTE = 60_000;

/** A message that tells one value of each property, at this many seconds after noon. */
function reports(device: string, second: number, ...identifiers: string[]): DecodedMessage {
  const key = { productKey: 'ledger', deviceName: device };
  const at = new Date(NOON + second * 1000);
  const value = { kind: 'number', text: String(second) } as const;
  const readings = identifiers.map((identifier) => ({ identifier, value, at }));
  const event: DeviceEvent = { kind: 'properties-reported', device: key, at, readings };
  return decodedAs([event]);
}

async function counted(replica: string): Promise<Record<string, number>> {
  const rows = await store.prisma.ingestCount.groupBy({ by: ['outcome'], where: { replica }, _sum: { count: true } });
  return Object.fromEntries(rows.map(({ outcome, _sum }) => [outcome, Number(_sum.count)]));
}

describe('shares of what was stored', () => {
  it('late are messages of which nothing became the current value', async () => {
    const writer = store.writerWith({ replica: 'late' });
    const device = `d${++devices}`;
    await writer.write([reports(device, 10, 'p', 'q')]);
    expect(await counted('late')).toEqual({ received: 1, stored: 1 });
    await writer.write([
      reports(device, 5, 'p'), // older in all it tells
      reports(device, 6, 'p', 'q'),
      decodedAs([]), // tells no value
      reports(`d${++devices}`, 1, 'p'), // the first of its series
    ]);
    expect(await counted('late')).toMatchObject({ received: 5, stored: 5, late: 2 });
    await writer.write([reports(device, 7, 'p', 'new')]);
    expect(await counted('late')).toMatchObject({ stored: 6, late: 2 });
    await writer.write([reports(device, 20, 'p'), reports(device, 10, 'q')]);
    expect(await counted('late')).toMatchObject({ stored: 8, late: 2 });
  });

  it('id-reused are messages with the id of another, in the same batch or a later one', async () => {
    const writer = store.writerWith({ replica: 'reused' });
    const of = (id: string, rest: string): string => id.repeat(16) + rest.repeat(16);
    const [first, again, other] = ['0', '1', '2'].map((rest) => decodedAs([], { key: of('a', rest) }));
    await writer.write([first!, again!, decodedAs([], { key: of('b', '0') })]);
    expect(await counted('reused')).toEqual({ received: 3, stored: 3, 'id-reused': 1 });
    await writer.write([other!, first!]);
    expect(await counted('reused')).toMatchObject({ stored: 4, duplicate: 1, 'id-reused': 2 });
    const nameless = aMessage({ body: '{}', messageId: null });
    await writer.write([decodedAs([], { key: of('c', '0'), raw: nameless })]);
    await writer.write([decodedAs([], { key: of('c', '1'), raw: nameless })]);
    expect(await counted('reused')).toMatchObject({ 'id-reused': 2 });
  });

  it('redelivered are duplicates, and what the transport says so of', async () => {
    const writer = store.writerWith({ replica: 'again' });
    const message = decodedAs([]);
    const told = decodedAs([], { raw: { ...aMessage({ body: '{}' }), redelivered: true } });
    await writer.write([message, message, told]);
    expect(await counted('again')).toEqual({ received: 3, stored: 2, duplicate: 1, redelivered: 2 });
  });
});

describe('what is noted with a batch', () => {
  it('is what the transports counted, whatever the store makes of it', async () => {
    const writer = store.writerWith({ replica: 'noted' });
    await writer.write([decodedAs([])], { received: [{ transport: 'amqp', minute: NOON, count: 7 }] });
    expect(await counted('noted')).toEqual({ received: 7, stored: 1 });
  });

  it('has a batch counted once, though the answer to its commit was lost', async () => {
    const writer = store.writerWith({ replica: 'unheard' });
    const batch = [decodedAs([]), refusedAs({ reason: 'not-json', detail: '' }), decodedAs([])];
    batch.push(batch[0]!);
    const note = (ticket: { batch: string; slot: number; again: boolean }) => ({
      received: [{ transport: 'amqp', minute: NOON, count: batch.length }],
      ticket,
    });
    const ticket = { batch: randomUUID(), slot: 0, again: false };
    const outcomes = await writer.write(batch, note(ticket));
    expect(outcomes).toEqual(['stored', 'set-aside', 'stored', 'duplicate']);
    const once = await counted('unheard');
    expect(await writer.write(batch, note({ ...ticket, again: true }))).toEqual(outcomes);
    expect(await counted('unheard')).toEqual(once);

    // Not the same batch, not the same slot, not the same process: these are deliveries of their own.
    const again = ['duplicate', 'duplicate', 'duplicate', 'duplicate'];
    expect(await writer.write(batch, note({ ...ticket, slot: 1, again: true }))).toEqual(again);
    expect(await writer.write(batch, note({ batch: randomUUID(), slot: 0, again: true }))).toEqual(again);
    expect(await store.writerWith({ replica: 'unheard' }).write(batch, note({ ...ticket, again: true }))).toEqual(
      again,
    );
    expect(await counted('unheard')).toMatchObject({ received: 16, stored: 2, duplicate: 13 });
  });

  it('has a batch counted once that is committed while it is tried again', async () => {
    const writer = store.writerWith({ replica: 'overtaken' });
    const message = decodedAs([]);
    const ticket = { batch: randomUUID(), slot: 0 };
    const write = (again: boolean): Promise<readonly string[]> =>
      writer.write([message], {
        received: [{ transport: 'amqp', minute: NOON, count: 1 }],
        ticket: { ...ticket, again },
      });
    const waiting = async (count: number): Promise<void> => {
      const locks = `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted`;
      const [row] = await store.prisma.$queryRawUnsafe<{ n: number }[]>(locks);
      expect(row?.n).toBeGreaterThanOrEqual(count);
    };
    const tries: Promise<readonly string[]>[] = [];
    await store.prisma.inTransaction(async (tx) => {
      await tx.$executeRawUnsafe('LOCK TABLE "IngestCount" IN EXCLUSIVE MODE');
      tries.push(write(false)); // has written its keys, and waits for the counts
      await until(() => waiting(1));
      tries.push(write(true)); // waits for the first one's key
      await until(() => waiting(2));
    });
    expect(await Promise.all(tries)).toEqual([['stored'], ['stored']]);
    expect(await counted('overtaken')).toEqual({ received: 1, stored: 1 });
  });

  it('is how far a spool has come, in the same transaction', async () => {
    const positions = new SpoolPositionReader(store.prisma);
    const spool = randomUUID();
    expect(await positions.of(spool)).toBe(0);
    const note = (position: number) => ({ received: [], spooledUpTo: { spool, position } });
    const writer = store.writerWith({ replica: 'spooler' });
    await writer.write([decodedAs([])], note(5));
    expect(await positions.of(spool)).toBe(5);
    expect(await counted('spooler')).toEqual({ stored: 1, spooled: 1 });
    const condemned = decodedAs([
      { kind: 'version-reported', device: { productKey: 'a', deviceName: '\0' }, at: new Date(NOON), value: '{}' },
    ]);
    await expect(writer.write([condemned], note(9))).rejects.toThrow();
    expect(await positions.of(spool)).toBe(5);
    await writer.write([decodedAs([])], note(3)); // never backwards
    expect(await positions.of(spool)).toBe(5);
  });
});

describe('the ledger', () => {
  const at = (minute: number, hour = 0): { raw: DecodedMessage['raw'] } => ({
    raw: aMessage({ body: '{}', receivedAt: new Date(Date.UTC(2024, 0, 1, hour, minute, 30)) }),
  });

  it('tells what became of what was received in each minute, hour or day, and pages through them', async () => {
    const a = store.writerWith({ replica: 'page-a' });
    const b = store.writerWith({ replica: 'page-b' });
    for (const minute of [0, 1, 2, 59]) await a.write([decodedAs([], at(minute))]);
    await b.write([decodedAs([], at(1)), refusedAs({ reason: 'not-json', detail: '' }, at(1))]);
    await a.write([decodedAs([], at(5, 30))]);
    const ledger = new LedgerReader(new Snapshots(store.prisma));
    const range = { from: new Date(Date.UTC(2024, 0, 1)), to: new Date(Date.UTC(2024, 1, 1)) };

    for (const order of ['asc', 'desc'] as const) {
      for (const limit of [1, 2, 1000]) {
        const from: string[] = [];
        for (let after: string | null = null, more = true; more;) {
          const page = await ledger.periods('minute', {}, { ...range, order }, { limit, after });
          from.push(...page.items.map((item) => item.from.slice(5, 16)));
          [after, more] = [page.next?.[0] ?? null, page.next !== null];
        }
        const all = ['01-01T00:00', '01-01T00:01', '01-01T00:02', '01-01T00:59', '01-02T06:05'];
        expect(from).toEqual(order === 'asc' ? all : all.reverse());
      }
    }
    const hours = await ledger.periods('hour', {}, { ...range, order: 'asc' }, { limit: 100, after: null });
    expect(hours.items).toMatchObject([
      {
        from: '2024-01-01T00:00:00.000Z',
        received: 6,
        stored: 5,
        setAside: 1,
        setAsideReasons: { 'not-json': 1 },
        parts: [
          { transport: 'amqp', replica: 'page-a', stored: 4 },
          { transport: 'amqp', replica: 'page-b', received: 2, stored: 1, setAside: 1 },
        ],
      },
      { from: '2024-01-02T06:00:00.000Z', stored: 1 },
    ]);
    const ofB = await ledger.periods(
      'day',
      { replica: 'page-b' },
      { ...range, order: 'asc' },
      { limit: 9, after: null },
    );
    expect(ofB.items).toMatchObject([{ received: 2, parts: [{ replica: 'page-b' }] }]);
    expect(await ledger.between(range)).toMatchObject({ received: 7, stored: 6, setAside: 1 });
    expect(await ledger.between({ ...range, to: new Date(Date.UTC(2024, 0, 1, 0, 1)) })).toMatchObject({ received: 1 });
  });

  it('sees in its totals what a spool brought of a minute long past', async () => {
    const ledger = new LedgerReader(new Snapshots(store.prisma));
    const now = new Date(NOON + 600 * MINUTE);
    const { stored } = await ledger.totals(now);
    const old = decodedAs([], at(7));
    const received = [{ transport: 'amqp', minute: Date.UTC(2024, 0, 1, 0, 7), count: 1 }];
    await store.writer.write([old], { received, spooledUpTo: { spool: randomUUID(), position: 1 } });
    expect((await ledger.totals(now)).stored).toBe(stored + 1);
  });
});

describe('the board of replicas', () => {
  const state = (given: Partial<ReplicaState> = {}): ReplicaState => ({
    inHand: 0,
    spool: null,
    stopped: false,
    ...given,
  });

  it('names each process with what it holds, and whether the count of all of them adds up', async () => {
    const board = new ReplicaBoardWriter(store.prisma, { replica: 'board-a' });
    const replicas = new ReplicaReader(new Snapshots(store.prisma));
    const spool = { id: randomUUID(), messages: 12, bytes: 3_000 };
    expect(await board.beat(state({ inHand: 4, spool }))).toBe(0);
    const own = async () => (await replicas.all()).filter(({ replica }) => replica === 'board-a');
    expect(await own()).toMatchObject([{ state: 'running', inHand: 4, spooled: 12, spoolBytes: 3_000 }]);
    await store.prisma.ingestReplica.updateMany({ data: { heartbeatAt: new Date(Date.now() - 60_000) } });
    expect(await own()).toMatchObject([{ state: 'gone' }]);

    const next = new ReplicaBoardWriter(store.prisma, { replica: 'board-a' }); // started again, on the same disk
    await next.beat(state({ spool: { ...spool, messages: 2 } }));
    expect(await own()).toMatchObject([{ state: 'running', spooled: 2 }]);
    await next.beat(state({ stopped: true }));
    expect(await own()).toMatchObject([{ state: 'stopped', inHand: 0 }]);
  });

  it('forgets who is gone for an hour, but not whose spool is not empty, or may not be', async () => {
    const [empty, full] = ['gone-empty', 'gone-full'].map(
      (replica) => new ReplicaBoardWriter(store.prisma, { replica }),
    );
    await empty!.beat(state());
    await full!.beat(state({ spool: { id: randomUUID(), messages: 1, bytes: 9 } }));
    await store.prisma.ingestReplica.updateMany({ data: { heartbeatAt: new Date(Date.now() - 2 * 3_600_000) } });
    await new ReplicaBoardWriter(store.prisma, { replica: 'other' }).beat(state());
    const silent = new ReplicaBoardWriter(store.prisma, { replica: 'gone-silent' });
    await silent.beat(state({ spool: { id: randomUUID(), messages: 0, bytes: 28 } }));
    await store.prisma.ingestReplica.updateMany({
      where: { replica: 'gone-silent' },
      data: { heartbeatAt: new Date(Date.now() - 2 * 3_600_000) },
    });
    await new ReplicaBoardWriter(store.prisma, { replica: 'another' }).beat(state());
    const told = await new ReplicaReader(new Snapshots(store.prisma)).all();
    expect(told).toContainEqual(expect.objectContaining({ replica: 'gone-silent', state: 'gone', spooled: null }));
    const names = (await new ReplicaReader(new Snapshots(store.prisma)).all()).map(({ replica }) => replica);
    expect(names).toContain('gone-full');
    expect(names).not.toContain('gone-empty');
  });

  it('says by how much the count is off', async () => {
    const minute = new Date(Math.floor(Date.now() / MINUTE) * MINUTE);
    const count = { minute, transport: 'amqp', replica: 'off', count: 3n };
    await store.prisma.ingestCount.create({ data: { ...count, outcome: 'received' } });
    const board = new ReplicaBoardWriter(store.prisma, { replica: 'off' });
    expect(await board.beat(state())).toBe(3);
    await store.prisma.ingestCount.create({ data: { ...count, outcome: 'set-aside:not-json' } });
    await store.prisma.ingestCount.create({ data: { ...count, outcome: 'late' } });
    expect(await board.beat(state())).toBe(0);
  });
});
