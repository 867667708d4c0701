import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aPropertyReport, NOON } from '../../test/support/messages.js';
import { MemorySink } from '../../test/support/memory-sink.js';
import { quiet, until } from '../../test/support/until.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import { MessageCondemned, SinkUnavailable } from '../domain/event-sink.js';
import type { RawMessage } from '../domain/raw-message.js';
import { Spool } from '../spool/spool.js';
import { Ingestor, type IngestorOptions } from './ingestor.js';

Logger.overrideLogger(false);

let folder: string;
const ingestors: Ingestor[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingest-spool-'));
});
afterEach(async () => {
  await Promise.all(ingestors.splice(0).map((ingestor) => ingestor.stop()));
  await rm(folder, { recursive: true, force: true });
});

/** A store that can be told to be away, and that remembers how far it was told that spools have come. */
function aStore(condemned = ''): { sink: MemorySink; away: boolean; positions: Map<string, number> } {
  const store = {
    away: true,
    positions: new Map<string, number>(),
    sink: new MemorySink(
      (batch) => {
        if (store.away) return new SinkUnavailable('away');
        const bad = batch.some(({ raw, refusal }) => refusal === null && raw.messageId === condemned);
        return bad ? new MessageCondemned('no') : undefined;
      },
      (note) => {
        if (note?.spooledUpTo) store.positions.set(note.spooledUpTo.spool, note.spooledUpTo.position);
      },
    ),
  };
  return store;
}

async function anIngestor(
  store: ReturnType<typeof aStore>,
  options: Partial<IngestorOptions> & { maxBytes?: number } = {},
) {
  const spool = await Spool.open({ folder, maxBytes: options.maxBytes ?? 10_000_000 });
  const ingestor = new Ingestor(
    store.sink,
    { bodyIdentity: 'topic', firstPauseMs: 1, longestPauseMs: 2, spoolAfterMs: 0, ...options },
    null,
    { spool, positions: { of: (id) => Promise.resolve(store.positions.get(id) ?? 0) } },
  );
  ingestors.push(ingestor);
  const accepted: string[] = [];
  const take = (...ids: (string | RawMessage)[]): void => {
    for (const id of ids) {
      const message = typeof id === 'string' ? aReport(id) : id;
      ingestor.ledger.received(message.transport);
      ingestor.take({ message, accept: () => accepted.push(message.messageId ?? '') });
    }
  };
  return { ingestor, spool, accepted, take };
}

function aReport(messageId: string): RawMessage {
  return aPropertyReport({ raw: { messageId, receivedAt: new Date() } });
}

function addsUp(ingestor: Ingestor): void {
  expect(ingestor.ledger.addsUp).toBe(true);
  const { received, stored, duplicate, setAside, spooled, inHand } = ingestor.counts();
  expect(received).toBe(stored + duplicate + setAside + spooled + inHand);
}

const ids = (count: number, name = 'm'): string[] => Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('while the store is away', () => {
  it('messages are accepted once they are on the disk, and stored in order when it is back', async () => {
    const store = aStore();
    const { ingestor, accepted, take, spool } = await anIngestor(store);
    for (const id of ids(30)) take(id);
    await until(() => expect([...accepted].sort()).toEqual(ids(30).sort()));
    expect(ingestor.counts()).toMatchObject({ received: 30, stored: 0, spooled: 30, inHand: 0 });
    expect(ingestor.spoolStatus()).toMatchObject({ messages: 30, state: 'filling', fullAt: expect.any(Date) });
    addsUp(ingestor);
    store.away = false;
    await until(() => expect(ingestor.counts()).toMatchObject({ stored: 30, spooled: 0 }));
    expect(store.sink.stored.flat()).toEqual(ids(30));
    expect(store.positions.get(spool.id)).toBe(30);
    expect(ingestor.spoolStatus()).toMatchObject({ messages: 0, state: 'empty', drainMs: 0 });
    addsUp(ingestor);
  });

  it('nothing goes to the disk before a while has passed', async () => {
    const store = aStore();
    const { ingestor, accepted, take } = await anIngestor(store, { spoolAfterMs: 600_000 });
    take('a');
    await until(() => expect(store.sink.writes).toBeGreaterThan(5));
    expect(accepted).toEqual([]);
    expect(ingestor.counts()).toMatchObject({ inHand: 1, spooled: 0 });
    store.away = false;
    await until(() => expect(accepted).toEqual(['a']));
    expect(ingestor.counts()).toMatchObject({ stored: 1, spooled: 0 });
  });

  it('nothing more is accepted once the spool is full, and nothing is lost', async () => {
    const store = aStore();
    const { ingestor, accepted, take } = await anIngestor(store, { maxBytes: 5_000 });
    for (const id of ids(40)) {
      take(id);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => expect(ingestor.spoolStatus()).toMatchObject({ state: 'full', lastError: expect.any(String) }));
    await quiet(() => accepted.length);
    expect(accepted.length).toBeGreaterThan(0);
    expect(accepted.length).toBeLessThan(40);
    expect(ingestor.counts().inHand).toBe(40 - accepted.length);
    addsUp(ingestor);
    store.away = false;
    await until(() => expect(ingestor.counts()).toMatchObject({ stored: 40, spooled: 0, inHand: 0 }));
    expect([...accepted].sort()).toEqual(ids(40).sort());
    addsUp(ingestor);
  });

  it('stopping puts what is in hand on the disk', async () => {
    const store = aStore();
    const { ingestor, accepted, take } = await anIngestor(store, { spoolAfterMs: 600_000 });
    take('a', 'b');
    await until(() => expect(ingestor.isHolding()).toBe(true));
    await ingestor.stop();
    expect(accepted).toEqual(['a', 'b']);
    expect(ingestor.counts()).toMatchObject({ spooled: 2, inHand: 0 });
    addsUp(ingestor);
  });
});

describe('a spool that was given up', () => {
  it('gets nothing more, for it may be somebody else’s: messages stay unanswered', async () => {
    const store = aStore();
    store.sink.hold();
    const { ingestor, accepted, take } = await anIngestor(store, { stopWithinMs: 5 });
    take('a');
    await until(() => expect(store.sink.writes).toBe(1));
    await ingestor.stop();
    const next = await Spool.open({ folder, maxBytes: 10_000_000 });
    store.sink.release(); // only now does the write fail
    await quiet(() => store.sink.writes);
    await next.close();
    expect(accepted).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.endsWith('.spool'))).toEqual([]);
  });
});

describe('a spool that is played back', () => {
  it('does not hold up what arrives meanwhile', async () => {
    const store = aStore();
    const { ingestor, accepted, take } = await anIngestor(store);
    take(...ids(5, 'old'));
    await until(() => expect(accepted).toHaveLength(5));
    store.away = false;
    take('live');
    await until(() => expect(accepted).toContain('live'));
    await until(() => expect(ingestor.counts()).toMatchObject({ stored: 6, spooled: 0 }));
    take('after');
    await until(() => expect(store.sink.stored.flat()).toContain('after'));
    expect(ingestor.counts()).toMatchObject({ stored: 7, spooled: 0 });
    addsUp(ingestor);
  });

  it('sets aside what the store condemns, and its neighbours are stored', async () => {
    const store = aStore('m3');
    const { ingestor, accepted, take } = await anIngestor(store);
    take(...ids(8));
    await until(() => expect(accepted).toHaveLength(8));
    store.away = false;
    await until(() => expect(ingestor.counts()).toMatchObject({ stored: 7, setAside: 1, spooled: 0 }));
    expect(store.sink.aside).toEqual({ m3: 'not-storable' });
    addsUp(ingestor);
  });

  it('goes on where a killed process was, and stores nothing twice', async () => {
    const store = aStore();
    const before = await anIngestor(store);
    before.take(...ids(10));
    await until(() => expect(before.accepted).toHaveLength(10));
    // Six of them were stored in the moment of the kill: noted in their transaction, still in the file.
    const later = aStore();
    later.positions.set(before.spool.id, 6);
    later.away = false;
    const after = await anIngestor(later);
    await until(() => expect(after.ingestor.counts()).toMatchObject({ stored: 4, duplicate: 0, spooled: 0 }));
    expect(later.sink.stored.flat()).toEqual(['m6', 'm7', 'm8', 'm9']);
    expect(after.ingestor.counts().received).toBe(4);
    addsUp(after.ingestor);
  });

  it('keeps no secret on the disk, and the message is still the same to the store', async () => {
    const store = aStore();
    const { accepted, take, spool } = await anIngestor(store);
    const device = { productKey: 'p', deviceName: 'd' };
    const body = { ...device, action: 'create', deviceSecret: 'hush', messageCreateTime: NOON };
    const raw = aPropertyReport({ raw: { messageId: 'x', topic: '/p/d/thing/lifecycle' } });
    const told: DecodedMessage[] = [];
    const { write } = store.sink;
    store.sink.write = (batch, note) => {
      told.push(...batch);
      return write.call(store.sink, batch, note);
    };
    take({ ...raw, body: Buffer.from(JSON.stringify(body)), receivedAt: new Date() });
    await until(() => expect(accepted).toHaveLength(1));
    const files = readdirSync(folder).filter((name) => name.endsWith('.spool'));
    expect(files.map((name) => readFileSync(join(folder, name), 'latin1')).join('')).not.toContain('hush');
    store.away = false;
    await until(() => expect(spool.messages).toBe(0));
    expect(new Set(told.map(({ key }) => key)).size).toBe(1);
    expect(told.at(-1)?.events).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'lifecycle-changed' })]),
    );
  });
});

describe('a store that is there but slow', () => {
  it('has what waits too long in the queue put on the disk', async () => {
    const store = aStore();
    store.away = false;
    store.sink.hold();
    const { ingestor, accepted, take } = await anIngestor(store, { maxBatchMessages: 1 });
    take('slow');
    await until(() => expect(store.sink.writes).toBe(1));
    take('b', 'c');
    await until(() => expect([...accepted].sort()).toEqual(['b', 'c']));
    expect(ingestor.counts()).toMatchObject({ spooled: 2, inHand: 1 });
    addsUp(ingestor);
    store.sink.release();
    await until(() => expect(ingestor.counts()).toMatchObject({ stored: 3, spooled: 0, inHand: 0 }));
    addsUp(ingestor);
  });
});
