import { describe, expect, it } from '@jest/globals';
import { at, eventsOf, identified, livingIot, newsOf, purifier } from '../../../test/support/decoded.js';

describe('device status, Living (7.4)', () => {
  const body = {
    ...livingIot,
    action: 'offline',
    gmtCreate: 1700000100212,
    status: { time: 1700000100190, value: '0' },
  };
  const offline = {
    kind: 'presence-changed',
    device: purifier,
    at: at(1700000100190),
    online: false,
    orderedBy: at(1700000100190),
    reason: null,
    detail: '{}',
  };

  it.each(['/mqtt/status/a1DemoLiv01/purifier-17', '/a1DemoLiv01/purifier-17/mqtt/status', null])(
    'is presence on %s',
    (topic) => {
      expect(eventsOf(topic, body)).toEqual([
        identified(purifier, 1700000100212, 'lv0Zc3demoIot0001', 'AirPurifier'),
        offline,
      ]);
    },
  );

  it.each<[unknown, unknown, boolean]>([
    ['1', 'online', true],
    [1, 'online', true],
    ['0', 'offline', false],
    [0, 'offline', false],
    ['3', 'offline', false],
    [3, 'offline', false],
    ['1', 'offline', true],
    ['0', 'online', false],
    ['1', undefined, true],
    [undefined, 'online', true],
    [undefined, 'offline', false],
  ])('with value %j and action %j is online: %j', (value, action, online) => {
    const status = { time: 1700000100190, value };
    expect(newsOf(null, { ...body, action, status })).toEqual([{ ...offline, online }]);
  });

  it('is a rejected value, the body, when its time is absurd', () => {
    expect(newsOf(null, { ...purifier, status: { time: 'x', value: '1' }, gmtCreate: 1700000100212 })).toEqual([
      {
        kind: 'value-rejected',
        device: purifier,
        at: at(1700000100212),
        identifier: null,
        reason: 'bad-time',
        value:
          '{"status": {"time": "x", "value": "1"}, "gmtCreate": 1700000100212, "deviceName": "purifier-17", "productKey": "a1DemoLiv01"}',
      },
    ]);
  });
});
