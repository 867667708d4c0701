import { describe, expect, it } from '@jest/globals';
import { SENT, at, eventsOf, identified, livingIot, newsOf, purifier } from '../../../test/support/decoded.js';

describe('event post (7.2, 7.12)', () => {
  const alarm = {
    identifier: 'FilterAlarm',
    name: 'Filter worn out',
    type: 'alert',
    ...livingIot,
    time: 1700000100777,
    value: { RemainingPercent: 4, FilterId: 'F-2' },
  };
  const raised = {
    kind: 'event-raised',
    device: purifier,
    at: at(1700000100777),
    identifier: 'FilterAlarm',
    name: 'Filter worn out',
    type: 'alert',
    requestId: null,
    value: '{"FilterId": "F-2", "RemainingPercent": 4}',
  };

  it.each([
    '/a1DemoLiv01/purifier-17/thing/event/FilterAlarm/post',
    '/a1DemoLiv01/purifier-17/thing/event/FilterAlarm/history/post',
    '/a1DemoLiv01/purifier-17/user/forwarded',
    null,
  ])('is an event on %s', (topic) => {
    expect(eventsOf(topic, alarm)).toEqual([
      identified(purifier, 1700000100777, 'lv0Zc3demoIot0001', 'AirPurifier'),
      raised,
    ]);
  });

  it('takes its identifier from the topic where the body has none', () => {
    const { identifier: _, ...nameless } = alarm;
    expect(newsOf('/a1DemoLiv01/purifier-17/thing/event/FilterAlarm/post', nameless)).toEqual([raised]);
  });

  it.each([
    ['"79060"', '79060'],
    ['79060', '79060'],
    ['9223372036854775807', '9223372036854775807'],
    ['"null"', null],
    ['""', null],
    ['null', null],
    ['{}', null],
  ])('keeps the request id %s as %j', (sent, requestId) => {
    const body = JSON.stringify(alarm).replace('{', `{"requestId":${sent},`);
    expect(newsOf(null, body)).toEqual([{ ...raised, requestId }]);
  });

  it.each([
    ['a NUL in its value', { value: { a: '\0' } }, 'not-storable', 1700000100777],
    ['an absurd time', { time: 'soon' }, 'bad-time', SENT],
    ['a time in the far future', { time: SENT + 26 * 3_600_000 }, 'future-time', SENT],
    ['an endless name', { identifier: 'i'.repeat(300) }, 'too-long', 1700000100777],
  ])('is a rejected value with %s', (_, change, reason, ms) => {
    expect(newsOf('/a1DemoLiv01/purifier-17/thing/event/FilterAlarm/post', { ...alarm, ...change })).toEqual([
      expect.objectContaining({ kind: 'value-rejected', device: purifier, at: at(ms), reason }),
    ]);
  });

  it('keeps failed checks beside the event', () => {
    const body = { ...alarm, checkFailedData: { Level: { code: 6306, message: 'no', value: 'x' } } };
    expect(newsOf(null, body)).toEqual([
      raised,
      expect.objectContaining({ kind: 'value-rejected', identifier: 'Level', reason: 'check-failed' }),
    ]);
  });
});
