import { describe, expect, it } from '@jest/globals';
import { at, eventsOf, identified, newsOf, purifier } from '../../../test/support/decoded.js';

describe('downlink reply (7.3)', () => {
  const topic = '/a1DemoLiv01/purifier-17/thing/downlink/reply/message';
  const body = {
    gmtCreate: 1700000101000,
    iotId: 'lv0Zc3demoIot0001',
    ...purifier,
    requestId: '550129',
    code: 200,
    message: 'success',
    topic: '/sys/a1DemoLiv01/purifier-17/thing/service/property/set',
    data: {},
  };

  it('is an answer of the device', () => {
    expect(eventsOf(topic, body)).toEqual([
      identified(purifier, 1700000101000, 'lv0Zc3demoIot0001', null),
      {
        kind: 'command-replied',
        device: purifier,
        at: at(1700000101000),
        requestId: '550129',
        byDevice: true,
        value:
          '{"code": 200, "data": {}, "topic": "/sys/a1DemoLiv01/purifier-17/thing/service/property/set", "message": "success", "requestId": "550129"}',
      },
    ]);
  });

  it.each([
    [200, true],
    [400, true],
    [403, false],
    [429, false],
    [460, true],
    [9200, false],
    [9201, false],
    ['9201', false],
    [100000, true],
  ])('with code %j is by the device: %j', (code, byDevice) => {
    expect(newsOf(topic, { ...body, code })).toMatchObject([{ kind: 'command-replied', byDevice }]);
  });

  it('keeps every digit of a request id, as number or as text', () => {
    const text = JSON.stringify(body).replace('"550129"', '1234567890123456789');
    expect(newsOf(topic, text)).toMatchObject([{ requestId: '1234567890123456789' }]);
  });

  it('does without data', () => {
    const { data: _, ...failed } = body;
    expect(newsOf(topic, failed)).toMatchObject([{ kind: 'command-replied' }]);
  });

  it('is a rejected value when its data cannot be kept', () => {
    expect(newsOf(topic, { ...body, data: { a: '\0' } })).toMatchObject([
      { kind: 'value-rejected', reason: 'not-storable' },
    ]);
  });
});
