import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  aBinding,
  after,
  aJson,
  aNumber,
  anIdentity,
  aReading,
  aStatus,
  startApi,
  type TestApi,
} from '../support/api.js';

const LOCK = { productKey: 'a1Lock', deviceName: 'lock-1' };
const HUB = { productKey: 'a1Hub', deviceName: 'hub:1 中文 %' };
const GONE = { productKey: 'a1Lock', deviceName: 'lock-0' };
const QUIET = { productKey: 'a1Meter', deviceName: 'meter_1' };

describe('devices over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    await api.happened(
      anIdentity(LOCK, 'iot-lock', after(0), 'SmartDoor'),
      aStatus(LOCK, true, after(1)),
      aStatus(LOCK, false, after(2), 427),
      aReading(LOCK, 'Battery', aNumber('80'), after(3)),
      aReading(LOCK, 'Serial', aNumber('1234567890123456789'), after(4)),
      aReading(LOCK, 'Exact', aNumber('0.12345678901234567'), after(4)),
      aReading(LOCK, 'Name', aJson('"front door"'), after(4)),
      aReading(LOCK, 'Rules', aJson('[{"id": 9007199254740993, "on": true}]'), after(4)),
      aReading(LOCK, '__proto__', aNumber('1'), after(4)),
      { kind: 'tags-changed', device: LOCK, at: after(1), tags: [{ key: 'room', value: 'hall "1"' }] },
      { kind: 'gateway-changed', device: LOCK, at: after(1), action: 'create', gateway: HUB },
      { kind: 'lifecycle-changed', device: LOCK, at: after(-5), action: 'enable' },
      aBinding(LOCK, 'anna', true, after(5)),
      aBinding(LOCK, 'bert', true, after(6), false),
      aBinding(LOCK, 'carl', true, after(6)),
      aBinding(LOCK, 'carl', false, after(7)),
    );
    await api.happened(
      anIdentity(HUB, 'shared-id', after(0), 'Gateway'),
      aStatus(HUB, true, after(1)),
      anIdentity(GONE, 'shared-id', after(9)),
      { kind: 'lifecycle-changed', device: GONE, at: after(10), action: 'delete' },
      aReading(QUIET, 'Total', aNumber('5'), after(1)),
    );
  });
  afterAll(() => api.close());

  const named = (device: { readonly productKey: string; readonly deviceName: string }): string =>
    encodeURIComponent(`${device.productKey}:${device.deviceName}`);

  it('tells everything about a device', async () => {
    const { status, body } = await api.get('/v1/devices/a1Lock:lock-1');
    expect(status).toBe(200);
    expect(body).toEqual({
      productKey: 'a1Lock',
      deviceName: 'lock-1',
      iotId: 'iot-lock',
      deviceType: 'SmartDoor',
      online: false,
      since: '2026-11-20T12:00:02.000Z',
      lastSeen: expect.stringMatching(/^2026-11-20T12:00:0\dZ?/),
      firstSeen: expect.any(String),
      lifecycle: 'enable',
      gateway: 'a1Hub:hub:1 中文 %',
      tags: { room: 'hall "1"' },
      properties: expect.objectContaining({ Battery: { value: 80, at: '2026-11-20T12:00:03.000Z' } }),
      owners: [{ identityId: 'anna', scopeId: 'scope', tenantId: 'tenant', since: '2026-11-20T12:00:05.000Z' }],
    });
  });

  it('keeps every digit of a number', async () => {
    const { text } = await api.get('/v1/devices/a1Lock:lock-1');
    expect(text).toContain('"Serial":{"value":1234567890123456789,');
    expect(text).toContain('"Exact":{"value":0.12345678901234567,');
    expect(text).toContain('"id": 9007199254740993');
    expect((await api.get('/v1/devices/a1Lock:lock-1/properties/Serial')).text).toContain(
      '"value":1234567890123456789',
    );
  });

  it('gives properties the names that the device gave them', async () => {
    const { text } = await api.get('/v1/devices/a1Lock:lock-1');
    expect(text).toContain('"__proto__":{"value":1,"at":"2026-11-20T12:00:04.000Z"}');
  });

  it('tells whether a device is online', async () => {
    expect((await api.get('/v1/devices/a1Lock:lock-1/status')).body).toMatchObject({
      online: false,
      since: '2026-11-20T12:00:02.000Z',
      reason: 427,
    });
    expect((await api.get('/v1/devices/a1Meter:meter_1/status')).body).toMatchObject({
      online: null,
      since: null,
      reason: null,
      lastSeen: '2026-11-20T12:00:01.000Z',
    });
  });

  it('lists the current properties, or tells one', async () => {
    const { body } = await api.get('/v1/devices/a1Meter:meter_1/properties');
    const total = { identifier: 'Total', value: 5, at: '2026-11-20T12:00:01.000Z' };
    expect(body).toEqual({ items: [total], next: null });
    expect((await api.get('/v1/devices/a1Meter:meter_1/properties/Total')).body).toEqual(total);
    expect(await api.get('/v1/devices/a1Meter:meter_1/properties/Nope')).toMatchObject({
      status: 404,
      body: { detail: 'a1Meter:meter_1 has no current value of Nope' },
    });
  });

  it.each([
    ['its key', 'a1Lock:lock-1', 'lock-1'],
    ['its key, percent-encoded', 'a1Lock%3Alock-1', 'lock-1'],
    ['a name with colons, blanks, Chinese and percent signs', named(HUB), HUB.deviceName],
    ['its iotId', 'iot-lock', 'lock-1'],
    ['an iotId of which all other holders are deleted', 'shared-id', HUB.deviceName],
    ['its key, although it is deleted', 'a1Lock:lock-0', 'lock-0'],
  ])('finds a device by %s', async (_, path, deviceName) => {
    expect(await api.get(`/v1/devices/${path}`)).toMatchObject({ status: 200, body: { deviceName } });
  });

  it.each([
    ['/v1/devices/a1Lock:nope', 'No device a1Lock:nope (productKey:deviceName)'],
    ['/v1/devices/A1LOCK:lock-1', 'No device A1LOCK:lock-1 (productKey:deviceName)'],
    ['/v1/devices/nope', 'No device holds the iotId nope'],
    ['/v1/devices/nope/status', 'No device holds the iotId nope'],
    ['/v1/devices/nope/properties', 'No device holds the iotId nope'],
    ['/v1/devices/nope/readings', 'No device holds the iotId nope'],
    ['/v1/devices/nope/events', 'No device holds the iotId nope'],
    ['/v1/devices/nope/bindings', 'No device holds the iotId nope'],
  ])('says that there is no device at %s', async (path, detail) => {
    const { status, type, body } = await api.get(path);
    expect({ status, type, body }).toEqual({
      status: 404,
      type: 'application/problem+json; charset=utf-8',
      body: { type: 'about:blank', title: 'Not Found', status: 404, detail },
    });
  });

  it('names the candidates when several devices hold an iotId', async () => {
    const twins = ['twin-1', 'twin-2'].map((deviceName) => ({ productKey: 'a1Twin', deviceName }));
    await api.happened(...twins.map((twin, index) => anIdentity(twin, 'twin-id', after(index))));
    expect(await api.get('/v1/devices/twin-id/status')).toMatchObject({
      status: 409,
      body: { title: 'Ambiguous device', candidates: ['a1Twin:twin-2', 'a1Twin:twin-1'] },
    });
  });

  const names = async (query: string): Promise<unknown[]> =>
    (await api.walk(`/v1/devices${query}`, 50)).map(({ deviceName }) => deviceName);

  it.each([
    ['?productKey=a1Lock', ['lock-1']],
    ['?productKey=a1Lock&deleted=true', ['lock-0', 'lock-1']],
    ['?deviceType=SmartDoor', ['lock-1']],
    ['?online=true', [HUB.deviceName]],
    ['?online=false', ['lock-1']],
    ['?online=unknown&productKey=a1Meter', ['meter_1']],
    ['?q=LOCK-', ['lock-1']],
    ['?q=iot-l', ['lock-1']],
    ['?q=%25', [HUB.deviceName]],
    ['?q=_', ['meter_1']],
    ['?q=nothing-like-it', []],
  ])('lists devices by %s', async (query, expected) => {
    expect(await names(query)).toEqual(expected);
  });

  it('walks through all devices whatever the size of a page', async () => {
    const whole = await api.walk('/v1/devices?deleted=true', 1000);
    expect(whole.length).toBeGreaterThanOrEqual(4);
    expect(await api.walk('/v1/devices?deleted=true', 1)).toEqual(whole);
    expect(await api.walk('/v1/devices?deleted=true', 3)).toEqual(whole);
    expect(whole).toContainEqual((await api.get('/v1/devices/a1Lock:lock-1')).body);
  });
});
