import { describe, expect, it } from '@jest/globals';
import { SENT, at, boiler, boilerIot, eventsOf, identified, newsOf } from '../../../test/support/decoded.js';

describe('device status, Enterprise (7.5)', () => {
  const body = {
    status: 'offline',
    ...boilerIot,
    offlineReasonCode: 427,
    time: '2023-11-15 06:15:10.480',
    utcTime: '2023-11-14T22:15:10.480Z',
    lastTime: '2023-11-15 06:15:10.102',
    utcLastTime: '2023-11-14T22:15:10.102Z',
    clientIp: '198.51.100.23',
  };
  const offline = {
    kind: 'presence-changed',
    device: boiler,
    at: at(Date.parse('2023-11-14T22:15:10.480Z')),
    online: false,
    orderedBy: at(Date.parse('2023-11-14T22:15:10.102Z')),
    reason: 427,
    detail:
      '{"time": "2023-11-15 06:15:10.480", "clientIp": "198.51.100.23", "lastTime": "2023-11-15 06:15:10.102", "utcLastTime": "2023-11-14T22:15:10.102Z"}',
  };
  const topic = '/as/mqtt/status/h9DemoEnt02/boiler-3';

  it.each([topic, '/mqtt/status/h9DemoEnt02/boiler-3', '/h9DemoEnt02/boiler-3/user/forwarded', null])(
    'is presence on %s, ordered by the last packet',
    (where) => {
      expect(eventsOf(where, body)).toEqual([
        identified(boiler, Date.parse('2023-11-14T22:15:10.480Z'), 'en7Qx1demoIot0042', null),
        offline,
      ]);
    },
  );

  it('is ordered by its own time behind a protocol gateway', () => {
    expect(newsOf('/sys/h9DemoEnt02/boiler-3/device/status/notify', { ...body, protocol: 'sl651' })).toMatchObject([
      { kind: 'presence-changed', orderedBy: offline.at, detail: expect.stringContaining('"protocol": "sl651"') },
    ]);
  });

  it('is ordered by its own time in the reduced form', () => {
    const { lastTime: _a, utcLastTime: _b, clientIp: _c, ...reduced } = body;
    expect(newsOf(topic, reduced)).toMatchObject([{ at: offline.at, orderedBy: offline.at, reason: 427 }]);
  });

  it('falls back to generateTime where it has no zoned time', () => {
    expect(newsOf(topic, { ...boiler, status: 'online', time: '2023-11-15 06:15:10.480' })).toMatchObject([
      { kind: 'presence-changed', online: true, at: at(SENT), orderedBy: at(SENT), reason: null },
    ]);
  });

  it("is ordered by its own time when the last packet's is absurd, which is rejected", () => {
    expect(newsOf(topic, { ...body, utcLastTime: '0000-01-01T00:00:00Z' })).toMatchObject([
      { kind: 'presence-changed', orderedBy: offline.at },
      { kind: 'value-rejected', identifier: 'utcLastTime', reason: 'bad-time', value: '"0000-01-01T00:00:00Z"' },
    ]);
  });

  it.each(['soon', '2033-11-14T22:15:10.480Z', 5e300])('is a rejected value with utcTime %j', (utcTime) => {
    expect(newsOf(topic, { ...body, utcTime })).toMatchObject([{ kind: 'value-rejected', device: boiler }]);
  });
});
