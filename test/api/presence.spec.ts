import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PresenceCounter } from '../../src/storage/presence-counter.js';
import { aBinding, after, aNumber, anIdentity, aReading, aStatus, startApi, type TestApi } from '../support/api.js';

const minutes = (count: number): Date => after(count * 60);
const at = (count: number): string => minutes(count).toISOString();

describe('presence through time', () => {
  let api: TestApi;
  const lamp = { productKey: 'pk1', deviceName: 'lamp' };
  const door = { productKey: 'pk2', deviceName: 'door' };
  const mute = { productKey: 'pk2', deviceName: 'mute' };

  beforeAll(async () => {
    api = await startApi();
    await api.happened(
      anIdentity(mute, 'iot-mute', minutes(0)),
      aStatus(lamp, true, minutes(10)),
      aStatus(lamp, false, minutes(20), 427),
      aStatus(lamp, false, minutes(25), 428), // says nothing new
      aStatus(lamp, true, minutes(50)),
      aStatus(lamp, true, minutes(60)),
      aStatus(door, false, minutes(30), 427),
      aStatus(door, true, minutes(35)),
    );
    await api.app.get(PresenceCounter, { strict: false }).work();
  });
  afterAll(() => api.close());

  it('is told in intervals with their true ends, the newest first', async () => {
    const { body } = await api.get(`/v1/devices/pk1:lamp/presence?from=${at(22)}&to=${at(55)}`);
    expect(body).toEqual({
      items: [
        { online: true, from: at(50), until: null, reason: null },
        { online: false, from: at(20), until: at(50), reason: 427 },
      ],
      next: null,
    });
    expect(await api.walk('/v1/devices/pk1:lamp/presence?order=asc', 1)).toEqual([
      { online: null, from: null, until: at(10), reason: null },
      { online: true, from: at(10), until: at(20), reason: null },
      { online: false, from: at(20), until: at(50), reason: 427 },
      { online: true, from: at(50), until: null, reason: null },
    ]);
  });

  it('is summed up', async () => {
    const { body } = await api.get(`/v1/devices/pk1:lamp/presence/summary?from=${at(0)}&to=${at(60)}`);
    expect(body).toEqual({
      from: at(0),
      to: at(60),
      uptimePercent: 40,
      onlineSeconds: 1200,
      offlineSeconds: 1800,
      unknownSeconds: 600,
      changes: 2,
      outages: 1,
      longestOutage: { from: at(20), until: at(50), seconds: 1800, reason: 427 },
    });
    const mutes = await api.get(`/v1/devices/pk2:mute/presence/summary?to=${at(60)}`);
    expect(mutes.body).toMatchObject({ from: at(0), uptimePercent: null, unknownSeconds: 3600, longestOutage: null });
  });

  it('is told to users as if nothing had been said before the device was theirs, or after', async () => {
    await api.happened(
      aBinding(lamp, 'eve', true, minutes(22)),
      aBinding(lamp, 'eve', false, minutes(40)),
      aBinding(lamp, 'eve', true, minutes(55)),
    );
    const hers = [
      { online: null, from: at(22), until: at(25), reason: null },
      { online: false, from: at(25), until: at(40), reason: 428 },
      { online: null, from: at(55), until: at(60), reason: null },
      { online: true, from: at(60), until: null, reason: null },
    ];
    expect(await api.walk('/v1/devices/pk1:lamp/presence?user=eve&order=asc', 1)).toEqual(hers);
    expect(await api.walk('/v1/devices/pk1:lamp/presence?user=eve', 1)).toEqual([...hers].reverse());
    expect((await api.get(`/v1/devices/pk1:lamp/presence/summary?user=eve&to=${at(70)}`)).body).toEqual({
      from: at(22),
      to: at(70),
      uptimePercent: 40,
      onlineSeconds: 600,
      offlineSeconds: 900,
      unknownSeconds: 480,
      changes: 0,
      outages: 1,
      longestOutage: { from: at(25), until: at(40), seconds: 900, reason: 428 },
    });
    expect((await api.get('/v1/devices/pk2:door/presence?user=eve')).status).toBe(404);
    expect((await api.get('/v1/devices/pk2:door/presence/summary?user=eve')).status).toBe(404);
  });

  it('is counted by product', async () => {
    expect((await api.get('/v1/presence')).body).toEqual({
      online: 2,
      offline: 0,
      unknown: 1,
      items: [
        { productKey: 'pk1', online: 1, offline: 0, unknown: 0 },
        { productKey: 'pk2', online: 1, offline: 0, unknown: 1 },
      ],
      next: null,
    });
    expect(await api.walk('/v1/presence', 1)).toHaveLength(2);
    const some = await api.get(
      `/v1/presence?filter=${encodeURIComponent('deviceName startsWith "d" or iotId eq "iot-mute"')}`,
    );
    expect(some.body).toMatchObject({ online: 1, offline: 0, unknown: 1, items: [{ productKey: 'pk2' }], next: null });
  });

  it('makes a curve', async () => {
    const { body } = await api.get(`/v1/presence/curve?from=${at(5)}&to=${at(65)}&interval=PT15M`);
    expect(body).toEqual({
      items: [
        { at: at(5), online: 0, offline: 0, unknown: 1 },
        { at: at(15), online: 1, offline: 0, unknown: 1 },
        { at: at(30), online: 0, offline: 1, unknown: 1 },
        { at: at(45), online: 1, offline: 1, unknown: 1 },
        { at: at(60), online: 2, offline: 0, unknown: 1 },
      ],
      next: null,
    });
    const one = await api.get(`/v1/presence/curve?from=${at(-600)}&to=${at(180)}&interval=PT6H&productKey=pk2`);
    expect(one.body['items']).toEqual([
      { at: at(-600), online: 0, offline: 0, unknown: 0 },
      { at: at(-360), online: 0, offline: 0, unknown: 0 },
      { at: at(0), online: 0, offline: 0, unknown: 0 },
    ]);
  });

  it('names the devices that flap, and how often all others do at most', async () => {
    const day = '?from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z';
    expect((await api.get(`/v1/presence/flapping${day}&limit=1`)).body).toEqual({
      items: [{ productKey: 'pk1', deviceName: 'lamp', changes: 2 }],
      othersAtMost: 1,
      next: null,
    });
    expect((await api.get(`/v1/presence/flapping${day}&productKey=pk2`)).body).toMatchObject({
      items: [{ deviceName: 'door', changes: 1 }],
    });
  });

  it('names the devices that are silent for longer than their habit', async () => {
    const now = Date.now();
    const ago = (mins: number): Date => new Date(now - mins * 60_000);
    const [brisk, slow] = ['brisk', 'slow'].map((deviceName) => ({ productKey: 'pk3', deviceName }));
    for (let n = 0; n < 12; n++) {
      await api.happened(
        aReading(brisk!, 'p', aNumber(String(n)), ago(30 + n * 2)),
        aReading(slow!, 'p', aNumber(String(n)), ago(30 + n * 20)),
      );
    }
    const { body } = await api.get('/v1/presence/silent?productKey=pk3');
    expect(body).toEqual({
      items: [
        {
          productKey: 'pk3',
          deviceName: 'brisk',
          online: null,
          lastSeen: ago(30).toISOString(),
          silentSeconds: expect.any(Number),
          habitSeconds: 120,
          times: expect.any(Number),
        },
      ],
      next: null,
    });
    expect((await api.get('/v1/presence/silent?productKey=pk3&factor=100')).body).toEqual({ items: [], next: null });
    expect(await api.walk('/v1/presence/silent?productKey=pk3&factor=1', 1)).toHaveLength(2);
  });

  it.each([
    [`/v1/presence/curve?from=${at(0)}&to=${at(9)}&interval=PT1M`, 'interval', 'must be of whole five minutes'],
    ['/v1/presence/curve?interval=hourly', 'interval', 'ISO 8601'],
    ['/v1/presence/curve?from=2000-01-01T00:00:00Z', 'interval', 'more than 1000 points'],
    ['/v1/presence/curve?timeZone=Mars', 'timeZone', 'IANA'],
    ['/v1/presence/curve?from=2020-01-01T00:05:00Z&interval=P7D', 'interval', 'whole hours'],
    ['/v1/presence/flapping?from=2026-11-20T01:00:00Z', 'from', 'beginning of a day'],
    ['/v1/presence/flapping?from=2020-01-01T00:00:00Z', 'from', '92 days'],
    ['/v1/presence/silent?factor=0', 'factor', 'from 1 to 1000'],
    ['/v1/presence?filter=online', 'filter', 'column'],
    ['/v1/devices/pk1:lamp/presence?from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z', 'from', 'before `to`'],
  ])('%s is refused by the name of %s', async (path, parameter, words) => {
    const { status, body } = await api.get(path);
    expect([status, body['errors']]).toEqual([
      400,
      [expect.objectContaining({ parameter, detail: expect.stringContaining(words) })],
    ]);
  });

  it('is of no device that does not exist', async () => {
    for (const path of ['/v1/devices/pk1:none/presence', '/v1/devices/pk1:none/presence/summary']) {
      expect((await api.get(path)).status).toBe(404);
    }
  });
});

describe('devices as of another time', () => {
  let api: TestApi;
  const lock = { productKey: 'pk1', deviceName: 'lock' };

  beforeAll(async () => {
    api = await startApi();
    await api.happened(
      anIdentity(lock, 'iot-1', minutes(1), 'Lock'),
      aReading(lock, 'battery', aNumber('80'), minutes(1)),
      aReading(lock, 'battery', aNumber('12345678901234567890.5'), minutes(2)),
      aReading(lock, 'battery', aNumber('78'), minutes(9)),
      aStatus(lock, true, minutes(3)),
      aStatus(lock, false, minutes(8), 427),
      aBinding(lock, 'u1', true, minutes(4)),
      aBinding(lock, 'u1', false, minutes(6)),
      { kind: 'tags-changed', device: lock, at: minutes(5), tags: [{ key: 'room', value: 'hall' }] },
      anIdentity(lock, 'iot-2', minutes(7)),
      { kind: 'lifecycle-changed', device: lock, at: minutes(10), action: 'delete' },
    );
  });
  afterAll(() => api.close());

  it('have the state of then, with every digit', async () => {
    const { text } = await api.get(`/v1/devices/pk1:lock?at=${at(5)}`);
    expect(text).toContain('12345678901234567890.5');
    expect(JSON.parse(text)).toMatchObject({
      iotId: 'iot-1',
      deviceType: 'Lock',
      online: true,
      since: at(3),
      firstSeen: at(1),
      lastSeen: at(3),
      lifecycle: null,
      tags: { room: 'hall' },
      properties: { battery: { at: at(2) } },
      owners: [{ identityId: 'u1', since: at(4) }],
    });
  });

  it('answer on every route about one device', async () => {
    expect((await api.get(`/v1/devices/pk1:lock/status?at=${at(8)}`)).body).toEqual({
      online: false,
      since: at(8),
      lastSeen: at(8),
      reason: 427,
    });
    expect((await api.get(`/v1/devices/pk1:lock/properties?at=${at(1)}`)).body).toEqual({
      items: [{ identifier: 'battery', value: 80, at: at(1) }],
      next: null,
    });
    expect((await api.get(`/v1/devices/pk1:lock/properties/battery?at=${at(1)}`)).body).toMatchObject({ value: 80 });
    expect((await api.get(`/v1/devices/pk1:lock/properties/none?at=${at(1)}`)).status).toBe(404);
  });

  it('go by the iotId of then', async () => {
    expect((await api.get(`/v1/devices/iot-1?at=${at(5)}`)).body).toMatchObject({ deviceName: 'lock' });
    expect((await api.get(`/v1/devices/iot-2?at=${at(5)}`)).status).toBe(404);
    expect((await api.get(`/v1/devices/iot-1?at=${at(7)}`)).status).toBe(404);
  });

  it('did not exist before anything was told of them, and are listed until they were deleted', async () => {
    expect((await api.get(`/v1/devices/pk1:lock?at=${at(0)}`)).status).toBe(404);
    const listed = async (query: string): Promise<unknown> => (await api.get(`/v1/devices?${query}`)).body['items'];
    expect(await listed(`at=${at(0)}`)).toEqual([]);
    expect(await listed(`at=${at(9)}`)).toMatchObject([{ deviceName: 'lock', online: false }]);
    expect(await listed(`at=${at(10)}`)).toEqual([]);
    expect(await listed(`at=${at(10)}&deleted=true`)).toMatchObject([{ lifecycle: 'delete' }]);
    const matching = (filter: string): Promise<unknown> => listed(`at=${at(5)}&filter=${encodeURIComponent(filter)}`);
    expect(await matching('online eq true and tags.room eq "hall"')).toHaveLength(1);
    expect(await matching('state.battery lt 80')).toEqual([]);
  });

  it.each([
    ['/v1/devices/pk1:lock?at=2999-01-01T00:00:00Z', 'at', 'future'],
    ['/v1/devices?at=2999-01-01T00:00:00Z', 'at', 'future'],
    [`/v1/devices?at=${at(5)}&online=true`, 'online', 'together with `at`'],
    [`/v1/devices?at=${at(5)}&filter=online`, 'filter', 'column'],
  ])('%s is refused by the name of %s', async (path, parameter, words) => {
    const { status, body } = await api.get(path);
    expect([status, body['errors']]).toEqual([
      400,
      [expect.objectContaining({ parameter, detail: expect.stringContaining(words) })],
    ]);
  });
});

describe('where readings are kept for some days only', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi({ settings: { RETENTION_READINGS_DAYS: '30' } });
  });
  afterAll(() => api.close());

  it.each(['/v1/devices', '/v1/devices/pk1:lock', '/v1/devices/pk1:lock/status', '/v1/devices/pk1:lock/properties'])(
    '%s names the oldest moment that can be asked about',
    async (path) => {
      const { status, body } = await api.get(`${path}?at=2020-01-01T00:00:00Z`);
      expect([status, body['type']]).toEqual([410, 'urn:living-mirror:problem:beyond-history']);
      expect(body['detail']).toMatch(/oldest moment that can be asked about is 20\d\d-/);
    },
  );
});
