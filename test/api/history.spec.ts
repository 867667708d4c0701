import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { after, aJson, aNumber, anEvent, aReading, aStatus, startApi, type TestApi } from '../support/api.js';

const METER = { productKey: 'a1Meter', deviceName: 'meter-1' };
const SILENT = { productKey: 'a1Meter', deviceName: 'silent' };

describe('history over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    await api.happened(
      ...[0, 10, 20, 30, 40].map((seconds) => aReading(METER, 'Total', aNumber(String(seconds)), after(seconds))),
      ...[0, 10, 20].map((seconds) => aReading(METER, 'State', aJson('"on"'), after(seconds))),
      aReading(METER, 'Tie', aNumber('99'), after(5)),
      aReading(METER, 'Tie', aNumber('1234567890123456789'), after(5)),
      aReading(METER, 'Tie', aJson('"text"'), after(5)),
      aReading(METER, 'Old', aNumber('1'), new Date('2014-05-01T00:00:00Z')),
      aReading(METER, 'Old', aNumber('2'), new Date('2019-05-01T00:00:00Z')),
      aStatus(SILENT, true),
      ...[0, 1, 2, 3, 4].map((seconds) => anEvent(METER, 'Alarm', after(seconds), { value: `{"n": ${seconds}}` })),
      anEvent(METER, 'Rare', after(-100), { value: '{"big": 1234567890123456789}', requestId: '1678239049931' }),
      anEvent(METER, 'Twin', after(50), { value: '{"n": 1}' }),
      anEvent(METER, 'Twin', after(50), { value: '{"n": 2}' }),
      aStatus(METER, true, after(60)),
      { kind: 'upgrade-job-changed', productKey: 'a1Meter', at: after(70), value: '{"status": "done"}' },
    );
  });
  afterAll(() => api.close());

  const readings = '/v1/devices/a1Meter:meter-1/readings';
  const events = '/v1/devices/a1Meter:meter-1/events';
  const values = (items: readonly Record<string, unknown>[]): unknown[] => items.map(({ value }) => value);

  it('tells the readings of one property, the newest first', async () => {
    const { body } = await api.get(`${readings}?identifier=Total`);
    expect(body['next']).toBeNull();
    expect(values(body['items'] as [])).toEqual([40, 30, 20, 10, 0]);
    expect((body['items'] as unknown[])[0]).toEqual({
      identifier: 'Total',
      value: 40,
      at: '2026-11-20T12:00:40.000Z',
    });
  });

  it('tells them the oldest first when asked to', async () => {
    expect(values(await api.walk(`${readings}?identifier=Total&order=asc`, 2))).toEqual([0, 10, 20, 30, 40]);
  });

  it('takes ranges as half open', async () => {
    const range = `from=${after(10).toISOString()}&to=${after(30).getTime()}`;
    expect(values(await api.walk(`${readings}?identifier=Total&${range}`, 50))).toEqual([20, 10]);
  });

  it('merges several properties in one order', async () => {
    const items = await api.walk(`${readings}?identifier=Total&identifier=State`, 50);
    expect(items.map(({ identifier, at }) => `${String(at).slice(17, 19)} ${String(identifier)}`)).toEqual([
      '40 Total',
      '30 Total',
      '20 Total',
      '20 State',
      '10 Total',
      '10 State',
      '00 Total',
      '00 State',
    ]);
  });

  it.each([1, 2, 3, 7])('loses and repeats nothing in pages of %i', async (limit) => {
    for (const order of ['asc', 'desc']) {
      const whole = (await api.get(`${readings}?limit=1000&order=${order}`)).body['items'];
      expect(whole).toHaveLength(11);
      expect(await api.walk(`${readings}?order=${order}`, limit)).toEqual(whole);
    }
  });

  it('reaches what is older than all monthly partitions', async () => {
    expect(values(await api.walk(`${readings}?identifier=Old`, 1))).toEqual([2, 1]);
  });

  it('tells all values of one millisecond, with the greatest as the value', async () => {
    const { text } = await api.get(`${readings}?identifier=Tie`);
    expect(text).toBe(
      '{"items":[{"identifier":"Tie","value":"text","at":"2026-11-20T12:00:05.000Z","values":[99, 1234567890123456789, "text"]}],"next":null}',
    );
  });

  it('has nothing to tell of a property that was never reported, nor of a silent device', async () => {
    expect((await api.get(`${readings}?identifier=Nope`)).body).toEqual({ items: [], next: null });
    expect((await api.get('/v1/devices/a1Meter:silent/readings')).body).toEqual({ items: [], next: null });
    expect((await api.get(`${readings}?from=2027-01-01T00:00:00Z`)).body).toEqual({ items: [], next: null });
  });

  it('tells the events of a device, the newest first', async () => {
    const items = await api.walk(events, 3);
    expect(items.map(({ kind, identifier }) => [kind, identifier])).toEqual([
      ['presence-changed', null],
      ['event-raised', 'Twin'],
      ['event-raised', 'Twin'],
      ...Array.from({ length: 5 }, () => ['event-raised', 'Alarm']),
      ['event-raised', 'Rare'],
    ]);
    expect(items.at(-1)).toMatchObject({
      device: 'a1Meter:meter-1',
      productKey: 'a1Meter',
      name: 'Rare',
      type: 'info',
      requestId: '1678239049931',
      at: '2026-11-20T11:58:20.000Z',
      receivedAt: expect.any(String),
    });
  });

  it('keeps every digit of what an event says', async () => {
    expect((await api.get(`${events}?identifier=Rare`)).text).toContain('"value":{"big": 1234567890123456789}');
  });

  it.each([
    ['?kind=presence-changed', 1],
    ['?identifier=Alarm', 5],
    [`?identifier=Alarm&from=${after(1).toISOString()}&to=${after(3).toISOString()}`, 2],
    ['?kind=nope', 0],
  ])('filters events by %s', async (query, count) => {
    expect(await api.walk(events + query, 2)).toHaveLength(count);
  });

  it('walks through events of one millisecond in both directions', async () => {
    const down = await api.walk(events, 1);
    expect(down).toHaveLength(9);
    expect(await api.walk(`${events}?order=asc`, 1)).toEqual(down.reverse());
  });

  it('tells the events of all devices, and of products', async () => {
    const items = await api.walk('/v1/events?productKey=a1Meter', 4);
    expect(items).toHaveLength(11);
    expect(items[0]).toMatchObject({ kind: 'upgrade-job-changed', device: null, productKey: 'a1Meter' });
    expect(await api.walk('/v1/events?kind=upgrade-job-changed', 4)).toHaveLength(1);
    expect(await api.walk('/v1/events?productKey=other', 4)).toHaveLength(0);
  });
});
