import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import { aBinding, after, anEvent, aStatus, startApi, type TestApi } from '../support/api.js';

const LOCK = { productKey: 'a1Lock', deviceName: 'lock-1' };
const METER = { productKey: 'a1Meter', deviceName: 'meter-1' };

const aReply = (seconds: number, requestId: string, code: number): DeviceEvent => ({
  kind: 'command-replied',
  device: METER,
  at: after(seconds),
  requestId,
  byDevice: code === 200,
  value: `{"code": ${code}}`,
});

describe('the event log over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    await api.happened(
      anEvent(LOCK, 'Opened', after(1), { value: '{"by": "Anna", "way": "key"}', requestId: 'r-1' }),
      anEvent(LOCK, 'Opened', after(1), { value: '{"by": "Bert"}' }),
      anEvent(LOCK, 'Closed', after(2), { value: '{"by": "安娜"}' }),
      aStatus(LOCK, true, after(3)),
      aStatus(LOCK, false, after(3700), 427),
      aBinding(LOCK, 'anna', true, after(4)),
      anEvent(METER, 'Overload', after(5)),
      aReply(6, '17', 9201),
      aReply(7, '17', 200),
      aReply(8, '18', 200),
      { kind: 'upgrade-job-changed', productKey: 'a1Meter', at: after(9), value: '{}' },
    );
  });
  afterAll(() => api.close());

  const log = async (path: string): Promise<unknown[]> =>
    (await api.walk(path, 1)).map(({ kind, identifier, at }) => [
      kind,
      identifier,
      (Date.parse(String(at)) - after(0).getTime()) / 1000,
    ]);

  it.each<[string, unknown[]]>([
    [
      'kind=presence-changed',
      [
        ['presence-changed', null, 3700],
        ['presence-changed', null, 3],
      ],
    ],
    [
      'kind=user-bound&kind=upgrade-job-changed',
      [
        ['upgrade-job-changed', null, 9],
        ['user-bound', 'anna', 4],
      ],
    ],
    [
      'identifier=Closed&identifier=Overload',
      [
        ['event-raised', 'Overload', 5],
        ['event-raised', 'Closed', 2],
      ],
    ],
    [
      'identifier=Opened&order=asc',
      [
        ['event-raised', 'Opened', 1],
        ['event-raised', 'Opened', 1],
      ],
    ],
    ['identifier=Opened&kind=user-bound', []],
    [
      'type=online&type=offline',
      [
        ['presence-changed', null, 3700],
        ['presence-changed', null, 3],
      ],
    ],
    ['kind=presence-changed&type=offline', [['presence-changed', null, 3700]]],
    [
      'requestId=17',
      [
        ['command-replied', null, 7],
        ['command-replied', null, 6],
      ],
    ],
    ['requestId=r-1', [['event-raised', 'Opened', 1]]],
    [
      'q=anna',
      [
        ['user-bound', 'anna', 4],
        ['event-raised', 'Opened', 1],
      ],
    ],
    [`q=${encodeURIComponent('安')}`, [['event-raised', 'Closed', 2]]],
    ['productKey=a1Meter&kind=event-raised', [['event-raised', 'Overload', 5]]],
    [
      'kind=event-raised&from=' + after(2).toISOString(),
      [
        ['event-raised', 'Overload', 5],
        ['event-raised', 'Closed', 2],
      ],
    ],
    [
      'kind=event-raised&to=' + after(2).toISOString(),
      [
        ['event-raised', 'Opened', 1],
        ['event-raised', 'Opened', 1],
      ],
    ],
    ['kind=nothing', []],
  ])('of all has with %s', async (query, expected) => {
    expect(await log(`/v1/events?${query}`)).toEqual(expected);
  });

  it.each<[string, unknown[]]>([
    ['kind=user-bound', [['user-bound', 'anna', 4]]],
    ['type=offline', [['presence-changed', null, 3700]]],
    ['identifier=Opened&q=BERT', [['event-raised', 'Opened', 1]]],
    ['requestId=17', []],
  ])('of a device has with %s', async (query, expected) => {
    expect(await log(`/v1/devices/a1Lock:lock-1/events?${query}`)).toEqual(expected);
  });

  it('tells who answered a command, the newest answer first', async () => {
    const { body } = await api.get('/v1/requests/17');
    expect(body).toMatchObject({
      items: [
        { device: 'a1Meter:meter-1', requestId: '17', value: { code: 200 } },
        { device: 'a1Meter:meter-1', requestId: '17', value: { code: 9201 } },
      ],
      next: null,
    });
    expect(await api.walk('/v1/requests/17', 1)).toHaveLength(2);
    expect((await api.get('/v1/requests/17?to=' + after(7).toISOString())).body['items']).toHaveLength(1);
    expect((await api.get('/v1/requests/19')).body).toMatchObject({
      status: 404,
      detail: 'Nobody has replied to the request 19',
    });
    expect((await api.get('/v1/requests/r-1')).status).toBe(404);
  });

  const day = 'from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z';

  it('is counted through time, what nothing happened in, too', async () => {
    const { body } = await api.get(`/v1/events/counts?interval=PT1H&from=2026-11-20T11:00:00Z&to=2026-11-20T13:30:00Z`);
    expect(body).toEqual({
      items: [
        { from: '2026-11-20T11:00:00.000Z', to: '2026-11-20T12:00:00.000Z', count: 0 },
        { from: '2026-11-20T12:00:00.000Z', to: '2026-11-20T13:00:00.000Z', count: 10 },
        { from: '2026-11-20T13:00:00.000Z', to: '2026-11-20T13:30:00.000Z', count: 1 },
      ],
      next: null,
    });
  });

  it.each<[string, unknown[]]>([
    [
      'by=kind',
      [
        ['event-raised', 4],
        ['command-replied', 3],
        ['presence-changed', 2],
        ['upgrade-job-changed', 1],
        ['user-bound', 1],
      ],
    ],
    [
      'by=productKey',
      [
        ['a1Lock', 6],
        ['a1Meter', 5],
      ],
    ],
    [
      'by=type',
      [
        [null, 5],
        ['info', 4],
        ['offline', 1],
        ['online', 1],
      ],
    ],
    [
      'by=identifier&kind=event-raised',
      [
        ['Opened', 2],
        ['Closed', 1],
        ['Overload', 1],
      ],
    ],
    [
      'by=identifier&q=anna',
      [
        ['Opened', 1],
        ['anna', 1],
      ],
    ],
    ['by=kind&productKey=a1Meter&type=nothing', []],
  ])('is counted with %s', async (query, expected) => {
    const { body } = await api.get(`/v1/events/counts?interval=P1D&${day}&${query}`);
    const [item] = body['items'] as { groups: { key: string | null; count: number }[] }[];
    expect(item?.groups.map(({ key, count }) => [key, count])).toEqual(expected);
  });

  it('is counted by the days of a time zone', async () => {
    const { body } = await api.get(
      `/v1/devices/a1Lock:lock-1/events/counts?interval=P1D&timeZone=Asia/Shanghai&from=2026-11-19T16:00:00Z&to=2026-11-21T16:00:00Z&kind=presence-changed`,
    );
    expect((body['items'] as { from: string; count: number }[]).map(({ from, count }) => [from, count])).toEqual([
      ['2026-11-19T16:00:00.000Z', 2],
      ['2026-11-20T16:00:00.000Z', 0],
    ]);
  });

  it.each([
    ['/v1/events/counts?interval=1h', 'interval'],
    ['/v1/events/counts?timeZone=Mars/Olympus', 'timeZone'],
    ['/v1/events/counts?by=device', 'by'],
    ['/v1/events/counts?interval=PT1S', 'interval'],
    ['/v1/events/counts?from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z', 'from'],
    ['/v1/events?q=', 'q'],
    ['/v1/events?tenantId=t', 'tenantId'],
    ['/v1/devices/a1Lock:lock-1/events?productKey=a', 'productKey'],
  ])('refuses %s', async (path, parameter) => {
    expect((await api.get(path)).body).toMatchObject({ status: 400, errors: [{ parameter }] });
  });
});
