import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DiskQueues } from './disk-queues.js';
import type { GroupStore } from './group-store.js';
import { queuedMessage, type QueuedMessage } from './queued-message.js';

function aMessage(number: number, bytes = 20): QueuedMessage {
  return queuedMessage({
    id: String(number),
    anonymous: false,
    topic: '/pk/dn/user/n',
    body: Buffer.alloc(bytes, number),
    bodyForm: 'data',
    generateTime: number,
    qos: 1,
    properties: {},
    tenant: null,
    publishedAt: number,
  });
}

describe('queues on disk', () => {
  let directory: string;
  let queues: DiskQueues;
  const reopen = async (): Promise<GroupStore> => {
    await queues.close();
    queues = await DiskQueues.open(directory);
    return queues.group('a');
  };
  /** Takes all there is, as a group does that is woken when there is more. */
  const takeAll = async (store: GroupStore): Promise<QueuedMessage[]> => {
    const taken: QueuedMessage[] = [];
    let wake: () => void = () => undefined;
    store.onReady(() => wake());
    while (store.length > 0) {
      const queued = store.shift();
      if (queued) taken.push(queued);
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    return taken;
  };
  const somethingOf = async (store: GroupStore): Promise<void> => {
    while (store.oldest() === null) await new Promise((resolve) => setImmediate(resolve));
  };
  const idsOf = (taken: readonly QueuedMessage[]): number[] => taken.map(({ message }) => Number(message.id));
  const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'simulator-queues-')), 'queues');
    queues = await DiskQueues.open(directory);
  });
  afterEach(async () => {
    await queues.close();
    await rm(join(directory, '..'), { recursive: true });
  });

  it('give back a deep backlog in its order, reading ahead only a little of it', async () => {
    const store = queues.group('a');
    for (const number of numbers(0, 3_000)) store.push(aMessage(number));
    expect(store.length).toBe(3_000);
    expect(idsOf(await takeAll(store))).toEqual(numbers(0, 3_000));
    expect(store).toMatchObject({ length: 0, bytes: 0 });
  });

  it('hold after a restart what was not done: the backlog, real-time messages, and what was on its way', async () => {
    const store = queues.group('a');
    for (const number of numbers(0, 1_000)) store.push(aMessage(number));
    const realtime = numbers(1_000, 1_010).map((number) => aMessage(number));
    await Promise.all(realtime.map((queued) => new Promise<void>((kept) => store.keep(queued, kept))));
    await somethingOf(store);
    const taken = [store.shift(), store.shift(), realtime[0], realtime[1]].map((queued) => queued ?? aMessage(-1));
    for (const queued of taken) {
      queued.deliveries++;
      store.sent(queued);
    }
    const [oldest = aMessage(-1), , first = aMessage(-1)] = taken;
    store.done(oldest);
    store.done(first);
    const after = await takeAll(await reopen());
    expect(idsOf(after)).toEqual([...numbers(1, 1_000), ...numbers(1_001, 1_010)]);
    expect(after.filter(({ deliveries }) => deliveries === 1).map(({ message }) => message.id)).toEqual(['1', '1001']);
    expect(after[0]).toMatchObject({ message: aMessage(1).message });
  });

  it('put what failed to the end, under its number of deliveries, also over a restart', async () => {
    const store = queues.group('a');
    for (const number of numbers(0, 5)) store.push(aMessage(number));
    await somethingOf(store);
    for (let round = 1; round <= 2; round++) {
      const queued = store.shift() ?? aMessage(-1);
      queued.deliveries = round;
      store.sent(queued);
      store.push(queued);
    }
    expect(store.length).toBe(5);
    const after = await takeAll(await reopen());
    expect(after.map(({ message, deliveries }) => [message.id, deliveries])).toEqual([
      ['2', 0],
      ['3', 0],
      ['4', 0],
      ['0', 1],
      ['1', 2],
    ]);
  });

  it('forget a backlog that is cleared, and keep what comes after it', async () => {
    const store = queues.group('a');
    for (const number of numbers(0, 2_000)) store.push(aMessage(number));
    await somethingOf(store);
    const onItsWay = store.shift() ?? aMessage(-1);
    for (const number of numbers(2_000, 2_010)) store.push(aMessage(number)); // not written yet
    const dropped: QueuedMessage[] = [];
    await new Promise<void>((resolve) => {
      store.clear((queued) => {
        if (dropped.push(queued) === 2_009) resolve();
      });
      expect(store).toMatchObject({ length: 0, bytes: 0 });
      for (const number of numbers(2_010, 2_015)) store.push(aMessage(number));
      store.push(onItsWay);
    });
    expect(idsOf(dropped).sort((a, b) => a - b)).toEqual(numbers(1, 2_010));
    expect(idsOf(await takeAll(store))).toEqual([...numbers(2_010, 2_015), 0]);
    expect(idsOf(await takeAll(await reopen()))).toEqual([...numbers(2_010, 2_015), 0]);
  });

  it('keep groups apart and forget those that are gone', async () => {
    const [a, b] = [queues.group('a'), queues.group('b')];
    a.push(aMessage(1));
    b.push(aMessage(2));
    const again = await reopen();
    expect(idsOf(await takeAll(again))).toEqual([1]);
    queues.forget('a');
    await reopen();
    expect([queues.group('a').length, queues.group('b').length]).toEqual([0, 1]);
  });

  it('stay cleared when the simulator ends right after it', async () => {
    const store = queues.group('a');
    for (const number of numbers(0, 3_000)) store.push(aMessage(number));
    await somethingOf(store);
    store.clear(() => undefined);
    const former = queues;
    const again = await reopen();
    expect(former.failure).toBeNull();
    expect(again.length).toBe(0);
    again.push(aMessage(7));
    expect(idsOf(await takeAll(again))).toEqual([7]);
  });

  it('give a group that is made anew nothing of the former, and lose nothing of the new one', async () => {
    const former = queues.group('a');
    for (const number of numbers(0, 20)) former.push(aMessage(number));
    await somethingOf(former);
    const onItsWay = former.shift();
    queues.forget('a');
    const made = queues.group('a');
    made.push(aMessage(100));
    if (onItsWay) former.done(onItsWay); // a client of the former answers late
    await somethingOf(made);
    const again = await reopen();
    expect(idsOf(await takeAll(again))).toEqual([100]);
  });

  it('leave nothing on the disk of a group that was being deleted when the process ended', async () => {
    queues.group('a').push(aMessage(1));
    queues.group('b').push(aMessage(2));
    await reopen();
    const { db } = queues as unknown as {
      db: { clear: () => Promise<void>; keys: () => { all(): Promise<string[]> } };
    };
    db.clear = () => Promise.resolve(); // as if the process ended before
    queues.forget('b');
    expect(idsOf(await takeAll(await reopen()))).toEqual([1]);
    const { db: reopened } = queues as unknown as { db: typeof db };
    const keys = await reopened.keys().all();
    expect(keys.filter((key) => key.startsWith('b'))).toHaveLength(1);
  });

  it('remember the last id', async () => {
    queues.noteId(170_000_000_012_300_001n);
    await reopen();
    expect(queues.lastId).toBe(170_000_000_012_300_001n);
  });

  it('are opened by one simulator at a time', async () => {
    await expect(DiskQueues.open(directory)).rejects.toThrow(/in use by another simulator.*SIMULATOR_DATA_DIR/);
  });

  it('take nothing more once a write failed, and say why', async () => {
    const { db } = queues as unknown as { db: { batch: () => Promise<void> } };
    db.batch = () => Promise.reject(new Error('IO error: queues/000005.log: No space left on device'));
    let kept = 0;
    const failure = new Promise<Error>((resolve) => queues.onFailure(resolve));
    queues.group('a').keep(aMessage(1), () => kept++);
    expect((await failure).message).toMatch(/^The queues in .* cannot be written: the disk is full\. Make room/);
    expect(queues.failure).toBe(await failure);
    queues.group('a').keep(aMessage(2), () => kept++);
    await queues.close();
    expect(kept).toBe(0);
    queues = await DiskQueues.open(directory);
    expect(queues.group('a').length).toBe(0);
  });

  it.each(['MANIFEST', 'CURRENT'])('say so when their %s is damaged', async (name) => {
    queues.group('a').push(aMessage(1));
    await queues.close();
    for (const file of await readdir(directory)) {
      if (file.startsWith(name)) await writeFile(join(directory, file), 'garbage\n');
    }
    await expect(DiskQueues.open(directory)).rejects.toThrow(/The queues in .* are damaged \(.*\)\. Move the folder/);
    await rm(directory, { recursive: true });
    queues = await DiskQueues.open(directory);
  });
});
