import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import { EventSink, type Outcome } from '../../src/domain/event-sink.js';
import { Ingestor } from '../../src/ingest/ingestor.js';
import { aMessage, NOON } from '../support/messages.js';
import { until } from '../support/until.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';

Logger.overrideLogger(false);

let store: TestStore;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

let ingestor: Ingestor;
afterEach(() => ingestor.stop());

/** The real writer, and how often it was asked to write. */
class CountingSink extends EventSink {
  writes = 0;

  override write(batch: readonly DecodedMessage[]): Promise<readonly Outcome[]> {
    this.writes += 1;
    return store.writer.write(batch);
  }
}

function version(productKey: string, seconds: number, value: string): DeviceEvent {
  return {
    kind: 'version-reported',
    device: { productKey, deviceName: 'd' },
    at: new Date(NOON + seconds * 1000),
    value,
  };
}

describe('one message among a thousand that PostgreSQL refuses', () => {
  it.each<[string, string, DeviceEvent]>([
    ['22P05', 'by its characters', version('characters', 0, '"\\u0000"')],
    ['22003', 'by its number', reading('number', 'p', '1'.repeat(140_000))],
    ['54000', 'by its length', reading('length', randomBytes(20_000).toString('base64'), '1')],
  ])('(%s, %s) is set aside alone, and its neighbours are stored', async (state, product, poison) => {
    const sink = new CountingSink();
    const decode = (raw: DecodedMessage['raw']): DecodedMessage => {
      const serial = Number(raw.messageId);
      return decodedAs([serial === 617 ? poison : version(product, serial, '{}')], {
        raw,
        key: keyOf(product, serial),
      });
    };
    ingestor = new Ingestor(sink, { bodyIdentity: 'topic', stopWithinMs: 1, decode });
    const accepted = new Set<string | null>();
    for (let serial = 0; serial < 1_000; serial++) {
      const message = aMessage({ body: 'x', messageId: String(serial) });
      ingestor.take({ message, accept: () => accepted.add(message.messageId) });
    }
    await until(() => expect(accepted.size).toBe(1_000));

    const aside = await store.prisma.setAsideMessage.findMany({
      where: { messageId: '617' },
      orderBy: { receivedAt: 'asc' },
    });
    expect(aside.filter(({ detail }) => detail.includes(state))).toHaveLength(1);
    const [rows] = await store.prisma.$queryRawUnsafe<{ events: number }[]>(
      `SELECT count(*)::int AS "events" FROM "EventLog" e JOIN "Device" d ON d."id" = e."deviceId" WHERE d."productKey" = $1`,
      product,
    );
    expect(rows?.events).toBe(999);
    // the whole, two halves of it at each of ten steps, and the bad one once more
    expect(sink.writes).toBeLessThanOrEqual(1 + 2 * 10 + 1);
  });
});

function reading(productKey: string, identifier: string, text: string): DeviceEvent {
  const at = new Date(NOON);
  const readings = [{ identifier, value: { kind: 'number', text }, at }] as const;
  return { kind: 'properties-reported', device: { productKey, deviceName: 'd' }, at, readings };
}

function keyOf(product: string, serial: number): string {
  return Buffer.from(`${product} ${serial}`).toString('hex').padEnd(32, '0').slice(-32);
}
