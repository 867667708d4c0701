import { describe, expect, it } from '@jest/globals';
import {
  SENT,
  at,
  boiler,
  boilerIot,
  eventsOf,
  identified,
  json,
  livingIot,
  newsOf,
  number,
  purifier,
} from '../../../test/support/decoded.js';

describe('property post (7.1, 7.12)', () => {
  const topic = '/a1DemoLiv01/purifier-17/thing/event/property/post';
  const body = {
    ...livingIot,
    gmtCreate: 1700000123456,
    items: { PowerSwitch: { value: 1, time: 1700000123401 }, PM25: { value: 18, time: 1700000123401 } },
  };
  const expected = [
    identified(purifier, 1700000123456, 'lv0Zc3demoIot0001', 'AirPurifier'),
    {
      kind: 'properties-reported',
      device: purifier,
      at: at(1700000123456),
      readings: [
        { identifier: 'PowerSwitch', value: number('1'), at: at(1700000123401) },
        { identifier: 'PM25', value: number('18'), at: at(1700000123401) },
      ],
    },
  ];

  it.each([
    ['its own topic', topic],
    ['its topic with /sys', `/sys${topic}`],
    ['the topic of history', '/a1DemoLiv01/purifier-17/thing/event/property/history/post'],
    ["another kind's topic", '/a1DemoLiv01/purifier-17/thing/lifecycle'],
    ['a custom topic of the device', '/a1DemoLiv01/purifier-17/user/forwarded'],
    ["another device's platform topic", '/pk/dn/thing/event/property/post'],
    ['no topic', null],
  ])('is the same news on %s', (_, where) => {
    expect(eventsOf(where, body)).toEqual(expected);
  });

  it("keeps what passed the platform's validation, and what failed it as rejected", () => {
    const report = {
      ...boilerIot,
      deviceType: 'CustomCategory',
      requestId: '8815',
      gmtCreate: 1700000200011,
      items: {
        WaterTemp: { value: 61.5, time: 1700000200004 },
        Site: { value: { lon: 16.37, lat: 48.21 }, time: 1700000200004 },
      },
      checkFailedData: {
        Mode: { code: 6306, message: 'value type does not match the model', value: 'eco', time: 1700000200004 },
      },
    };
    expect(newsOf('/h9DemoEnt02/boiler-3/thing/event/property/post', report)).toEqual([
      {
        kind: 'properties-reported',
        device: boiler,
        at: at(1700000200011),
        readings: [
          { identifier: 'WaterTemp', value: number('61.5'), at: at(1700000200004) },
          { identifier: 'Site', value: json('{"lat": 48.21, "lon": 16.37}'), at: at(1700000200004) },
        ],
      },
      {
        kind: 'value-rejected',
        device: boiler,
        at: at(1700000200004),
        identifier: 'Mode',
        reason: 'check-failed',
        value:
          '{"code": 6306, "time": 1700000200004, "value": "eco", "message": "value type does not match the model"}',
      },
    ]);
  });

  it.each([
    ['an empty report', { ...livingIot, items: {} }, ['device-identified']],
    ['an empty report of a nameless device', { ...purifier, items: {}, checkFailedData: {} }, []],
    ['only failures and no items', { ...purifier, checkFailedData: { x: { code: 1 } } }, ['value-rejected']],
    ['failures of the wrong type', { ...purifier, items: {}, checkFailedData: 5 }, ['value-rejected']],
  ])('is at peace with %s', (_, report, kinds) => {
    expect(eventsOf(topic, report).map(({ kind }) => kind)).toEqual(kinds);
  });

  it('takes the device of the topic where the body names none', () => {
    expect(eventsOf(topic, { items: { a: { value: 1 } } })).toMatchObject([{ device: purifier }]);
  });

  it("reads every spelling of a time, and the message's where an item has none", () => {
    const items = {
      a: { value: 1, time: '1700000123401' },
      b: { value: 1, time: 1.700000123401e12 },
      c: { value: 1 },
      d: { value: 1, time: null },
    };
    const times = (report: object): unknown =>
      newsOf(topic, { ...purifier, items, ...report }).flatMap((event) =>
        event.kind === 'properties-reported' ? event.readings.map((reading) => reading.at.getTime()) : [],
      );
    expect(times({ gmtCreate: 1700000123456 })).toEqual([1700000123401, 1700000123401, 1700000123456, 1700000123456]);
    expect(times({})).toEqual([1700000123401, 1700000123401, SENT, SENT]);
  });

  it.each([
    ['a value that is missing', { time: 1700000123401 }, 'malformed', 1700000123456],
    ['an item that is no object', 26, 'malformed', 1700000123456],
    ['an item that is null', null, 'malformed', 1700000123456],
    ['an item that is a list', [1], 'malformed', 1700000123456],
    ['a NUL in the value', { value: ['\0'], time: 1700000123401 }, 'not-storable', 1700000123401],
    ['half a surrogate pair in a key', { value: { '\ud800': 1 }, time: 1700000123401 }, 'not-storable', 1700000123401],
    ['a time that is none', { value: 1, time: 'soon' }, 'bad-time', 1700000123456],
    ['the year 0', { value: 1, time: -62_135_596_800_001 }, 'bad-time', 1700000123456],
    ['the year 300000', { value: 1, time: 9_404_907_926_400_000 }, 'bad-time', 1700000123456],
    ['26 hours ahead', { value: 1, time: SENT + 26 * 3_600_000 }, 'future-time', 1700000123456],
  ])('costs %s only itself', (_, item, reason, ms) => {
    const items = { before: { value: 1, time: 1700000123401 }, bad: item, after: { value: 2, time: 1700000123401 } };
    const [reported, ...rest] = newsOf(topic, { ...purifier, gmtCreate: 1700000123456, items });
    expect(reported).toMatchObject({ readings: [{ identifier: 'before' }, { identifier: 'after' }] });
    expect(rest).toEqual([
      { kind: 'value-rejected', device: purifier, at: at(ms), identifier: 'bad', reason, value: expect.any(String) },
    ]);
  });

  it('rejects an identifier that is too long or not storable, and keeps it in full in the value', () => {
    const long = 'i'.repeat(257);
    const items = { [long]: { value: 1 }, ['\0']: { value: 2 }, ['i'.repeat(256)]: { value: 3 } };
    const [reported, ...rest] = newsOf(topic, { ...purifier, items });
    expect(reported).toMatchObject({ readings: [{ identifier: 'i'.repeat(256) }] });
    expect(rest).toMatchObject([
      { identifier: `${'i'.repeat(255)}…`, reason: 'too-long', value: `{"${long}": {"value": 1}}` },
      { identifier: '\\u0000', reason: 'not-storable', value: '{"\\\\u0000": {"value": 2}}' },
    ]);
  });

  it('shows what was sent in a rejected value', () => {
    const body = `{"productKey":"pk","deviceName":"dn","items":{"a":{"value":"x\\u0000y"},"b":{"value":1e5000}}}`;
    expect(newsOf('/pk/dn/thing/event/property/post', body)).toMatchObject([
      { identifier: 'a', reason: 'not-storable', value: '{"value": "x\\\\u0000y"}' },
      { identifier: 'b', reason: 'too-long', value: '{"value": "1e5000"}' },
    ]);
  });
});
