import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import type { DeviceEvent, Reading } from '../../src/domain/device-event.js';
import { SinkUnavailable } from '../../src/domain/event-sink.js';
import { DeviceEventWriter } from '../../src/storage/device-event.writer.js';
import { PART_SIZES } from '../../src/storage/message-parts.js';
import { PrismaService, type Transaction } from '../../src/storage/prisma.service.js';
import { NOON } from '../support/messages.js';
import { mirrorRows } from '../support/mirror-rows.js';
import { decodedAs, openStore, refusedAs, type TestStore } from '../support/writer.js';

/** The same database, whose process dies at the n-th transaction; and how many there were. */
class Mortal extends PrismaService {
  transactions = 0;
  diesAt = Infinity;

  override async inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.transactions += 1;
    if (this.transactions >= this.diesAt) throw new Error('killed');
    return super.inTransaction(work);
  }
}

let store: TestStore;
let prisma: Mortal;
let writer: DeviceEventWriter;
beforeAll(async () => {
  store = await openStore((databaseUrl) => {
    prisma = new Mortal({ databaseUrl });
    return {};
  });
  writer = new DeviceEventWriter(prisma, store.partitions, { replica: 'parts', dedupeDays: 8 });
});
afterAll(async () => {
  await prisma.$disconnect();
  await store.close();
});

/** A history post: so many samples of one property, a second apart, the newest first. */
function aHistory(productKey: string, samples: number): DecodedMessage {
  const device = { productKey, deviceName: 'd' };
  const readings = Array.from({ length: samples }, (_, i): Reading => {
    return { identifier: 'p', value: { kind: 'number', text: String(i % 100) }, at: new Date(NOON - i * 1000) };
  });
  const events: DeviceEvent[] = [
    { kind: 'device-identified', device, at: new Date(NOON), iotId: 'iot', deviceType: null },
    { kind: 'properties-reported', device, at: new Date(NOON), readings },
    { kind: 'version-reported', device, at: new Date(NOON), value: '{}' },
  ];
  return decodedAs(events);
}

async function counted(replica: string): Promise<Record<string, number>> {
  const rows = await store.prisma.ingestCount.findMany({ where: { replica } });
  return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, Number(count)]));
}

/** How many readings each transaction wrote, the largest first. Each row says which one it was. */
async function readingsByTransaction(productKey: string): Promise<number[]> {
  const rows = await store.prisma.$queryRawUnsafe<{ readings: number }[]>(
    `SELECT count(*)::int AS "readings" FROM "PropertyReading" r
     JOIN "DeviceProperty" p ON p."id" = r."seriesId" JOIN "Device" d ON d."id" = p."deviceId"
     WHERE d."productKey" = $1 GROUP BY r.xmin ORDER BY 1 DESC`,
    productKey,
  );
  return rows.map(({ readings }) => readings);
}

describe('a message of very many readings', () => {
  it('is written in parts, down to the last row, and counts once', async () => {
    const message = aHistory('large-', 100_000);
    expect(await writer.write([message])).toEqual(['stored']);
    const [rows] = await store.prisma.$queryRawUnsafe<object[]>(
      `SELECT count(*)::int AS "readings", count(DISTINCT r."at")::int AS "times", sum(r."number")::int AS "sum",
         min(r."at") AS "from", max(r."at") AS "to", max(p."at") AS "newest", max(p."number")::int AS "value"
       FROM "PropertyReading" r JOIN "DeviceProperty" p ON p."id" = r."seriesId" JOIN "Device" d ON d."id" = p."deviceId"
       WHERE d."productKey" = 'large-'`,
    );
    expect(rows).toEqual({
      readings: 100_000,
      times: 100_000,
      sum: 4_950_000,
      from: new Date(NOON - 99_999_000),
      to: new Date(NOON),
      newest: new Date(NOON),
      value: 0,
    });
    const transactions = await readingsByTransaction('large-');
    expect(transactions.length).toBeGreaterThanOrEqual(50);
    expect(transactions[0]).toBeLessThanOrEqual(PART_SIZES.part);
    expect(await counted('parts')).toEqual({ received: 1, stored: 1 });
  });

  it('of which a process died in the midst ends in the same rows, and counts once', async () => {
    const [whole, torn] = [aHistory('whole-', 9_000), aHistory('torn-', 9_000)];
    await store.writer.write([whole]);
    prisma.diesAt = prisma.transactions + 4;
    const mortal = new DeviceEventWriter(prisma, store.partitions, { replica: 'torn', dedupeDays: 8 });
    await expect(mortal.write([torn])).rejects.toBeInstanceOf(SinkUnavailable);
    prisma.diesAt = Infinity;
    expect(await readingsByTransaction('torn-')).toEqual([2_000, 2_000]);
    expect(await counted('torn')).toEqual({});

    expect(await mortal.write([torn])).toEqual(['stored']);
    const rows = await mirrorRows(store.prisma, 'torn-');
    expect(rows.get('torn-')).toEqual((await mirrorRows(store.prisma, 'whole-')).get('whole-'));
    expect(rows.get('torn-')?.readings).toHaveLength(9_000);
    expect(await counted('torn')).toEqual({ received: 1, stored: 1 });
  });

  it('that was seen already is not written once more', async () => {
    const message = aHistory('again-', 9_000);
    await writer.write([message]);
    const before = prisma.transactions;
    expect(await writer.write([message])).toEqual(['duplicate']);
    expect(prisma.transactions - before).toBe(1);
  });

  it('counts as expired when only an early part of it is', async () => {
    const message = aHistory('expired-', 9_000);
    const oldest = new Date(NOON - 8_000 * 1000);
    const settings = {
      replica: 'expired',
      dedupeDays: 8,
      retentionReadingsDays: (Date.now() - oldest.getTime()) / 86_400_000,
    };
    const reversed = { ...message, events: message.events.map(backwards) } as DecodedMessage;
    expect(await new DeviceEventWriter(prisma, store.partitions, settings).write([reversed])).toEqual(['stored']);
    expect(await counted('expired')).toEqual({ received: 1, stored: 1, expired: 1 });
  });
});

describe('a batch of several such messages and their neighbours', () => {
  it('is no one transaction either, and each gets its own outcome', async () => {
    const first = aHistory('crowd-', 1_500);
    const heavy = [first, ...Array.from({ length: 29 }, () => aHistory('crowd-', 1_500))];
    const light = decodedAs([]);
    const refused = refusedAs({ reason: 'not-json', detail: 'x' });
    const outcomes = await writer.write([light, ...heavy, refused, first, aHistory('crowd2-', 5_000)]);
    expect(outcomes).toEqual(['stored', ...heavy.map(() => 'stored'), 'set-aside', 'duplicate', 'stored']);
    expect((await readingsByTransaction('crowd2-'))[0]).toBeLessThanOrEqual(PART_SIZES.part);
    expect((await readingsByTransaction('crowd2-')).reduce((sum, readings) => sum + readings)).toBe(5_000);
  });

  it('has no more rows in one transaction than a batch may', async () => {
    const messages = Array.from({ length: 30 }, (_, i) => aHistory(`devices-${i}-`, 1_500));
    await writer.write(messages);
    const [most] = await store.prisma.$queryRawUnsafe<{ readings: number }[]>(
      `SELECT count(*)::int AS "readings" FROM "PropertyReading" GROUP BY xmin ORDER BY 1 DESC LIMIT 1`,
    );
    expect(most?.readings).toBeGreaterThan(PART_SIZES.part);
    expect(most?.readings).toBeLessThanOrEqual(PART_SIZES.batch);
    expect(await readingsByTransaction('devices-29-')).toEqual([1_500]);
  });
});

/** The same event with its oldest reading first. */
function backwards(event: DeviceEvent): DeviceEvent {
  return event.kind === 'properties-reported' ? { ...event, readings: [...event.readings].reverse() } : event;
}
