import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { aPropertyReport } from '../../test/support/messages.js';
import { MemorySink } from '../../test/support/memory-sink.js';
import { until } from '../../test/support/until.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import { MessageCondemned, SinkUnavailable } from '../domain/event-sink.js';
import type { RawMessage } from '../domain/raw-message.js';
import { Metrics } from '../telemetry/metrics.js';
import { Ingestor, type IngestorOptions } from './ingestor.js';

Logger.overrideLogger(false);

const ingestors: Ingestor[] = [];
afterEach(async () => {
  await Promise.all(ingestors.splice(0).map((ingestor) => ingestor.stop()));
});

function anIngestor(sink: MemorySink, options: Partial<IngestorOptions> = {}, metrics: Metrics | null = null) {
  const ingestor = new Ingestor(
    sink,
    { bodyIdentity: 'topic', firstPauseMs: 1, longestPauseMs: 2, stopWithinMs: 5_000, ...options },
    metrics,
  );
  ingestors.push(ingestor);
  const accepted: string[] = [];
  const take = (...messages: (string | RawMessage)[]): void => {
    for (const given of messages) {
      const message = typeof given === 'string' ? aReport(given) : given;
      ingestor.ledger.received(message.transport);
      ingestor.take({ message, accept: () => accepted.push(message.messageId ?? '') });
    }
  };
  return { ingestor, accepted, take };
}

function aReport(messageId: string, raw: Partial<RawMessage> = {}): RawMessage {
  return aPropertyReport({ raw: { messageId, receivedAt: new Date(), ...raw } });
}

function holds(batch: readonly DecodedMessage[], id: string): boolean {
  return batch.some(({ raw }) => raw.messageId === id);
}

function booksBalance({ ingestor }: { ingestor: Ingestor }): void {
  const { received, stored, duplicate, setAside, spooled, inHand } = ingestor.counts();
  expect(received).toBe(stored + duplicate + setAside + spooled + inHand);
  expect(ingestor.ledger.addsUp).toBe(true);
}

describe('the path of a message', () => {
  it('ends with its answer, and only once it is stored', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor, accepted, take } = anIngestor(sink);
    take('a', 'b');
    await until(() => expect(sink.writes).toBe(1));
    expect(accepted).toEqual([]);
    expect(ingestor.counts()).toEqual({ received: 2, stored: 0, duplicate: 0, setAside: 0, spooled: 0, inHand: 2 });
    sink.release();
    await until(() => expect(accepted).toEqual(['a', 'b']));
    expect(ingestor.counts()).toEqual({ received: 2, stored: 2, duplicate: 0, setAside: 0, spooled: 0, inHand: 0 });
  });

  it('has a second batch on its way when much waits, never a third, and ends well', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor, accepted, take } = anIngestor(sink, { batchesAtOnce: 2, maxBatchMessages: 150 });
    const ids = Array.from({ length: 800 }, (_, index) => `m${index}`);
    take(...ids.slice(0, 1));
    await until(() => expect(sink.writes).toBe(1));
    take(...ids.slice(1, 50)); // too few to be worth a batch beside the first
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.writes).toBe(1);
    take(...ids.slice(50));
    await until(() => expect(sink.writes).toBe(2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.writes).toBe(2);
    booksBalance({ ingestor });
    sink.release();
    await until(() => expect([...accepted].sort()).toEqual([...ids].sort()));
    expect(ingestor.counts()).toEqual({ received: 800, stored: 800, duplicate: 0, setAside: 0, spooled: 0, inHand: 0 });
  });

  it('shares a batch with whatever arrived while the last one was being written', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { accepted, take } = anIngestor(sink);
    take('a');
    await until(() => expect(sink.writes).toBe(1));
    take('b', 'c');
    take('d');
    sink.release();
    await until(() => expect(accepted).toHaveLength(4));
    expect(sink.stored).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it.each([
    ['messages', { maxBatchMessages: 2 }],
    ['bytes', { maxBatchBytes: 2 * aReport('a').body.length }],
  ])('goes in batches of limited %s', async (_, limit) => {
    const sink = new MemorySink();
    const { accepted, take } = anIngestor(sink, limit);
    take('a', 'b', 'c', 'd', 'e');
    await until(() => expect(accepted).toEqual(['a', 'b', 'c', 'd', 'e']));
    expect(sink.stored).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('takes a message alone that tells very much', async () => {
    const sink = new MemorySink();
    const { accepted, take } = anIngestor(sink);
    const values = Object.fromEntries(Array.from({ length: 2_001 }, (_, index) => [`p${index}`, index]));
    const heavy = aPropertyReport({ values, raw: { messageId: 'heavy', receivedAt: new Date() } });
    take('a', 'b', heavy, 'c', 'd');
    await until(() => expect(accepted).toHaveLength(5));
    expect(sink.stored.filter((batch) => batch.includes('heavy'))).toEqual([['heavy']]);
  });

  it('takes a message alone that is larger than a batch may be', async () => {
    const sink = new MemorySink();
    const { accepted, take } = anIngestor(sink, { maxBatchBytes: 1 });
    take('a', 'b');
    await until(() => expect(accepted).toEqual(['a', 'b']));
  });

  it('is counted by what became of it', async () => {
    const metrics = new Metrics();
    const { ingestor, accepted, take } = anIngestor(new MemorySink(), {}, metrics);
    const again = aReport('a');
    take(again, again, aReport('b'), { ...aReport('c'), body: Buffer.from('{') });
    await until(() => expect(accepted).toHaveLength(4));
    expect(ingestor.counts()).toEqual({ received: 4, stored: 2, duplicate: 1, setAside: 1, spooled: 0, inHand: 0 });
    const text = await metrics.registry.metrics();
    expect(text).toContain('living_mirror_messages_total{transport="amqp",outcome="received"} 4');
    expect(text).toContain('living_mirror_messages_total{transport="amqp",outcome="stored"} 2');
    expect(text).toContain('living_mirror_messages_total{transport="amqp",outcome="duplicate"} 1');
    expect(text).toContain('living_mirror_set_aside_total{transport="amqp",reason="not-json"} 1');
    expect(text).toContain('living_mirror_in_hand_messages 0');
  });

  it('is not held up by a large one that is still being decoded', async () => {
    let finish: (message: DecodedMessage) => void = () => undefined;
    const sink = new MemorySink();
    const { ingestor, accepted, take } = anIngestor(sink, {
      decode: (raw) => {
        const decoded: DecodedMessage = { key: raw.messageId ?? '', raw, sentAt: null, events: [], refusal: null };
        return raw.messageId === 'large'
          ? new Promise((resolve) => {
              finish = () => resolve(decoded);
            })
          : decoded;
      },
    });
    take('large', 'small');
    await until(() => expect(accepted).toEqual(['small']));
    expect(ingestor.counts().inHand).toBe(1);
    finish({} as DecodedMessage);
    await until(() => expect(accepted).toEqual(['small', 'large']));
  });

  it.each([
    ['throws', () => { throw new Error('a bug'); }], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('a bug'))],
  ])('ends set aside when our own decoder %s', async (_, decode) => {
    const sink = new MemorySink();
    const { accepted, take } = anIngestor(sink, { decode });
    let kept: RawMessage | undefined;
    const write = sink.write.bind(sink);
    sink.write = async (batch) => {
      kept = batch[0]?.raw;
      return write(batch);
    };
    take({ ...aReport('a'), body: Buffer.from('{"deviceSecret":"s3cret","x":1}') });
    await until(() => expect(accepted).toEqual(['a']));
    expect(sink.aside).toEqual({ a: 'invalid-body' });
    expect(kept?.body.toString()).toBe('{"deviceSecret":"","x":1}');
  });

  it('goes on when a transport fails to accept one', async () => {
    const { ingestor, accepted, take } = anIngestor(new MemorySink());
    ingestor.take({ message: aReport('a'), accept: () => { throw new Error('a bug'); } }); // prettier-ignore
    take('b');
    await until(() => expect(accepted).toEqual(['b']));
  });
});

describe('a store that is away', () => {
  it('has everything held and nothing accepted until it is back', async () => {
    let away = true;
    const sink = new MemorySink(() => (away ? new SinkUnavailable('database') : undefined));
    const { ingestor, accepted, take } = anIngestor(sink);
    take('a', 'b');
    await until(() => expect(sink.writes).toBeGreaterThan(3));
    take('c');
    expect(accepted).toEqual([]);
    expect(ingestor.isHolding()).toBe(true);
    expect(ingestor.counts()).toMatchObject({ received: 3, inHand: 3 });
    away = false;
    await until(() => expect(accepted).toEqual(['a', 'b', 'c']));
    expect(sink.stored).toEqual([['a', 'b'], ['c']]);
    expect(ingestor.isHolding()).toBe(false);
  });

  it('tells how long the oldest message has waited', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor, take } = anIngestor(sink);
    expect(ingestor.lagMs()).toBeNull();
    take(aReport('a', { receivedAt: new Date(Date.now() - 60_000) }), aReport('b'));
    expect(ingestor.lagMs()).toBeGreaterThanOrEqual(60_000);
    sink.release();
    await until(() => expect(ingestor.lagMs()).toBeNull());
  });
});

describe('a message that the store condemns', () => {
  it('is found by halving and set aside, and its neighbours are stored', async () => {
    const sink = new MemorySink((batch) =>
      batch.some(({ raw, refusal }) => raw.messageId === 'bad' && refusal === null)
        ? new MessageCondemned('22P05')
        : undefined,
    );
    const taken = anIngestor(sink);
    taken.take('a', 'bad', 'b', 'c');
    await until(() => expect(taken.accepted.toSorted()).toEqual(['a', 'b', 'bad', 'c']));
    expect(sink).toMatchObject({ stored: [['a'], ['b', 'c']], aside: { bad: 'not-storable' } });
    booksBalance(taken);
  });

  it('is set aside without its properties when these are what cannot be stored', async () => {
    const sink = new MemorySink((batch) =>
      batch.some(({ raw }) => 'bad' in raw.properties) ? new MessageCondemned('22P05') : undefined,
    );
    const { accepted, take } = anIngestor(sink);
    take(aReport('a'), aReport('b', { properties: { bad: 'x' } }), aReport('c'));
    await until(() => expect(accepted.toSorted()).toEqual(['a', 'b', 'c']));
    expect(Object.values(sink.aside)).toEqual(['not-storable']);
  });

  it('may be any of many, or all', async () => {
    const bad = (id: string | null): boolean => Number(id) % 3 === 0;
    const sink = new MemorySink((batch) =>
      batch.some(({ raw, refusal }) => bad(raw.messageId) && refusal === null)
        ? new MessageCondemned('22003')
        : undefined,
    );
    const taken = anIngestor(sink);
    const ids = Array.from({ length: 100 }, (_, index) => String(index));
    taken.take(...ids);
    await until(() => expect(taken.accepted).toHaveLength(100));
    expect(Object.keys(sink.aside)).toEqual(ids.filter(bad));
    expect(sink.stored.flat()).toEqual(ids.filter((id) => !bad(id)));
    booksBalance(taken);
  });

  it('waits when the store goes away in the middle of the search', async () => {
    let outages = 3;
    const sink = new MemorySink((batch) => {
      if (holds(batch, 'bad') && batch.some(({ refusal }) => refusal === null)) {
        return batch.length === 1 && outages-- > 0 ? new SinkUnavailable('database') : new MessageCondemned('22P05');
      }
      return undefined;
    });
    const { accepted, take } = anIngestor(sink);
    take('a', 'bad', 'b');
    await until(() => expect(accepted.toSorted()).toEqual(['a', 'b', 'bad']));
    expect(sink.aside).toEqual({ bad: 'not-storable' });
  });
});

describe('a fault of ours in the store', () => {
  it('right after the store was away for long is not held against a message', async () => {
    let fails = 30;
    const sink = new MemorySink(() => {
      fails -= 1;
      if (fails < 0) return undefined;
      return fails < 3 ? new TypeError('a bug') : new SinkUnavailable('database');
    });
    const { accepted, take } = anIngestor(sink);
    take('a');
    await until(() => expect(accepted).toEqual(['a']));
    expect(sink).toMatchObject({ stored: [['a']], aside: {} });
  });

  it('that passes costs nothing', async () => {
    let faults = 2;
    const sink = new MemorySink(() => (faults-- > 0 ? new TypeError('a bug') : undefined));
    const { accepted, take } = anIngestor(sink);
    take('a', 'b');
    await until(() => expect(accepted).toEqual(['a', 'b']));
    expect(sink.stored).toEqual([['a', 'b']]);
  });

  it('that stays with one message sets that one aside, and its neighbours are stored', async () => {
    const sink = new MemorySink((batch) =>
      batch.some(({ raw, refusal }) => raw.messageId === 'bad' && refusal === null)
        ? new TypeError('a bug')
        : undefined,
    );
    const { accepted, take } = anIngestor(sink);
    take('a', 'bad', 'b');
    await until(() => expect(accepted.toSorted()).toEqual(['a', 'b', 'bad']));
    expect(sink).toMatchObject({ stored: [['a'], ['b']], aside: { bad: 'not-storable' } });
  });

  it('that lets nothing at all be written accepts nothing', async () => {
    let broken = true;
    const sink = new MemorySink(() => (broken ? new TypeError('a bug') : undefined));
    const { ingestor, accepted, take } = anIngestor(sink);
    take('a');
    await until(() => expect(sink.writes).toBeGreaterThan(10));
    expect(accepted).toEqual([]);
    expect(ingestor.counts()).toMatchObject({ received: 1, inHand: 1 });
    broken = false;
    await until(() => expect(accepted).toEqual(['a']));
  });

  it('that forgets an outcome counts and accepts nothing', async () => {
    const sink = new MemorySink();
    let forgetful = true;
    const write = sink.write.bind(sink);
    sink.write = async (batch) => (forgetful ? [] : write(batch));
    const { accepted, take } = anIngestor(sink);
    take('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toEqual([]);
    forgetful = false;
    await until(() => expect(accepted).toEqual(['a']));
  });
});

describe('stopping', () => {
  it('finishes what is in hand and takes nothing new', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor, accepted, take } = anIngestor(sink);
    take('a', 'b');
    await until(() => expect(sink.writes).toBe(1));
    take('c');
    const stopped = ingestor.stop();
    take('late');
    sink.release();
    await stopped;
    expect(accepted).toEqual(['a', 'b', 'c']);
    expect(ingestor.counts()).toEqual({ received: 3, stored: 3, duplicate: 0, setAside: 0, spooled: 0, inHand: 0 });
  });

  it('leaves everything unanswered at once when the store is away', async () => {
    const sink = new MemorySink(() => new SinkUnavailable('database'));
    const { ingestor, accepted, take } = anIngestor(sink, { firstPauseMs: 60_000, longestPauseMs: 60_000 });
    take('a');
    await until(() => expect(ingestor.isHolding()).toBe(true));
    await ingestor.stop();
    expect(accepted).toEqual([]);
    expect(sink.writes).toBe(2); // the try that failed, and one more before giving up
    expect(ingestor.counts()).toMatchObject({ received: 1, inHand: 1 });
  });

  it('does not wait for ever on a store that hangs', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor, accepted, take } = anIngestor(sink, { stopWithinMs: 5 });
    take('a');
    await until(() => expect(sink.writes).toBe(1));
    await ingestor.stop();
    expect(accepted).toEqual([]);
    sink.release();
  });

  it('is the same for everybody who asks', async () => {
    const { ingestor } = anIngestor(new MemorySink());
    expect(ingestor.stop()).toBe(ingestor.stop());
    await ingestor.stop();
  });
});

describe('room', () => {
  it('closes above the limit of bytes in hand and opens when they are accepted', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor, accepted, take } = anIngestor(sink, { maxBytesInHand: aReport('a').body.length });
    let opened = 0;
    ingestor.room.onOpen(() => {
      opened += 1;
    });
    take('a');
    expect(ingestor.room.isOpen).toBe(true);
    take('b');
    expect(ingestor.room.isOpen).toBe(false);
    expect(ingestor.bytesInHand()).toBe(2 * aReport('a').body.length);
    sink.release();
    await until(() => expect(accepted).toEqual(['a', 'b']));
    expect(ingestor.room.isOpen).toBe(true);
    expect(opened).toBe(1);
    expect(ingestor.bytesInHand()).toBe(0);
  });
});
