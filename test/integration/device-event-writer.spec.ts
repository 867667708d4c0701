import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import type { DeviceKey } from '../../src/domain/device-key.js';
import { MessageCondemned, SinkUnavailable } from '../../src/domain/event-sink.js';
import type { Value } from '../../src/domain/value.js';
import { aMessage, NOON } from '../support/messages.js';
import { mirrorRows, type MirrorRows } from '../support/mirror-rows.js';
import { decodedAs, openStore, refusedAs, type TestStore } from '../support/writer.js';

let store: TestStore;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

const NO_CHANGES = { changes: {}, rows: [], rowsLeftOut: 0 };

let serial = 0;
/** A device of a product that no other test uses. */
function aDevice(): DeviceKey {
  return { productKey: `product${++serial}-`, deviceName: 'd' };
}

const at = (seconds: number): Date => new Date(NOON + seconds * 1000);
const number = (text: string): Value => ({ kind: 'number', text });
const json = (text: string): Value => ({ kind: 'json', text });

function report(device: DeviceKey, seconds: number, value: Value, identifier = 'p'): DeviceEvent {
  return { kind: 'properties-reported', device, at: at(seconds), readings: [{ identifier, value, at: at(seconds) }] };
}

async function write(...messages: (readonly DeviceEvent[])[]): Promise<void> {
  for (const events of messages) await store.writer.write([decodedAs(events)]);
}

async function rowsOf(device: DeviceKey): Promise<MirrorRows> {
  const rows = (await mirrorRows(store.prisma, device.productKey)).get(device.productKey);
  if (!rows) throw new Error('no rows');
  return rows;
}

async function deviceRow(device: DeviceKey): Promise<Record<string, unknown>> {
  return JSON.parse((await rowsOf(device)).devices[0] ?? '{}') as Record<string, unknown>;
}

const iso = (seconds: number): string => at(seconds).toISOString().replace('Z', '+00:00').replace('.000', '');

describe('a message', () => {
  it('counts once and changes the tables once, however often it comes', async () => {
    const device = aDevice();
    const message = decodedAs([report(device, 1, number('5'))]);
    expect(await store.writer.write([message, message])).toEqual(['stored', 'duplicate']);
    expect(await store.writer.write([message])).toEqual(['duplicate']);
    expect(await store.writerWith({ replica: 'other' }).write([message])).toEqual(['duplicate']);
    expect((await rowsOf(device)).readings).toHaveLength(1);
  });

  it('without a time of its own is known again on another day', async () => {
    const raw = aMessage({ body: 'x', generateTime: null });
    const message = decodedAs([], { raw, sentAt: null });
    const tomorrow = { ...message, raw: { ...raw, receivedAt: new Date(NOON + 86_400_000) } };
    expect(await store.writer.write([message])).toEqual(['stored']);
    expect(await store.writer.write([tomorrow])).toEqual(['duplicate']);
  });

  it('that is years old by its own time is known again, too', async () => {
    const message = decodedAs([], { sentAt: new Date('2019-05-31T09:28:47Z') });
    expect(await store.writer.write([message])).toEqual(['stored']);
    expect(await store.writer.write([message])).toEqual(['duplicate']);
  });

  it('of two that overlap between replicas is stored by one of them', async () => {
    const device = aDevice();
    const messages = Array.from({ length: 50 }, (_, i) => decodedAs([report(device, i, number('1'))]));
    const outcomes = await Promise.all([
      store.writer.write(messages),
      store.writerWith({ replica: 'b' }).write([...messages].reverse()),
    ]);
    expect(outcomes.flat().filter((outcome) => outcome === 'stored')).toHaveLength(50);
    expect(outcomes.flat().filter((outcome) => outcome === 'duplicate')).toHaveLength(50);
  });

  it('is counted with its outcome, in the minute of its receipt', async () => {
    const writer = store.writerWith({ replica: 'counter' });
    const stored = decodedAs([]);
    await writer.write([stored, stored, refusedAs({ reason: 'not-json', detail: 'no' })]);
    await writer.write([stored]);
    const rows = await store.prisma.ingestCount.findMany({
      where: { replica: 'counter' },
      orderBy: { outcome: 'asc' },
    });
    expect(rows.map(({ outcome, count }) => [outcome, count])).toEqual([
      ['duplicate', 2n],
      ['received', 4n],
      ['redelivered', 2n],
      ['set-aside:not-json', 1n],
      ['stored', 1n],
    ]);
  });

  it('that was refused is set aside with its bytes and every property, whatever characters they hold', async () => {
    const body = Buffer.from([0, 255, 1]);
    const raw = aMessage({ body, topic: '/a\0/\ud800', messageId: 'id\0', properties: { 'x\0': '\udfff' } });
    const message = refusedAs({ reason: 'not-json', detail: 'bad \0 detail' }, { raw });
    expect(await store.writer.write([message])).toEqual(['set-aside']);
    expect(await store.setAside.load(message.key)).toEqual(raw);
  });
});

describe('the current value', () => {
  it('is the newest by device time, whatever came last', async () => {
    const device = aDevice();
    await write([report(device, 5, number('50'))], [report(device, 3, number('30'))], [report(device, 9, json('"x"'))]);
    expect((await rowsOf(device)).properties).toEqual([expect.stringMatching(/^d p .*12:00:09\+00 "x"$/)]);
    expect((await rowsOf(device)).readings).toHaveLength(3);
  });

  it.each([
    [number('99'), number('100'), '100'],
    [number('-2'), number('-10'), '-2'],
    [number('100'), json('"a"'), '"a"'],
    [json('"b"'), json('"a"'), '"b"'],
    [json('"\u{1F600}"'), json('"\uFF5E"'), '"\u{1F600}"'],
  ])('is, of %j and %j at one instant, always the same', async (a, b, wins) => {
    const [first, second, together] = [aDevice(), aDevice(), aDevice()];
    await write([report(first, 1, a)], [report(first, 1, b)]);
    await write([report(second, 1, b)], [report(second, 1, a)]);
    await write([report(together, 1, b), report(together, 1, a)]);
    for (const device of [first, second, together]) {
      const rows = await rowsOf(device);
      expect(rows.properties[0]?.endsWith(` ${wins}`)).toBe(true);
      expect(rows.readings).toEqual((await rowsOf(first)).readings);
    }
  });

  it('keeps every digit', async () => {
    const device = aDevice();
    await write(
      [report(device, 1, number('1234567890123456789.12345678901234567'))],
      [report(device, 2, number('1' + '0'.repeat(400)))],
    );
    expect((await rowsOf(device)).readings[0]).toContain('1234567890123456789.12345678901234567');
    expect((await rowsOf(device)).properties[0]).toContain('1' + '0'.repeat(400));
  });

  it('of a device that was made anew comes only from after that, in either order', async () => {
    const [before, after] = [aDevice(), aDevice()];
    const create = (device: DeviceKey): DeviceEvent => ({
      kind: 'lifecycle-changed',
      device,
      at: at(5),
      action: 'create',
    });
    const tag = (device: DeviceKey): DeviceEvent => ({
      kind: 'tags-changed',
      device,
      at: at(4),
      tags: [{ key: 'k', value: 'v' }],
    });
    await write(
      [report(before, 3, number('3'))],
      [report(before, 7, number('7'), 'q')],
      [tag(before)],
      [create(before)],
    );
    await write([create(after)], [tag(after)], [report(after, 7, number('7'), 'q')], [report(after, 3, number('3'))]);
    expect(await rowsOf(before)).toEqual(await rowsOf(after));
    expect((await rowsOf(before)).properties).toEqual(['d p', expect.stringMatching(/^d q .* 7$/)]);
    expect((await rowsOf(before)).tags).toEqual([]);
    expect((await rowsOf(before)).readings).toHaveLength(2);
  });
});

describe('several values of one millisecond', () => {
  it('share a row, sorted and each once, whatever order and batches they came in', async () => {
    const [one, other] = [aDevice(), aDevice()];
    const values = [number('10'), json('"z"'), number('9'), json('"a"'), number('10'), json('null')];
    await write(...values.map((value) => [report(one, 1, value)]));
    await write([...values].reverse().map((value) => report(other, 1, value)));
    expect((await rowsOf(one)).readings).toEqual([expect.stringContaining('[9, 10, "a", "z", null]')]);
    expect((await rowsOf(one)).readings).toEqual((await rowsOf(other)).readings);
  });
});

describe('presence', () => {
  const presence = (
    device: DeviceKey,
    online: boolean,
    order: number,
    seconds: number,
    reason: number | null = null,
  ): DeviceEvent => ({
    kind: 'presence-changed',
    device,
    online,
    orderedBy: at(order),
    at: at(seconds),
    reason,
    detail: '{}',
  });

  it('is unknown until a status message came: a report never makes a device online', async () => {
    const device = aDevice();
    await write([report(device, 1, number('1'))]);
    expect(await deviceRow(device)).toMatchObject({ online: null, since: null, lastSeen: iso(1) });
  });

  it('follows the last packet, then the message, and at equal times online wins', async () => {
    const device = aDevice();
    await write([presence(device, true, 3, 3)], [presence(device, false, 2, 9, 427)]);
    expect(await deviceRow(device)).toMatchObject({ online: true, since: iso(3), lastSeen: iso(3) });
    await write([presence(device, false, 3, 4, 427)]);
    expect(await deviceRow(device)).toMatchObject({ online: false, since: iso(4), offlineReason: 427 });
    await write([presence(device, true, 3, 4)], [presence(device, false, 3, 4, 1)]);
    expect(await deviceRow(device)).toMatchObject({ online: true, since: iso(4), offlineReason: null });
    expect((await rowsOf(device)).events).toHaveLength(5);
  });
});

describe('attributes', () => {
  it('are kept with the time that won them', async () => {
    const device = aDevice();
    const identified = (seconds: number, iotId: string | null, deviceType: string | null): DeviceEvent => ({
      kind: 'device-identified',
      device,
      at: at(seconds),
      iotId,
      deviceType,
    });
    await write([identified(5, 'new', null)], [identified(3, 'old', 'Lock')], [identified(9, null, null)]);
    expect(await deviceRow(device)).toMatchObject({
      iotId: 'new',
      iotIdAt: iso(5),
      deviceType: 'Lock',
      deviceTypeAt: iso(3),
      lastSeen: null,
    });
  });

  it('name the gateway that the newest topology change attached', async () => {
    const device = aDevice();
    const gateway = { productKey: 'g', deviceName: 'gw' };
    const attached = (seconds: number, action: 'create' | 'delete'): DeviceEvent => ({
      kind: 'gateway-changed',
      device,
      at: at(seconds),
      action,
      gateway,
    });
    await write([attached(5, 'create')], [attached(4, 'delete')]);
    expect(await deviceRow(device)).toMatchObject({ gatewayProductKey: 'g', gatewayDeviceName: 'gw' });
    await write([attached(5, 'delete')]);
    expect(await deviceRow(device)).toMatchObject({ gatewayDeviceName: 'gw' });
    await write([attached(6, 'delete')]);
    expect(await deviceRow(device)).toMatchObject({ gatewayDeviceName: null, gatewayAt: iso(6) });
  });
});

describe('bindings', () => {
  const user = { identityId: 'u', scopeId: '', tenantId: 't' };
  const bound = (device: DeviceKey, seconds: number, owned = true): DeviceEvent => ({
    kind: 'user-bound',
    device,
    at: at(seconds),
    user,
    owned,
  });
  const unbound = (device: DeviceKey, seconds: number): DeviceEvent => ({
    kind: 'user-unbound',
    device,
    at: at(seconds),
    user,
    owned: true,
  });

  it.each<[string, (device: DeviceKey) => DeviceEvent[], [string | null, string | null][]]>([
    ['a bind is open until something ends it', (d) => [bound(d, 1)], [[iso(1), null]]],
    ['an unbind ends it', (d) => [bound(d, 1), unbound(d, 3)], [[iso(1), iso(3)]]],
    ['an unbind alone has an unknown beginning', (d) => [unbound(d, 3)], [[null, iso(3)]]],
    ['a bind that comes late still begins it', (d) => [unbound(d, 3), bound(d, 1)], [[iso(1), iso(3)]]],
    [
      'at equal times the unbind loses',
      (d) => [bound(d, 1), bound(d, 3), unbound(d, 3)],
      [
        [iso(1), iso(3)],
        [iso(3), null],
      ],
    ],
    [
      'two unbinds: the second ends something unknown',
      (d) => [bound(d, 1), unbound(d, 2), unbound(d, 5)],
      [
        [iso(1), iso(2)],
        [null, iso(5)],
      ],
    ],
  ])('%s', async (_, facts, intervals) => {
    const [inOrder, reversed] = [aDevice(), aDevice()];
    for (const fact of facts(inOrder)) await write([fact]);
    await write(facts(reversed).reverse());
    const rows = (await rowsOf(inOrder)).bindings;
    const found = rows
      .map((row) => JSON.parse(row.slice(0, row.lastIndexOf('}') + 1)) as { from: string | null; until: string | null })
      .filter(({ from, until }) => from ?? until)
      .map(({ from, until }) => [from, until]);
    expect(found.sort()).toEqual([...intervals].sort());
    expect((await rowsOf(reversed)).bindings).toEqual(rows);
  });
});

describe('the event log', () => {
  const alarm = (device: DeviceKey, name: string | null): DeviceEvent => ({
    kind: 'event-raised',
    device,
    at: at(1),
    identifier: 'alarm',
    name,
    type: 'alert',
    requestId: null,
    value: '{"level": 3}',
  });

  it('holds a fact once, told under two messages, with all that either told', async () => {
    const [a, b] = [aDevice(), aDevice()];
    await write([alarm(a, null)], [alarm(a, 'Alarm')]);
    await write([alarm(b, 'Alarm')], [alarm(b, null)]);
    expect((await rowsOf(a)).events).toHaveLength(1);
    expect((await rowsOf(a)).events).toEqual((await rowsOf(b)).events);
    expect((await rowsOf(a)).events[0]).toContain('Alarm');
  });

  it('holds custom messages of equal bytes each for itself', async () => {
    const device = aDevice();
    const custom: DeviceEvent = {
      kind: 'custom-message-received',
      device,
      at: at(1),
      topic: '/t',
      encoding: 'text',
      value: '"x"',
    };
    await write([custom], [custom]);
    expect((await rowsOf(device)).events).toHaveLength(2);
  });
});

describe('partitions', () => {
  it.each([
    '0001-01-01T00:00:00.000Z',
    '1969-12-31T23:59:59.999Z',
    '2031-07-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
  ])('are there for a reading and an event of %s', async (time) => {
    const device = aDevice();
    const when = new Date(time);
    const reading = { identifier: 'p', value: number('1'), at: when };
    await write([
      { kind: 'properties-reported', device, at: when, readings: [reading] },
      { kind: 'version-reported', device, at: when, value: '{}' },
    ]);
    const rows = await rowsOf(device);
    expect([rows.readings.length, rows.events.length]).toEqual([1, 1]);
  });

  it('are made ahead, and dropped when nothing in them is kept', async () => {
    const now = new Date('2033-03-31T12:00:00Z');
    await store.partitions.addAhead(now, { dedupeDays: 2 });
    const names = await store.prisma.$queryRawUnsafe<{ name: string }[]>(
      `SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND relname ~ '2033_0[345]' ORDER BY 1`,
    );
    expect(names.map(({ name }) => name)).toEqual([
      'EventLog_2033_03',
      'EventLog_2033_04',
      'EventLog_2033_05',
      'PropertyReading_2033_03',
      'PropertyReading_2033_04',
      'PropertyReading_2033_05',
      'SeenMessage_2033_03_29',
      'SeenMessage_2033_03_30',
      'SeenMessage_2033_03_31',
      'SeenMessage_2033_04_01',
      'SeenMessage_2033_04_02',
    ]);
    const later = new Date('2033-05-01T00:00:00Z');
    const dropped = await store.partitions.dropExpired(later, { dedupeDays: 31, retentionReadingsDays: 30 });
    expect(dropped).toEqual(
      expect.arrayContaining(['SeenMessage_2033_03_30', 'PropertyReading_2033_03', 'PropertyReading_before']),
    );
    expect(dropped).not.toEqual(expect.arrayContaining(['SeenMessage_2033_03_31']));
    expect(dropped.filter((name) => name.startsWith('EventLog') || name === 'PropertyReading_2033_04')).toEqual([]);
  });
});

describe('what is older than retention', () => {
  it('is counted as expired and leaves only the state behind', async () => {
    const device = aDevice();
    const writer = store.writerWith({ replica: 'short', retentionReadingsDays: 1, retentionEventsDays: 1 });
    const old: DeviceEvent = { kind: 'version-reported', device, at: new Date('2020-01-01T00:00:00Z'), value: '{}' };
    const reading = { identifier: 'p', value: number('1'), at: new Date('2020-01-01T00:00:00Z') };
    const outcomes = await writer.write([
      decodedAs([old, { kind: 'properties-reported', device, at: reading.at, readings: [reading] }]),
    ]);
    expect(outcomes).toEqual(['stored']);
    expect(await rowsOf(device)).toMatchObject({
      readings: [],
      events: [],
      properties: [expect.stringContaining(' 1')],
    });
    const counts = await store.prisma.ingestCount.findMany({ where: { replica: 'short', outcome: 'expired' } });
    expect(counts.map(({ count }) => count)).toEqual([1n]);
  });
});

describe('trouble', () => {
  it('with the data condemns the batch, and nothing of it is written', async () => {
    const device = aDevice();
    const good = decodedAs([report(device, 1, number('1'))]);
    const unstorable: DeviceEvent = { kind: 'version-reported', device, at: at(1), value: '"\\u0000"' };
    await expect(store.writer.write([good, decodedAs([unstorable])])).rejects.toBeInstanceOf(MessageCondemned);
    expect((await mirrorRows(store.prisma, device.productKey)).size).toBe(0);
    expect(await store.writer.write([good])).toEqual(['stored']);
  });

  it('with the connection is nobody’s fault', async () => {
    const other = await openStore();
    await other.prisma.$executeRawUnsafe(`ALTER TABLE "SeenMessage" RENAME TO "SeenMessageGone"`);
    await expect(other.writer.write([decodedAs([])])).rejects.toBeInstanceOf(SinkUnavailable);
    await other.close();
  });
});

describe('a replay', () => {
  it('does the real write, or on trial says what it would write and leaves no trace', async () => {
    const device = aDevice();
    const refused = refusedAs({ reason: 'unknown-topic', detail: 'x' });
    await store.writer.write([refused]);
    const understood = decodedAs([report(device, 1, number('1'))], { key: refused.key });
    const changes = {
      changes: { Device: 1, DeviceProperty: 1, PropertyReading: 1 },
      rows: [
        { table: 'Device', change: 'insert', key: device },
        { table: 'DeviceProperty', change: 'insert', key: { ...device, identifier: 'p' } },
        { table: 'PropertyReading', change: 'insert', key: { ...device, identifier: 'p', at: at(1).toISOString() } },
      ],
      rowsLeftOut: 0,
    };
    expect(await store.setAside.replay(understood, { dryRun: true })).toEqual(changes);
    expect((await mirrorRows(store.prisma, device.productKey)).size).toBe(0);
    const where = { id: refused.key };
    expect(await store.prisma.setAsideMessage.findUniqueOrThrow({ where })).toMatchObject({
      attempts: 0,
      replayedAt: null,
    });

    expect(await store.setAside.replay(understood, { dryRun: false })).toEqual(changes);
    expect((await rowsOf(device)).readings).toHaveLength(1);
    const row = await store.prisma.setAsideMessage.findUniqueOrThrow({ where });
    expect(row).toMatchObject({ attempts: 1, replayedAt: expect.any(Date) });
    expect(await store.setAside.replay(understood, { dryRun: false })).toEqual(NO_CHANGES);
    const again = await store.prisma.setAsideMessage.findUniqueOrThrow({ where });
    expect(again).toMatchObject({ attempts: 2, replayedAt: row.replayedAt });
  });

  it('names what it updates and removes, and every kind of row by what identifies it', async () => {
    const device = aDevice();
    const user = { identityId: 'anna', scopeId: 's', tenantId: 't' };
    const bind: DeviceEvent = { kind: 'user-bound', device, at: at(1), user, owned: true };
    const tag: DeviceEvent = { kind: 'tags-changed', device, at: at(1), tags: [{ key: 'room', value: 'hall' }] };
    await write([report(device, 1, number('1')), bind, tag]);
    const refused = refusedAs({ reason: 'unknown-topic', detail: 'x' });
    await store.writer.write([refused]);
    const understood = decodedAs(
      [
        { kind: 'lifecycle-changed', device, at: at(2), action: 'create' },
        { kind: 'user-unbound', device, at: at(3), user, owned: true },
        report(device, 1, number('7')),
      ],
      { key: refused.key },
    );
    const told = await store.setAside.replay(understood, { dryRun: true });
    const binding = { ...device, ...user, owned: true };
    expect(told?.rows.map(({ table, change, key: { hash: _, ...key } }) => [table, change, key])).toEqual(
      expect.arrayContaining([
        ['Device', 'update', device],
        ['DeviceProperty', 'update', { ...device, identifier: 'p' }],
        ['PropertyReading', 'update', { ...device, identifier: 'p', at: at(1).toISOString() }],
        ['UserBinding', 'update', { ...binding, at: at(1).toISOString(), bound: true }],
        ['UserBinding', 'insert', { ...binding, at: at(3).toISOString(), bound: false }],
        ['DeviceTag', 'delete', { ...device, key: 'room' }],
        ['EventLog', 'insert', { ...device, kind: 'lifecycle-changed', identifier: null, at: at(2).toISOString() }],
      ]),
    );
    expect(await store.setAside.replay(understood, { dryRun: false })).toEqual(told);
    expect(await store.setAside.replay(understood, { dryRun: false })).toEqual(NO_CHANGES);
  });

  it('names a hundred rows, and counts the others', async () => {
    const device = aDevice();
    const refused = refusedAs({ reason: 'unknown-topic', detail: 'x' });
    await store.writer.write([refused]);
    const reports = Array.from({ length: 150 }, (_, second) => report(device, second, number('1')));
    const told = await store.setAside.replay(decodedAs(reports, { key: refused.key }), { dryRun: true });
    expect(told).toMatchObject({ changes: { PropertyReading: 150 }, rowsLeftOut: 52 });
    expect(told?.rows).toHaveLength(100);
  });

  it('of a message that was removed meanwhile writes nothing', async () => {
    const device = aDevice();
    expect(await store.setAside.replay(decodedAs([report(device, 1, number('1'))]), { dryRun: false })).toBeNull();
    expect((await mirrorRows(store.prisma, device.productKey)).size).toBe(0);
  });
});
