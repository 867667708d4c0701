import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SinkUnavailable } from '../../src/domain/event-sink.js';
import { Ingestor, type IngestorOptions } from '../../src/ingest/ingestor.js';
import { MemorySink } from '../support/memory-sink.js';
import { quiet, until } from '../support/until.js';

/** What the far side counts. */
export interface PeerCounts {
  readonly published: number;
  readonly accepted: number;
  /** Sent and not answered. */
  readonly unsettled: number;
  /** Deliveries of a message that had been sent before. */
  readonly redelivered: number;
}

/** A transport that was started. */
export interface Source {
  /** Whether messages can come: the far side, too, knows that there is room for them. */
  isUp(): boolean;
  /** As at the end of the process: takes nothing new, has ingest finish, answers, closes. */
  stop(): Promise<void>;
}

/** A far side that has messages, and a way to start the transport that fetches them. Each test has one of its own. */
export interface SourcePeer {
  /** How many messages the transport lets itself have in hand. */
  readonly capacity: number;
  /** Publishes a valid report, or one with these bytes as its body; returns its id. */
  publish(body?: Buffer): string;
  counts(): PeerCounts;
  /** Connections that the far side has open. */
  connections(): number;
  start(ingestor: Ingestor): Source;
  /** From now on answers on the connections of today are lost; messages still come. */
  loseAnswers(): void;
  /** Ends all connections without a word. */
  cut(): void;
  stop(): Promise<void>;
}

/**
 * What every transport owes to ingest and to the far side, whatever its protocol: every message reaches ingest once at least
 * and the store exactly once; nothing is accepted before ingest says so, and nothing more is asked for before that.
 */
export function describeSource(name: string, makePeer: () => Promise<SourcePeer>): void {
  describe(`the contract of a source: ${name}`, () => {
    let peer: SourcePeer;
    let runs: Run[];
    beforeEach(async () => {
      peer = await makePeer();
      runs = [];
    });
    afterEach(async () => {
      for (const run of runs) await run.stop();
      await peer.stop();
    });
    const run = (sink = new MemorySink(), options: Partial<IngestorOptions> = {}): Run => {
      const started = new Run(peer, sink, options);
      runs.push(started);
      return started;
    };
    const publish = (count: number): string[] => Array.from({ length: count }, () => peer.publish());

    it('opens and closes fifty times', async () => {
      const sink = new MemorySink();
      const ids: string[] = [];
      for (let round = 1; round <= 50; round += 1) {
        const once = run(sink);
        ids.push(peer.publish());
        await until(() => expect(peer.counts().accepted).toBe(round));
        await once.stop();
        await until(() => expect(peer.connections()).toBe(0));
        once.expectToAddUp();
      }
      expect(sink.stored.flat()).toEqual(ids);
      expect(peer.counts()).toMatchObject({ unsettled: 0, redelivered: 0 });
    });

    it('takes one message after the other, in their order', async () => {
      const one = run();
      const ids: string[] = [];
      for (let count = 1; count <= 100; count += 1) {
        ids.push(peer.publish());
        await until(() => expect(peer.counts().accepted).toBe(count));
      }
      expect(one.sink.stored.flat()).toEqual(ids);
      await one.expectOnce(ids);
      expect(peer.counts().redelivered).toBe(0);
    });

    it('takes many messages at once', async () => {
      const one = run();
      await one.expectOnce(publish(1_000));
      expect(peer.counts().redelivered).toBe(0);
    });

    it('takes what was published while nobody was there', async () => {
      const ids = publish(200);
      await run().expectOnce(ids);
    });

    it('accepts nothing and takes no more than it has room for while the store does not answer', async () => {
      const sink = new MemorySink();
      sink.hold();
      const one = run(sink);
      const ids = publish(peer.capacity + 50);
      await until(() => expect(one.received).toBe(peer.capacity));
      expect(await quiet(() => one.received)).toBe(peer.capacity);
      expect(peer.counts()).toMatchObject({ accepted: 0, unsettled: peer.capacity });
      sink.release();
      await one.expectOnce(ids);
      expect(peer.counts().redelivered).toBe(0);
    });

    it('makes room for one message by accepting one', async () => {
      const sink = new MemorySink();
      const letFirstGo = sink.hold();
      const one = run(sink, { maxBatchMessages: 1 });
      const ids = publish(peer.capacity + 50);
      await until(() => expect(one.received).toBe(peer.capacity));
      sink.hold();
      letFirstGo();
      await until(() => expect(peer.counts().accepted).toBe(1));
      await until(() => expect(one.received).toBe(peer.capacity + 1));
      expect(await quiet(() => one.received)).toBe(peer.capacity + 1);
      sink.release();
      await one.expectOnce(ids);
    });

    it('gets everything again whose answer was lost, and counts it as a duplicate', async () => {
      const one = run();
      await one.isUp();
      const first = peer.publish();
      await until(() => expect(peer.counts().accepted).toBe(1));
      peer.loseAnswers();
      const count = Math.floor(peer.capacity / 2);
      const ids = publish(count);
      await until(() => expect(one.sink.stored.flat()).toHaveLength(1 + count));
      expect(peer.counts().accepted).toBe(1);
      peer.cut();
      await one.expectOnce([first, ...ids]);
      expect(ids.filter((id) => one.deliveriesOf(id) < 2)).toEqual([]);
      expect(one.ingestor.counts().duplicate).toBeGreaterThanOrEqual(count);
    });

    it('loses nothing while three of ten writes fail', async () => {
      const one = run(new MemorySink(threeOfTen()), { maxBatchMessages: 5 });
      await one.expectOnce(publish(500));
      expect(peer.counts().redelivered).toBe(0);
    });

    it('loses nothing while three of ten writes fail and connections break', async () => {
      const one = run(new MemorySink(threeOfTen()), { maxBatchMessages: 5 });
      const ids: string[] = [];
      for (let round = 1; round <= 10; round += 1) {
        await one.isUp();
        if (round % 2 === 0) peer.loseAnswers();
        const { received } = one;
        ids.push(...publish(100));
        await until(() => expect(one.received).toBeGreaterThan(received));
        peer.cut();
      }
      await one.expectOnce(ids);
    });

    it('leaves unanswered what could not be stored when it stops, for the next one to take', async () => {
      const away = run(new MemorySink(() => new SinkUnavailable('database')));
      const ids = publish(10);
      await until(() => expect(away.received).toBe(10));
      await away.stop();
      expect(peer.counts().accepted).toBe(0);
      const next = run();
      await next.expectOnce(ids);
      expect(peer.counts().redelivered).toBe(10);
    });

    it.each<[string, Buffer]>([
      ['no bytes', Buffer.alloc(0)],
      ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
      ['half a text', Buffer.from('{"items":{')],
      ['a deep nest', Buffer.from('['.repeat(20_000))],
      ['very many bytes', Buffer.alloc(300_000, 'x')],
    ])('hands over %s like anything else', async (_, body) => {
      const one = run();
      const before = peer.publish();
      const odd = peer.publish(body);
      const after = peer.publish();
      await until(() => expect(peer.counts().accepted).toBe(3));
      expect(one.sink.stored.flat().toSorted()).toEqual([before, after].toSorted());
      expect(Object.keys(one.sink.aside)).toEqual([odd]);
      one.expectToAddUp();
    });
  });

  /** The transport, ingest and a store in memory; it knows how often every message was handed over. */
  class Run {
    readonly ingestor: Ingestor;
    private readonly deliveries = new Map<string | null, number>();
    private readonly source: Source;

    constructor(
      private readonly peer: SourcePeer,
      readonly sink: MemorySink,
      options: Partial<IngestorOptions>,
    ) {
      this.ingestor = new Ingestor(sink, { bodyIdentity: 'topic', firstPauseMs: 1, longestPauseMs: 2, ...options });
      const take = this.ingestor.take.bind(this.ingestor);
      this.ingestor.take = (delivery) => {
        const { messageId } = delivery.message;
        this.deliveries.set(messageId, this.deliveriesOf(messageId) + 1);
        take(delivery);
      };
      this.source = peer.start(this.ingestor);
    }

    get received(): number {
      return this.ingestor.counts().received;
    }

    deliveriesOf(id: string | null): number {
      return this.deliveries.get(id) ?? 0;
    }

    /** Every message reached ingest once at least and the store exactly once, and nothing is owed to anybody. */
    async expectOnce(ids: readonly string[]): Promise<void> {
      await until(() => expect(this.peer.counts().accepted).toBe(ids.length));
      await until(() => expect(this.peer.counts().unsettled).toBe(0));
      await until(() => expect(this.ingestor.counts().inHand).toBe(0));
      expect(this.sink.stored.flat().toSorted()).toEqual(ids.toSorted());
      expect([...this.deliveries.keys()].toSorted()).toEqual(ids.toSorted());
      expect(this.ingestor.counts()).toMatchObject({ stored: ids.length, setAside: 0 });
      this.expectToAddUp();
      await this.isUp();
    }

    async isUp(): Promise<void> {
      await until(() => expect(this.source.isUp()).toBe(true));
    }

    expectToAddUp(): void {
      const { received, stored, duplicate, setAside, inHand } = this.ingestor.counts();
      expect(received).toBe(stored + duplicate + setAside + inHand);
      expect(received).toBe([...this.deliveries.values()].reduce((sum, each) => sum + each, 0));
    }

    stop(): Promise<void> {
      return this.source.stop();
    }
  }
}

/** Three of ten writes find the store away; always the same ones. */
function threeOfTen(): () => Error | undefined {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state % 10 < 3 ? new SinkUnavailable('database') : undefined;
  };
}
