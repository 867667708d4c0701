import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { after, aJson, aNumber, aReading, aStatus, startApi, type TestApi } from '../support/api.js';

const METER = { productKey: 'a1Meter', deviceName: 'meter-1' };
const PUMP = { productKey: 'a1Meter', deviceName: 'pump-1' };
const SILENT = { productKey: 'a1Meter', deviceName: 'silent' };

/** NOON is 2026-11-20T12:00:00Z. */
const MINUTE = 60;

describe('aggregates and charts over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    const spike = Array.from({ length: 600 }, (_, second) =>
      aReading(PUMP, 'Pressure', aNumber(second === 333 ? '99.75' : String(second % 7)), after(second)),
    );
    await api.happened(
      ...[0, 1, 2, 10, 11].map((minute) =>
        aReading(METER, 'Total', aNumber(String(1000 + minute * 6)), after(minute * MINUTE)),
      ),
      aReading(METER, 'Big', aNumber('1234567890123456789'), after(0)),
      aReading(METER, 'Big', aNumber('1234567890123456788'), after(1)),
      aReading(METER, 'Mode', aJson('"heat"'), after(0)),
      aReading(METER, 'Mode', aJson('"heat"'), after(MINUTE)),
      aReading(METER, 'Mode', aJson('"cool"'), after(3 * MINUTE)),
      aStatus(SILENT, true),
      ...spike,
    );
  });
  afterAll(() => api.close());

  const meter = '/v1/devices/a1Meter:meter-1';
  const range = `from=${after(0).toISOString()}&to=${after(15 * MINUTE).toISOString()}`;
  const items = async (path: string): Promise<unknown[]> => (await api.get(path)).body['items'] as unknown[];
  const aggregates = (question: string): Promise<unknown[]> => items(`${meter}/aggregates?${range}&${question}`);

  it('sums up buckets, and leaves out those without readings', async () => {
    expect(await aggregates('identifier=Total&interval=PT5M')).toEqual([
      {
        identifier: 'Total',
        from: '2026-11-20T12:00:00.000Z',
        to: '2026-11-20T12:05:00.000Z',
        count: 3,
        avg: 1006,
        min: 1000,
        max: 1012,
      },
      {
        identifier: 'Total',
        from: '2026-11-20T12:10:00.000Z',
        to: '2026-11-20T12:15:00.000Z',
        count: 2,
        avg: 1063,
        min: 1060,
        max: 1066,
      },
    ]);
  });

  it.each([
    ['none', [1012, 1066]],
    ['null', [1012, null, 1066]],
    ['previous', [1012, 1012, 1066]],
    // in the middle of 12:05 to 12:10, on the line from 12:02 to 12:10
    ['linear', [1012, 1045, 1066]],
  ])('fills buckets without readings with %s', async (fill, last) => {
    const rows = await aggregates(`identifier=Total&interval=PT5M&functions=last&fill=${fill}`);
    expect(rows.map((row) => (row as { last: unknown }).last)).toEqual(last);
  });

  it('tells changes, rates, percentiles and what held for how long', async () => {
    const [row] = await aggregates(
      'identifier=Total&interval=P1D&functions=delta,rate,timeWeightedAverage,first,last,sum,p50,p75',
    );
    expect(row).toMatchObject({
      delta: 66,
      rate: 0.1,
      // 1000, 1006 for a minute each, 1012 for eight, 1060 for one, 1066 for four
      timeWeightedAverage: 1028.4,
      first: 1000,
      last: 1066,
      sum: 5144,
      p50: 1012,
      p75: 1060,
    });
  });

  it('tells how long a property had each state, the longest first', async () => {
    const rows = await aggregates('identifier=Mode&interval=PT5M&functions=durations,last,count,avg');
    expect(rows).toMatchObject([
      {
        durations: [
          { value: 'heat', seconds: 180 },
          { value: 'cool', seconds: 120 },
        ],
        last: 'cool',
        count: 3,
        avg: null,
      },
      { durations: [{ value: 'cool', seconds: 300 }], last: null, count: 0, avg: null },
      { durations: [{ value: 'cool', seconds: 300 }], last: null, count: 0, avg: null },
    ]);
  });

  it('cuts days where the clock on the wall says', async () => {
    const rows = await items(
      `${meter}/aggregates?identifier=Total&interval=P1D&timeZone=Asia/Shanghai&functions=count&fill=null` +
        '&from=2026-11-19T12:00:00Z&to=2026-11-20T20:00:00Z',
    );
    expect(rows.map((row) => Object.values(row as object).slice(1))).toEqual([
      ['2026-11-19T12:00:00.000Z', '2026-11-19T16:00:00.000Z', 0],
      ['2026-11-19T16:00:00.000Z', '2026-11-20T16:00:00.000Z', 5],
      ['2026-11-20T16:00:00.000Z', '2026-11-20T20:00:00.000Z', 0],
    ]);
  });

  it('keeps every digit', async () => {
    const { text } = await api.get(`${meter}/aggregates?${range}&identifier=Big&interval=P1D&functions=max,sum,avg`);
    expect(text).toContain('"max":1234567890123456789,"sum":2469135780246913577,"avg":1234567890123456788.5}');
  });

  it('asks for fewer buckets rather than cutting any off', async () => {
    const { status, body } = await api.get(`${meter}/aggregates?${range}&interval=PT0.01S`);
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { errors: [{ parameter: 'interval', detail: expect.stringContaining('at most 10000 in all') }] },
    });
  });

  it('says so when a property that is named has no numbers', async () => {
    const { status, body } = await api.get(`${meter}/aggregates?${range}&identifier=Mode&interval=P1D&functions=avg`);
    expect({ status, body }).toMatchObject({ status: 400, body: { errors: [{ parameter: 'functions' }] } });
    expect(await aggregates('interval=P1D&functions=avg')).toHaveLength(2);
  });

  it.each([`aggregates?interval=P1D`, 'series'])('has nothing to tell of a silent device (%s)', async (question) => {
    expect((await api.get(`/v1/devices/a1Meter:silent/${question}`)).body).toEqual({ items: [], next: null });
    expect(await items(`${meter}/${question}${question.includes('?') ? '&' : '?'}identifier=Nope`)).toEqual([]);
  });

  it('thins a property out, and keeps the spike', async () => {
    const [chart] = (await items('/v1/devices/a1Meter:pump-1/series?points=20')) as [
      { identifier: string; readings: number; points: { at: string; value: number }[] },
    ];
    expect(chart).toMatchObject({ identifier: 'Pressure', readings: 600, others: 0, shows: 'numbers' });
    expect(chart.points.length).toBeLessThanOrEqual(20);
    expect(chart.points).toContainEqual({ at: after(333).toISOString(), value: 99.75 });
    expect([chart.points[0]?.at, chart.points.at(-1)?.at]).toEqual([after(0).toISOString(), after(599).toISOString()]);
  });

  it('shows few readings as they are, and of other values where they change', async () => {
    const charts = await items(`${meter}/series?identifier=Mode&identifier=Total`);
    expect(charts).toMatchObject([
      {
        identifier: 'Mode',
        readings: 3,
        shows: 'changes',
        points: [
          { at: after(0).toISOString(), value: 'heat' },
          { at: after(3 * MINUTE).toISOString(), value: 'cool' },
        ],
      },
      {
        identifier: 'Total',
        readings: 5,
        shows: 'numbers',
        points: [1000, 1006, 1012, 1060, 1066].map((value) => ({ value })),
      },
    ]);
  });

  it('merges the readings of several devices, and walks them in both directions', async () => {
    const several = '/v1/readings?device=a1Meter:pump-1&device=a1Meter:meter-1';
    const [newest] = await items(`${several}&limit=1&identifier=Total&identifier=Pressure`);
    expect(newest).toEqual({
      device: 'a1Meter:meter-1',
      identifier: 'Total',
      value: 1066,
      at: after(11 * MINUTE).toISOString(),
    });
    for (const order of ['asc', 'desc']) {
      const whole = (await api.get(`${several}&limit=1000&order=${order}`)).body['items'] as unknown[];
      expect(whole).toHaveLength(610);
      expect(await api.walk(`${several}&order=${order}`, 97)).toEqual(whole);
    }
    const together = await items(`${several}&order=asc&limit=4`);
    expect(together.map((each) => Object.values(each as object).slice(0, 2))).toEqual([
      ['a1Meter:meter-1', 'Big'],
      ['a1Meter:meter-1', 'Mode'],
      ['a1Meter:meter-1', 'Total'],
      ['a1Meter:pump-1', 'Pressure'],
    ]);
  });

  it('names the one device of several that does not exist', async () => {
    const { status, body } = await api.get('/v1/readings?device=a1Meter:meter-1&device=a1Meter:nope');
    expect({ status, detail: body['detail'] }).toEqual({
      status: 404,
      detail: expect.stringContaining('a1Meter:nope'),
    });
  });
});
