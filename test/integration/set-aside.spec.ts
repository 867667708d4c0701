import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import { MessageCondemned } from '../../src/domain/event-sink.js';
import type { DecodeAgain, ReplayStep } from '../../src/domain/replay-jobs.js';
import { EVERY_SET_ASIDE } from '../../src/domain/set-aside-filter.js';
import { ReplayJobWriter } from '../../src/storage/replay-job.writer.js';
import { SetAsideKeeper } from '../../src/storage/set-aside.keeper.js';
import { RETENTION_LOCK } from '../../src/storage/advisory-locks.js';
import { SetAsideRemover } from '../../src/storage/set-aside.remover.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { aMessage, NOON } from '../support/messages.js';
import { mirrorRows } from '../support/mirror-rows.js';
import { decodedAs, openStore, refusedAs, type TestStore } from '../support/writer.js';

let store: TestStore;
let jobs: ReplayJobWriter;
let other: ReplayJobWriter;
beforeAll(async () => {
  Logger.overrideLogger(false);
  store = await openStore();
  jobs = new ReplayJobWriter(store.prisma, store.partitions);
  other = new ReplayJobWriter(store.prisma, store.partitions);
});
afterAll(() => store.close());

let serial = 0;

/** Messages of a reason of their own, one second apart. */
async function aside(count: number): Promise<string> {
  const reason = `reason-${++serial}`;
  const messages = Array.from({ length: count }, (_, second) =>
    refusedAs(
      { reason: reason as 'not-json', detail: 'x' },
      { raw: aMessage({ body: 'x', receivedAt: new Date(NOON + second * 1000) }) },
    ),
  );
  await store.writer.write(messages);
  return reason;
}

/** Decodes every message to one event of its own. */
const asEvent =
  (productKey: string, at = NOON): DecodeAgain =>
  async (id) =>
    Promise.resolve(
      decodedAs(
        [
          {
            kind: 'version-reported',
            device: { productKey, deviceName: 'd' },
            at: new Date(at),
            value: JSON.stringify({ id }),
          },
        ],
        { key: id },
      ),
    );
const rowsIn = async (productKey: string): Promise<number> =>
  (await mirrorRows(store.prisma, productKey)).get(productKey)?.events.length ?? 0;
const jobOf = (id: string) => store.prisma.setAsideReplay.findUniqueOrThrow({ where: { id } });

describe('a replay of many messages', () => {
  it('of two replicas at it at once does every message once', async () => {
    const id = await jobs.add({ ...EVERY_SET_ASIDE, reason: await aside(40) });
    const drive = async (replica: ReplayJobWriter): Promise<string[]> => {
      const states: string[] = [];
      for (;;) {
        const step: ReplayStep = await replica.advance(asEvent('twice-'), 3);
        states.push(step.state);
        if (step.state === 'idle') return states;
      }
    };
    const states = await Promise.all([drive(jobs), drive(other)]);
    expect(states.flat()).toContain('busy');
    expect(await jobOf(id)).toMatchObject({
      state: 'done',
      total: 40,
      stored: 40,
      duplicate: 0,
      stillRefused: 0,
      failed: 0,
    });
    expect(await rowsIn('twice-')).toBe(40);
    const attempts = await store.prisma.setAsideMessage.groupBy({ by: ['attempts'], _count: true });
    expect(attempts).toEqual([{ attempts: 1, _count: 40 }]);
  });

  it('writes nothing of a step that does not come to its end', async () => {
    const id = await jobs.add({ ...EVERY_SET_ASIDE, reason: await aside(4) });
    await jobs.advance(asEvent('half-'), 2);
    let calls = 0;
    const breaks: DecodeAgain = async (key, raw) => {
      if (++calls === 2) throw new Error('killed');
      return asEvent('half-')(key, raw);
    };
    await expect(jobs.advance(breaks, 2)).rejects.toThrow('killed');
    const condemned: DecodeAgain = async (key) => {
      const device = { productKey: 'half-', deviceName: 'd' };
      const events = [{ kind: 'version-reported', device, at: new Date(NOON), value: '"\\u0000"' } as const];
      return Promise.resolve(decodedAs(events, { key }));
    };
    await expect(jobs.advance(condemned, 2)).rejects.toThrow(MessageCondemned);
    expect(await jobOf(id)).toMatchObject({ state: 'running', stored: 2 });
    expect(await rowsIn('half-')).toBe(2);

    expect(await other.advance(asEvent('half-'), 9)).toMatchObject({ state: 'stepped', finished: true });
    expect(await jobOf(id)).toMatchObject({ state: 'done', stored: 4 });
    expect(await rowsIn('half-')).toBe(4);
  });

  it('makes the partitions that it needs', async () => {
    await jobs.add({ ...EVERY_SET_ASIDE, reason: await aside(1) });
    expect(await jobs.advance(asEvent('future-', Date.UTC(2399, 4, 1)), 5)).toMatchObject({ counts: { stored: 1 } });
    expect(await rowsIn('future-')).toBe(1);
  });

  it('notes why messages are still refused, by which version, and what was decoded by none', async () => {
    const id = await jobs.add({ ...EVERY_SET_ASIDE, reason: await aside(3) });
    const decode: DecodeAgain = async (key): Promise<DecodedMessage | null> => {
      if (++calls === 1) return Promise.resolve(null);
      const about = { kind: 'status', productKey: 'p', deviceName: 'd' };
      return Promise.resolve(refusedAs({ reason: 'too-deep', detail: `detail-${serial}` }, { key, about }));
    };
    let calls = 0;
    await jobs.advance(decode, 5);
    expect(await jobOf(id)).toMatchObject({ state: 'done', stillRefused: 2, failed: 1 });
    const where = { detail: `detail-${serial}` };
    expect(await store.prisma.setAsideMessage.findMany({ where })).toMatchObject(
      Array.from({ length: 2 }, () => ({
        reason: 'too-deep',
        kind: 'status',
        productKey: 'p',
        attempts: 1,
        replayedAt: null,
      })),
    );
  });

  it('takes no more bytes in a step than it should', async () => {
    const reason = `reason-${++serial}`;
    const body = Buffer.alloc(3 * 1024 * 1024);
    for (const second of [0, 1, 2]) {
      const raw = aMessage({ body, receivedAt: new Date(NOON + second) });
      await store.writer.write([refusedAs({ reason: reason as 'not-json', detail: 'x' }, { raw })]);
    }
    await jobs.add({ ...EVERY_SET_ASIDE, reason });
    expect(await jobs.advance(asEvent('bytes-'), 9)).toMatchObject({ counts: { stored: 2 }, finished: false });
    expect(await jobs.advance(asEvent('bytes-'), 9)).toMatchObject({ counts: { stored: 1 }, finished: true });
  });
});

describe('retention of set-aside messages', () => {
  const DAY_MS = 86_400_000;

  /** A service that keeps them for a time: does its work once, as at its start. */
  async function keeps(days: number | undefined): Promise<string> {
    const metrics = new Metrics();
    await new SetAsideKeeper(new SetAsideRemover(store.prisma, metrics), { retentionSetAsideDays: days }).work();
    return metrics.registry.getSingleMetricAsString('living_mirror_set_aside_removed_total');
  }
  const left = (): Promise<number> => store.prisma.setAsideMessage.count();

  it('removes what is older in batches, counts it, and leaves the rest; by default all is kept', async () => {
    await store.prisma.setAsideMessage.deleteMany();
    const old = Array.from({ length: 1_100 }, () =>
      refusedAs(
        { reason: 'not-json', detail: 'x' },
        { raw: aMessage({ body: 'x', receivedAt: new Date(Date.now() - 11 * DAY_MS) }) },
      ),
    );
    const young = refusedAs(
      { reason: 'not-json', detail: 'x' },
      { raw: aMessage({ body: 'x', receivedAt: new Date(Date.now() - 9 * DAY_MS) }) },
    );
    await store.writer.write([...old, young]);
    await keeps(undefined);
    expect(await left()).toBe(1_101);

    // another replica is at it
    await store.prisma.inTransaction(async (tx) => {
      await tx.$queryRawUnsafe(`SELECT pg_advisory_xact_lock(${RETENTION_LOCK})::text`);
      await keeps(10);
    });
    expect(await left()).toBe(1_101);

    expect(await keeps(10)).toContain('{by="retention"} 1100');
    expect(await left()).toBe(1);
    expect(await keeps(10)).toContain('{by="retention"} 0');
  });
});
