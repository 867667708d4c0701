import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  aBinding,
  after,
  aJson,
  aNumber,
  anEvent,
  anIdentity,
  aReading,
  aStatus,
  startApi,
  type TestApi,
} from '../support/api.js';
import { StreamReader } from '../support/event-stream.js';
import { until } from '../support/until.js';

const LOCK = { productKey: 'a1B2c3D4e5F', deviceName: 'lock-0001' };
const LAMP = { productKey: 'a1Lamps', deviceName: 'lamp-1' };

describe('GET /v1/stream', () => {
  let api: TestApi;
  const open: StreamReader[] = [];

  beforeAll(async () => {
    api = await startApi();
    await api.happened(anIdentity(LOCK, 'iot-lock'), aReading(LOCK, 'Battery', aNumber('50'), after(-60)));
  });
  afterEach(async () => {
    for (const reader of open.splice(0)) await reader.close();
  });
  afterAll(() => api.close());

  const stream = async (query = '', headers: Record<string, string> = {}): Promise<StreamReader> => {
    const reader = await StreamReader.open(`${api.url}/v1/stream${query}`, headers);
    open.push(reader);
    return reader;
  };
  const told = async (reader: StreamReader, count: number): Promise<[string, Record<string, unknown>][]> =>
    until(() => {
      expect(reader.events.length).toBeGreaterThanOrEqual(count);
      return reader.events.map(({ event, data }) => [event, data]);
    });

  it('tells what is committed from now on, in the shapes of REST', async () => {
    const reader = await stream();
    await api.happened(
      aReading(LOCK, 'Battery', aNumber('99.5')),
      aStatus(LOCK, true, after(1)),
      anEvent(LOCK, 'Opened', after(2), { value: '{"by": 12345678901234567890}' }),
      aBinding(LOCK, 'identity-1', true, after(3)),
      { kind: 'tags-changed', device: LOCK, at: after(4), tags: [{ key: 'room', value: 'hall' }] },
    );
    const device = 'a1B2c3D4e5F:lock-0001';
    const events = await told(reader, 8);
    expect(events.map(([kind]) => kind)).toEqual([
      'device',
      'presence',
      'binding',
      'event',
      'event',
      'event',
      'event',
      'reading',
    ]);
    const of = (kind: string): unknown => events.find(([each]) => each === kind)?.[1];
    expect(of('device')).toMatchObject({ ...LOCK, iotId: 'iot-lock', online: true, tags: { room: 'hall' } });
    expect(of('presence')).toEqual({
      device,
      online: true,
      since: '2026-11-20T12:00:01.000Z',
      lastSeen: '2026-11-20T12:00:02.000Z',
      reason: null,
    });
    expect(of('binding')).toEqual({
      device,
      identityId: 'identity-1',
      scopeId: 'scope',
      tenantId: 'tenant',
      owned: true,
      from: '2026-11-20T12:00:03.000Z',
      until: null,
    });
    expect(of('reading')).toEqual({
      device,
      identifier: 'Battery',
      value: 99.5,
      at: '2026-11-20T12:00:00.000Z',
      current: true,
    });
    expect(events.filter(([kind]) => kind === 'event').map(([, { kind }]) => kind)).toEqual([
      'presence-changed',
      'event-raised',
      'user-bound',
      'tags-changed',
    ]);
    expect(reader.retryMs).toBe(2000);
    expect(reader.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(reader.headers.get('x-accel-buffering')).toBe('no');
  });

  it('tells what a duplicate, a repeated value or a repeated fact changes: nothing', async () => {
    const reader = await stream();
    await api.happened(
      aReading(LOCK, 'Battery', aNumber('99.5')),
      anEvent(LOCK, 'Opened', after(2), { value: '{"by": 12345678901234567890}' }),
    );
    await api.happened(aReading(LOCK, 'Battery', aNumber('98')), aReading(LOCK, 'Battery', aNumber('1'), after(-30)));
    expect(await told(reader, 2)).toEqual([
      ['reading', expect.objectContaining({ at: after(-30).toISOString(), value: 1, current: false })],
      ['reading', expect.objectContaining({ value: 99.5, values: [98, 99.5], current: true })],
    ]);
  });

  it('goes on behind any id, by header or by parameter, and the header counts', async () => {
    const reader = await stream();
    const started = reader.lastId;
    await api.happened(...[1, 2, 3, 4].map((n) => aReading(LAMP, 'Level', aNumber(String(n)), after(n))));
    const events = await told(reader, 5);
    const ids = reader.events.map(({ id }) => id ?? '');
    for (const [place, id] of ids.entries()) {
      const again = await stream('?follow=false', { 'last-event-id': id });
      await again.ended;
      expect(again.events.map(({ event, data }) => [event, data])).toEqual(events.slice(place + 1));
      expect(again.events.map((each) => each.id)).toEqual(ids.slice(place + 1));
    }
    const parameter = await stream(`?follow=false&lastEventId=${ids[2]}`, { 'last-event-id': ids[3] ?? '' });
    await parameter.ended;
    expect(parameter.events).toHaveLength(1);
    const all = await stream(`?follow=false&lastEventId=${started}`);
    await all.ended;
    expect(all.events).toHaveLength(5);
    expect(all.lastId).toBe(ids[4]);
  });

  describe('of one batch', () => {
    let before = '';
    beforeAll(async () => {
      const reader = await stream('?follow=false');
      await reader.ended;
      before = reader.lastId ?? '';
      const lamp = { ...LAMP, deviceName: 'lamp-2' };
      await api.happened(
        aReading(lamp, 'Level', aNumber('7'), after(100)),
        aReading(lamp, 'Colour', aJson('"red"'), after(100)),
        aStatus(lamp, true, after(101)),
        aReading(LOCK, 'Bolt', aJson('true'), after(100)),
      );
    });

    it.each([
      ['kinds=presence', ['presence']],
      ['kinds=presence,device', ['device', 'presence']],
      ['kinds=presence&kinds=device', ['device', 'presence']],
      ['identifier=Level', ['reading']],
      ['identifier=Level&kinds=reading,presence', ['presence', 'reading']],
      ['device=a1Lamps:lamp-2', ['device', 'presence', 'event', 'reading', 'reading']],
      ['device=iot-lock', ['reading']],
      ['productKey=nope', []],
      ['filter=deviceName eq "lamp-2" and state.Level gt 6&kinds=reading', ['reading', 'reading']],
      ['filter=online eq false', []],
    ])('tells with %s only that', async (query, kinds) => {
      const reader = await stream(`?follow=false&lastEventId=${before}&${query}`);
      await reader.ended;
      expect(reader.events.map(({ event }) => event)).toEqual(kinds);
      expect(reader.lastId).not.toBe(before);
    });
  });
});
