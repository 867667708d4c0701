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

const lamp = (n: number) => ({ productKey: 'a1Lamp', deviceName: `lamp-${n}` });
const path = '/v1/devices/a1Lamp:lamp-1';

describe('finding devices over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    await api.happened(
      aStatus(lamp(1), true, after(1)),
      aReading(lamp(1), 'temperature', aNumber('31.5'), after(3)),
      aReading(lamp(1), 'serial', aNumber('1234567890123456789'), after(3)),
      aReading(lamp(1), 'a:b', aJson('{"mode": "auto"}'), after(3)),
      {
        kind: 'tags-changed',
        device: lamp(1),
        at: after(1),
        tags: [
          { key: 'floor', value: '1' },
          { key: 'x', value: '' },
        ],
      },
      aBinding(lamp(1), 'anna', true, after(1)),
      anIdentity(lamp(2), 'iot-2', after(0), 'Lamp'),
      aStatus(lamp(2), false, after(5)),
      aReading(lamp(2), 'temperature', aNumber('12'), after(2)),
      aReading(lamp(2), 'serial', aNumber('1234567890123456790'), after(2)),
      anIdentity(lamp(3), 'iot-3', after(9)),
      { kind: 'lifecycle-changed', device: lamp(3), at: after(9), action: 'delete' },
    );
  });
  afterAll(() => api.close());

  const list = (query: Record<string, string>) => api.get(`/v1/devices?${new URLSearchParams(query).toString()}`);
  const names = async (query: Record<string, string>): Promise<unknown[]> =>
    ((await list(query)).body['items'] as { deviceName: string }[]).map(({ deviceName }) => deviceName);

  it.each([
    ['online eq true and state.temperature gt 30 and not (tags.floor eq "2")', ['lamp-1']],
    ['state.serial eq 1234567890123456789', ['lamp-1']],
    ['state.serial gt 1234567890123456789', ['lamp-2']],
    ['state["a:b"].mode startsWith "au" or owner eq "bert"', ['lamp-1']],
    ['tags.floor ne "1"', ['lamp-2']],
    ['lastSeen ge "2026-11-20T12:00:04Z"', ['lamp-2']],
    ['lifecycle eq "delete"', ['lamp-3']],
    ['iotId eq "iot-3"', []],
  ])('lists devices of which it is true that %s', async (filter, expected) => {
    expect(await names({ filter })).toEqual(expected);
  });

  it('takes a filter together with the other parameters', async () => {
    expect(await names({ filter: 'exists state.temperature', online: 'false', productKey: 'a1Lamp' })).toEqual([
      'lamp-2',
    ]);
    expect(await names({ filter: 'exists iotId', deleted: 'true' })).toEqual(['lamp-2', 'lamp-3']);
  });

  it.each([
    ['-deviceName', ['lamp-2', 'lamp-1']],
    ['lastSeen', ['lamp-1', 'lamp-2']],
    ['-lastSeen', ['lamp-2', 'lamp-1']],
    ['deviceType', ['lamp-2', 'lamp-1']],
    ['-deviceType', ['lamp-2', 'lamp-1']], // what has none comes last
    ['online', ['lamp-2', 'lamp-1']],
  ])('sorts by %s, one by one as well', async (sort, expected) => {
    expect(await names({ sort })).toEqual(expected);
    const each = await api.walk(`/v1/devices?sort=${sort}`, 1);
    expect(each.map(({ deviceName }) => deviceName)).toEqual(expected);
  });

  it('tells the chosen fields and nothing else', async () => {
    const fields = 'deviceName, properties.temperature,properties["a:b"],tags.floor,owners';
    const { body } = await list({ fields, filter: 'online eq true' });
    expect(body['items']).toEqual([
      {
        deviceName: 'lamp-1',
        tags: { floor: '1' },
        properties: {
          'a:b': { value: { mode: 'auto' }, at: '2026-11-20T12:00:03.000Z' },
          temperature: { value: 31.5, at: '2026-11-20T12:00:03.000Z' },
        },
        owners: [expect.objectContaining({ identityId: 'anna' })],
      },
    ]);
    expect((await api.get(`${path}?fields=online,tags`)).body).toEqual({ online: true, tags: { floor: '1', x: '' } });
  });

  it('counts when it is asked to', async () => {
    expect((await list({ limit: '1', count: 'exact' })).body).toMatchObject({ count: { value: 2, exact: true } });
    const first = await list({ limit: '1', count: 'estimated' });
    expect(first.body).toMatchObject({ count: { value: 2, exact: true } }); // so few are counted
    const next = await list({ limit: '1', count: 'exact', cursor: String(first.body['next']) });
    expect(next.body).not.toHaveProperty('count');
  });

  it.each([
    [{ filter: 'online == true' }, 'filter', 'column 8: expected ., [,'],
    [{ filter: 'online eq "yes"' }, 'filter', 'column 11: online is true, false or null'],
    [{ sort: 'temperature' }, 'sort', 'must be one of productKey, deviceName,'],
    [{ fields: 'online,Tags' }, 'fields', 'column 8: "Tags" is not a field: use productKey, deviceName,'],
    [{ fields: 'online.x' }, 'fields', 'column 1: nothing inside of online can be asked for'],
    [{ fields: 'tags["x]' }, 'fields', 'column 1: must be names separated by commas'],
    [{ fields: '' }, 'fields', 'must be text without NUL'],
    [{ count: 'roughly' }, 'count', 'must be exact or estimated'],
  ])('refuses %j', async (query, parameter, detail) => {
    const { status, body } = await list(query as Record<string, string>);
    expect({ status, errors: body['errors'] }).toEqual({
      status: 400,
      errors: [expect.objectContaining({ parameter, detail: expect.stringContaining(detail) })],
    });
  });

  it('refuses a cursor of another order', async () => {
    const { body } = await list({ limit: '1', sort: 'deviceName' });
    const cursor = String(body['next']);
    expect(await list({ limit: '1', sort: '-deviceName', cursor })).toMatchObject({ status: 400 });
    expect(await list({ limit: '1', sort: 'deviceName', cursor })).toMatchObject({ status: 200 });
  });

  it('answers that a device has not changed, until it has', async () => {
    const { headers, body } = await api.get(path);
    const tag = headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"[\w-]{22}"$/);
    expect(headers.get('cache-control')).toBe('private, no-cache');
    const status = async (condition: string): Promise<number> =>
      (await fetch(`${api.url}${path}`, { headers: { 'if-none-match': condition } })).status;
    const strong = tag.slice('W/'.length);
    for (const condition of [tag, strong, '*', `"other", ${tag}`, `W/"x,y" , ${strong}`]) {
      expect([condition, await status(condition)]).toEqual([condition, 304]);
    }
    expect(await status('"other"')).toBe(200);
    const unchanged = await fetch(`${api.url}${path}`, { headers: { 'if-none-match': tag } });
    expect([await unchanged.text(), unchanged.headers.get('etag')]).toEqual(['', tag]);
    expect((await api.get(`${path}?fields=online`)).headers.get('etag')).not.toBe(tag);
    expect((await api.get('/v1/devices/a1Lamp:nope', { 'if-none-match': '*' })).status).toBe(404);

    await api.happened(aReading(lamp(1), 'late', aNumber('1'), after(4)));
    expect(await status(tag)).toBe(200);
    expect((await api.get(path)).body).not.toEqual(body);
  });
});
