import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeMessage } from '../../src/decoding/decode-message.js';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import { ErasedFacts } from '../../src/storage/erased-facts.js';
import { ErasureKeys } from '../../src/storage/erasure-keys.js';
import { ErasureReader, type ErasureView } from '../../src/storage/erasure.reader.js';
import { ErasureWriter } from '../../src/storage/erasure.writer.js';
import { DeviceEventWriter } from '../../src/storage/device-event.writer.js';
import { ReplayJobWriter } from '../../src/storage/replay-job.writer.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import type { UserReference } from '../../src/storage/user-windows.js';
import { aBinding, after, anEvent } from '../support/api.js';
import { aMessage, NOON } from '../support/messages.js';
import { until } from '../support/until.js';
import { decodedAs, openStore, refusedAs, type TestStore } from '../support/writer.js';

const LOCK = { productKey: 'a1Erase', deviceName: 'lock-1' };
const later = (seconds: number): Date => new Date(Date.now() + 3_600_000 + seconds * 1000);

let serial = 0;
/** An identity as the platform makes them, of nobody else. */
const someone = (): string => `50ebop9d7384xyz${String(++serial).padStart(6, '0')}`;

describe('a user who asked to be forgotten', () => {
  let store: TestStore;
  let erasures: ErasureWriter;

  beforeAll(async () => {
    store = await openStore();
    erasures = new ErasureWriter(store.prisma, new ErasureKeys({}));
  });
  afterAll(() => store.close());

  const finish = async (by: ErasureWriter = erasures): Promise<void> => {
    while ((await by.advance()) === 'stepped');
  };
  const erase = async (user: UserReference | string): Promise<ErasureView> => {
    const id = await erasures.add(typeof user === 'string' ? { identityId: user } : user);
    await finish();
    return receiptOf(id);
  };
  const receiptOf = async (id: string): Promise<ErasureView> => {
    const receipt = await new ErasureReader(new Snapshots(store.prisma)).find(id);
    return receipt ?? Promise.reject(new Error('no such receipt'));
  };

  const TABLES = [
    'Device',
    'DeviceTag',
    'UserBinding',
    'EventLog',
    'SetAsideMessage',
    'SetAsideReplay',
    'ErasureKey',
    'ErasedIdentity',
    'ErasedUnbinding',
    'Erasure',
  ];
  /** The rows, of whatever table, that name somebody in any way. */
  const naming = async (name: string): Promise<string[]> => {
    const rows = await store.prisma.$queryRawUnsafe<{ row: string }[]>(
      TABLES.map((table) => `SELECT '${table} ' || t::text AS row FROM "${table}" t`).join(' UNION ALL ') +
        ' ORDER BY 1',
    );
    const hex = Buffer.from(name).toString('hex');
    return rows.map(({ row }) => row).filter((row) => row.includes(name) || row.includes(hex));
  };
  const factsOf = (identityId: string) =>
    store.prisma.userBinding.findMany({
      where: { identityId },
      orderBy: { at: 'asc' },
      select: { at: true, bound: true, from: true, until: true },
    });
  const write = (...messages: readonly DecodedMessage[]) => store.writer.write(messages);
  const poison = (text: string, sentAt: Date | null = new Date(NOON)): DecodedMessage =>
    refusedAs(
      { reason: 'not-json', detail: `no JSON: ${text}` },
      { sentAt, raw: aMessage({ body: `{"who":"${text}"`, properties: { who: text }, topic: `/x/${text}` }) },
    );
  /** Everything in which a name may stand. */
  const traces = (name: string): DecodedMessage[] => [
    decodedAs([aBinding(LOCK, name, true, after(1))]),
    decodedAs([aBinding(LOCK, name, false, after(2))]),
    decodedAs([aBinding(LOCK, name, true, after(3), false)]),
    decodedAs([anEvent(LOCK, 'Opened', after(4), { value: `{"by": "${name}"}` })]),
    decodedAs([
      {
        kind: 'custom-message-received',
        device: LOCK,
        at: after(5),
        topic: '/a/b/user/x',
        encoding: 'text',
        value: JSON.stringify(`hello ${name}!`),
      },
    ]),
    decodedAs([
      {
        kind: 'custom-message-received',
        device: LOCK,
        at: after(6),
        topic: '/a/b/user/x',
        encoding: 'base64',
        value: JSON.stringify(Buffer.from(`\xff${name}`, 'latin1').toString('base64')),
      },
    ]),
    poison(name),
    poison(`\\u0035${name.slice(1)}`),
  ];

  it('is gone from every table, and the receipt says how much there was', async () => {
    const [anna, bert] = [someone(), someone()];
    await write(...traces(anna), ...traces(bert));
    const before = await naming(bert);
    expect(await naming(anna)).toHaveLength(before.length);

    const receipt = await erase(anna);
    expect(await naming(anna)).toEqual([]);
    expect(await naming(bert)).toEqual(before);
    expect(receipt).toMatchObject({
      state: 'done',
      removed: { UserBinding: 3, EventLog: 6 },
      blanked: { SetAsideMessage: 2, SetAsideReplay: 0 },
      waitingFor: [],
    });
    expect(receipt.subject).toMatch(/^[0-9a-f]{64}$/);
    expect(receipt.finishedAt).not.toBeNull();
  });

  it('leaves the rest of a set-aside message as it was', async () => {
    const anna = someone();
    const raw = aMessage({ body: `{"identityInfos":[{"identityId":"${anna}"},{"identityId":"bert"}]` });
    const message = refusedAs({ reason: 'not-json', detail: '' }, { raw });
    await write(message);
    await erase(anna);
    const kept = await store.setAside.load(message.key);
    expect(kept?.body.toString()).toBe('{"identityInfos":[{"identityId":""},{"identityId":"bert"}]');
  });

  it('does not come back, whatever is told once more', async () => {
    const anna = someone();
    await erase(anna);
    expect(await write(...traces(anna))).toEqual([...Array<string>(6).fill('stored'), 'set-aside', 'set-aside']);
    expect(await naming(anna)).toEqual([]);
  });

  it('does not come back out of a set-aside message that was replayed', async () => {
    const anna = someone();
    const raw = aMessage({
      topic: `/${LOCK.productKey}/${LOCK.deviceName}/thing/awss/enduser/bind`,
      body: { ...LOCK, bind: true, messageCreateTime: NOON, identityInfos: [{ identityId: anna, owned: 1 }] },
    });
    await write({ ...refusedAs({ reason: 'invalid-body', detail: '' }, { raw }) });
    await erase(anna);
    const jobs = new ReplayJobWriter(store.prisma, store.partitions);
    await jobs.add({ from: null, to: null });
    const decode = (_: string, kept: typeof raw) => Promise.resolve(decodeMessage(kept, { bodyIdentity: 'topic' }));
    for (let step = await jobs.advance(decode, 100); step.state === 'stepped';) step = await jobs.advance(decode, 100);
    expect(await naming(anna)).toEqual([]);
  });

  it('is a user like any other who binds a device afterwards', async () => {
    const anna = someone();
    await write(decodedAs([aBinding(LOCK, anna, true, after(1))]));
    await erase(anna);
    await write(decodedAs([aBinding(LOCK, anna, true, after(1)), aBinding(LOCK, anna, true, later(1))]));
    expect(await factsOf(anna)).toMatchObject([{ bound: true, until: null }]);
    await erase(someone());
    expect(await factsOf(anna)).toHaveLength(1);
  });

  it.each([[['bind', 'unbind']], [['unbind', 'bind']]])('has the same bindings in the order %j', async (order) => {
    const anna = someone();
    await erase(anna);
    const facts = { bind: aBinding(LOCK, anna, true, later(5)), unbind: aBinding(LOCK, anna, false, later(9)) };
    for (const which of order) await write(decodedAs([facts[which as 'bind' | 'unbind']]));
    expect(await factsOf(anna)).toMatchObject([
      { bound: true, from: facts.bind.at, until: facts.unbind.at },
      { bound: false, from: null, until: null },
    ]);
    expect(await store.prisma.eventLog.count({ where: { identifier: anna } })).toBe(2);
  });

  it('is not named again by an unbind alone, which is what follows when an account is closed', async () => {
    const anna = someone();
    await write(decodedAs([aBinding(LOCK, anna, true, after(1))]));
    await erase(anna);
    await write(decodedAs([aBinding(LOCK, anna, false, later(1))]));
    expect(await naming(anna)).toEqual([]);
    expect(await store.prisma.erasedUnbinding.count()).toBeGreaterThan(0);
  });

  it('is erased in one tenant only where that is asked for', async () => {
    const anna = someone();
    const inTenant = (tenantId: string) => ({
      ...aBinding(LOCK, anna, true, after(1)),
      user: { identityId: anna, scopeId: 's', tenantId },
    });
    const both = () => [decodedAs([inTenant('tenant-a')]), decodedAs([inTenant('tenant-b')])];
    await write(...both());
    expect(await erase({ identityId: anna, tenantId: 'tenant-a' })).toMatchObject({
      removed: { UserBinding: 1, EventLog: 1 },
    });
    await write(...both());
    expect(await store.prisma.userBinding.findMany({ where: { identityId: anna } })).toMatchObject([
      { tenantId: 'tenant-b' },
    ]);
    expect(await store.prisma.eventLog.count({ where: { identifier: anna } })).toBe(1);
  });

  it('is not written by a transaction that was begun before the erasure and commits after it was asked for', async () => {
    const anna = someone();
    let asked = false;
    let answered = false;
    let asking: Promise<string> | undefined;
    class Slow extends ErasedFacts {
      override async leftOut(...given: Parameters<ErasedFacts['leftOut']>) {
        const plan = await super.leftOut(...given);
        asking = erasures.add({ identityId: anna });
        void asking.then(() => (answered = true));
        asked = true;
        await until(async () => {
          const [row] = await store.prisma.$queryRawUnsafe<{ waiting: number }[]>(
            `SELECT count(*)::int AS waiting FROM pg_locks l JOIN pg_database d ON d.oid = l.database
             WHERE NOT l.granted AND l.locktype = 'advisory' AND d.datname = current_database()`,
          );
          expect(row?.waiting).toBeGreaterThan(0);
        });
        expect(answered).toBe(false);
        return plan;
      }
    }
    const slow = new DeviceEventWriter(
      store.prisma,
      store.partitions,
      { replica: 'slow', dedupeDays: 8 },
      undefined,
      undefined,
      new Slow(new ErasureKeys({})),
    );
    await slow.write([decodedAs([aBinding(LOCK, anna, true, after(1))])]);
    expect(asked).toBe(true);
    await asking;
    await finish();
    await write(decodedAs([aBinding(LOCK, anna, true, after(1))]));
    expect(await naming(anna)).toEqual([]);
  });

  it('goes on being erased by another replica when one is killed in the middle', async () => {
    const anna = someone();
    await write(...traces(anna));
    const id = await erasures.add({ identityId: anna });
    await erasures.advance();
    expect(await receiptOf(id)).toMatchObject({ state: 'running', finishedAt: null });
    await finish(new ErasureWriter(store.prisma, new ErasureKeys({})));
    expect(await naming(anna)).toEqual([]);
    expect(await receiptOf(id)).toMatchObject({ state: 'done', removed: { UserBinding: 3 } });
  });

  it('may be in the spool of a replica, for which the receipt waits', async () => {
    const anna = someone();
    const spool = '11111111-1111-4111-8111-111111111111';
    const beat = (spooled: number) =>
      store.prisma.$executeRawUnsafe(
        `INSERT INTO "IngestReplica" VALUES ('worker-a', $1::uuid, 'v', now(), clock_timestamp(), FALSE, 0, $1::uuid, ${spooled}, 0)
         ON CONFLICT ("replica", "run") DO UPDATE SET "spooled" = ${spooled}, "heartbeatAt" = clock_timestamp()`,
        spool,
      );
    await beat(3);
    const id = await erasures.add({ identityId: anna });
    await finish();
    expect(await receiptOf(id)).toMatchObject({ state: 'spools', waitingFor: ['worker-a'], finishedAt: null });
    expect(await naming(anna)).toEqual([]);
    await beat(0);
    await finish();
    expect(await receiptOf(id)).toMatchObject({ state: 'done', waitingFor: [] });
    await store.prisma.ingestReplica.deleteMany();
  });

  it('is known again only with the key under which the erasure was', async () => {
    const anna = someone();
    const key = 'a-key-of-our-own-with-32-characters';
    const keyed = new ErasureWriter(store.prisma, new ErasureKeys({ erasureKey: key }));
    const id = await keyed.add({ identityId: anna });
    await finish(keyed);
    expect(await naming(key)).toEqual([]);
    const writerWith = (erasureKey: string): DeviceEventWriter =>
      new DeviceEventWriter(
        store.prisma,
        store.partitions,
        { replica: 'x', dedupeDays: 8 },
        undefined,
        undefined,
        new ErasedFacts(new ErasureKeys({ erasureKey })),
      );
    const told = () => [decodedAs([aBinding(LOCK, anna, true, after(1))])];
    await writerWith(`a-newer-key-with-many-characters-in-it,${key}`).write(told());
    expect(await naming(anna)).toEqual([]);
    await expect(writerWith('another-key-that-nobody-here-knows-of').write(told())).rejects.toThrow(
      /ERASURE_KEY does not have/,
    );
    expect((await receiptOf(id)).state).toBe('done');
  });
});
