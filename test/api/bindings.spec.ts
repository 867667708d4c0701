import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aBinding, after, anIdentity, aReading, aNumber, startApi, type TestApi } from '../support/api.js';

const LOCK = { productKey: 'a1Lock', deviceName: 'lock-1' };
const OTHER = { productKey: 'a1Lock', deviceName: 'lock-2' };
const GONE = { productKey: 'a1Lock', deviceName: 'lock-3' };

describe('bindings over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    await api.happened(
      anIdentity(LOCK, 'iot-lock'),
      aReading(OTHER, 'Battery', aNumber('1')),
      aBinding(LOCK, 'anna', true, after(10)),
      aBinding(LOCK, 'anna', false, after(20)),
      aBinding(LOCK, 'anna', true, after(30)),
      aBinding(LOCK, 'bert', true, after(15), false),
      aBinding(LOCK, 'carl', false, after(12)),
      aBinding(LOCK, 'dora', true, after(35)),
      aBinding(LOCK, 'dora', true, after(40)),
      aBinding(LOCK, 'dora', false, after(40)),
      aBinding(OTHER, 'anna', true, after(25), false),
      aBinding(GONE, 'anna', true, after(1)),
      { kind: 'lifecycle-changed', device: GONE, at: after(50), action: 'delete' },
    );
  });
  afterAll(() => api.close());

  const who = async (query: string): Promise<unknown[]> =>
    (await api.walk(`/v1/devices/a1Lock:lock-1/bindings${query}`, 2)).map(({ identityId }) => identityId);
  const at = (seconds: number): string => `at=${after(seconds).toISOString()}`;

  it('tells who owns and shares a device now', async () => {
    const { body } = await api.get('/v1/devices/iot-lock/bindings');
    const user = { scopeId: 'scope', tenantId: 'tenant', until: null };
    expect(body).toEqual({
      items: [
        { identityId: 'dora', owned: true, from: '2026-11-20T12:00:40.000Z', ...user },
        { identityId: 'anna', owned: true, from: '2026-11-20T12:00:30.000Z', ...user },
        { identityId: 'bert', owned: false, from: '2026-11-20T12:00:15.000Z', ...user },
      ],
      next: null,
    });
  });

  it.each([
    [5, ['carl']], // nobody saw him come, but he left at 12
    [10, ['carl', 'anna']],
    [12, ['anna']],
    [19, ['bert', 'anna']],
    [20, ['bert']],
    [30, ['anna', 'bert']],
  ])('tells who held it at second %i', async (seconds, expected) => {
    expect(await who(`?${at(seconds)}`)).toEqual(expected);
  });

  it('tells all that ever were, an unknown beginning as null', async () => {
    const items = await api.walk('/v1/devices/a1Lock:lock-1/bindings?history=true', 2);
    expect(items.map(({ identityId, from, until }) => [identityId, from, until])).toEqual([
      ['dora', '2026-11-20T12:00:40.000Z', null],
      ['dora', '2026-11-20T12:00:35.000Z', '2026-11-20T12:00:40.000Z'],
      ['anna', '2026-11-20T12:00:30.000Z', null],
      ['bert', '2026-11-20T12:00:15.000Z', null],
      ['carl', null, '2026-11-20T12:00:12.000Z'],
      ['anna', '2026-11-20T12:00:10.000Z', '2026-11-20T12:00:20.000Z'],
    ]);
  });

  it.each([
    ['from', 'to', 20, 30, ['bert']],
    ['from', 'to', 19, 20, ['bert', 'anna']],
    ['from', 'to', 0, 10, ['carl']],
    ['from', 'to', 35, 36, ['dora', 'anna', 'bert']],
  ])('tells who held it at some time from %s to %s: %i to %i', async (from, to, low, high, expected) => {
    expect(await who(`?${from}=${after(low).toISOString()}&${to}=${after(high).toISOString()}`)).toEqual(expected);
  });

  it('tells the users of one tenant or scope', async () => {
    expect(await who('?tenantId=tenant&scopeId=scope')).toEqual(['dora', 'anna', 'bert']);
    expect(await who('?tenantId=other')).toEqual([]);
    expect(await of('?scopeId=other')).toEqual([]);
  });

  it.each(['at=1&history=true', 'at=1&from=1', 'at=1&to=2'])('is asked in one way only, not with %s', async (query) => {
    for (const path of ['/v1/devices/a1Lock:lock-1/bindings', '/v1/users/anna/devices']) {
      expect((await api.get(`${path}?${query}`)).body).toMatchObject({ status: 400, errors: [{ parameter: 'at' }] });
    }
  });

  it('tells what a user ever had, and what in a stretch of time', async () => {
    expect(await of('?history=true&deleted=true')).toEqual(['lock-1', 'lock-2', 'lock-1', 'lock-3']);
    expect(await of(`?from=${after(20).toISOString()}&to=${after(30).toISOString()}`)).toEqual(['lock-2']);
  });

  const of = async (query: string): Promise<unknown[]> =>
    (await api.walk(`/v1/users/anna/devices${query}`, 1)).map(({ deviceName }) => deviceName);

  it('tells what a user owns and shares, deleted devices only when asked', async () => {
    expect(await of('')).toEqual(['lock-1', 'lock-2']);
    expect(await of('?deleted=true')).toEqual(['lock-1', 'lock-2', 'lock-3']);
    expect((await api.get('/v1/users/anna/devices?limit=1')).body['items']).toEqual([
      expect.objectContaining({
        productKey: 'a1Lock',
        deviceName: 'lock-1',
        iotId: 'iot-lock',
        owned: true,
        until: null,
      }),
    ]);
  });

  it('tells what a user had at another time, with devices that were deleted only later', async () => {
    expect(await of(`?${at(15)}`)).toEqual(['lock-1', 'lock-3']);
    expect(await of(`?${at(22)}`)).toEqual(['lock-3']);
    expect(await of(`?${at(55)}`)).toEqual(['lock-1', 'lock-2']);
  });

  it('has nothing to tell of a user whom nobody knows', async () => {
    expect(await api.get('/v1/users/nobody/devices')).toMatchObject({ status: 200, body: { items: [], next: null } });
  });
});
