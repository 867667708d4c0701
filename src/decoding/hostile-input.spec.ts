import { describe, expect, it } from '@jest/globals';
import { eventsOf, newsOf, SENT } from '../../test/support/decoded.js';
import { aMessage } from '../../test/support/messages.js';
import { decodeMessage } from './decode-message.js';

const PROPERTY_TOPIC = '/pk/dn/thing/event/property/post';
const MIB = 1024 * 1024;

const deep = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
const withItem = (value: string): string => `{"productKey":"pk","deviceName":"dn","items":{"x":{"value":${value}}}}`;
const refusalOf = (topic: string | null, body: string | Buffer) =>
  decodeMessage(aMessage({ topic, body }), { bodyIdentity: 'topic' }).refusal;

describe('hostile input', () => {
  it.each<[string, string | Buffer, string, RegExp]>([
    ['nothing', '', 'not-json', /JSON/],
    ['text', 'hello', 'not-json', /JSON/],
    ['JSON that breaks off', '{"items":{"x"', 'not-json', /JSON/],
    ['a NUL after the JSON', '{"items":{}}\0', 'not-json', /JSON/],
    ['a raw NUL in a string', '{"a":"\0"}', 'not-json', /JSON/],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'not-json', /UTF-8/],
    ['an overlong NUL', Buffer.from([0x22, 0xc0, 0x80, 0x22]), 'not-json', /UTF-8/],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'not-json', /UTF-8/],
    ['UTF-16', Buffer.from('{"items":{}}', 'utf16le'), 'not-json', /JSON/],
    ['1 MiB of nothing', Buffer.alloc(MIB), 'not-json', /JSON/],
    ['1 MiB of quotes', '"'.repeat(MIB), 'not-json', /JSON/],
    ['1 MiB of backslashes', `"${'\\'.repeat(MIB)}`, 'not-json', /JSON/],
    ['depth 10,000', deep(10_000), 'too-deep', /64/],
    ['depth 10,000 beside a report', `{"items":{},"extra":${deep(10_000)}}`, 'too-deep', /64/],
    ['brackets that never close', '['.repeat(MIB), 'too-deep', /64/],
    ['an array', '[1]', 'not-an-object', /array/],
    ['null', 'null', 'not-an-object', /null/],
    ['text in JSON', '"x"', 'not-an-object', /string/],
    ['a number', '5e500', 'not-an-object', /number/],
    ['an empty object', '{}', 'invalid-body', /items/],
    ['items of the wrong type', '{"items":[]}', 'invalid-body', /items/],
    ['items behind __proto__', '{"__proto__":{"items":{}}}', 'invalid-body', /items/],
    ['a product key that is a number', '{"productKey":5,"deviceName":"dn","items":{}}', 'invalid-body', /productKey/],
    ['a device name that is an object', '{"productKey":"pk","deviceName":{},"items":{}}', 'invalid-body', /deviceName/],
    [
      'an endless device name',
      `{"productKey":"pk","deviceName":"${'d'.repeat(257)}","items":{}}`,
      'invalid-body',
      /deviceName/,
    ],
    ['a NUL in the device name', '{"productKey":"pk","deviceName":"\\u0000","items":{}}', 'not-storable', /deviceName/],
    [
      'half a pair in the product key',
      '{"productKey":"\\ud800","deviceName":"d","items":{}}',
      'not-storable',
      /productKey/,
    ],
    ['half of another name', '{"productKey":"pk2","items":{}}', 'no-device', /deviceName/],
    ['the other half', '{"deviceName":"dn2","items":{}}', 'no-device', /productKey/],
  ])('%s is refused', (_, body, reason, detail) => {
    const refusal = refusalOf(PROPERTY_TOPIC, body);
    expect(refusal).toEqual({ reason, detail: expect.stringMatching(detail) });
    expect(refusal?.detail.length).toBeLessThanOrEqual(500);
    expect(refusal?.detail).not.toContain('\0');
  });

  it.each<[string, object, RegExp]>([
    ['/pk/dn/thing/event/X/post', { identifier: 'X', value: 5, time: 1 }, /`value`/],
    ['/pk/dn/thing/event/X/post', { identifier: 5, value: {} }, /`identifier`/],
    ['/pk/dn/thing/property/batch/post', { payload: [] }, /`payload`/],
    ['/pk/dn/thing/event/batch/post', { payload: 'x' }, /`payload`/],
    ['/pk/dn/thing/downlink/reply/message', { code: 200, message: '' }, /`requestId`/],
    ['/pk/dn/thing/downlink/reply/message', { code: {}, requestId: '1' }, /`code`/],
    ['/mqtt/status/pk/dn', { status: 5 }, /`status`/],
    ['/mqtt/status/pk/dn', { status: { value: '7', time: 1 }, action: 'online' }, /`status.value`/],
    ['/mqtt/status/pk/dn', { action: 'online' }, /`status`/],
    ['/as/mqtt/status/pk/dn', { status: 'UNACTIVE', utcTime: '2023-11-14T22:15:10.480Z' }, /`status`/],
    ['/pk/dn/thing/awss/enrollee/user', { bind: 'true', identityInfos: [] }, /`bind`/],
    ['/pk/dn/thing/awss/enrollee/user', { bind: true, identityInfos: {} }, /`identityInfos`/],
    ['/pk/dn/thing/lifecycle', { action: 'explode' }, /`action`/],
    ['/pk/dn/thing/topo/lifecycle', { action: 'explode', devices: [] }, /`action`/],
    ['/pk/dn/thing/topo/lifecycle', { action: 'create', devices: 5 }, /`devices`/],
    ['/pk/dn/thing/list/found', {}, /`devices`/],
    ['/pk/dn/thing/deviceinfo/update', { value: {} }, /`value`/],
    ['/pk/dn/ota/upgrade', { jobId: 'j' }, /`status`/],
    ['/pk/dn/ota/progress/post', {}, /`step`/],
    ['/pk/dn/ota/version/post', { moduleVersion: 5 }, /`moduleVersion`/],
    ['/pk/pkg/job/ota/job/status', { productKey: 'pk', packageId: 'p', jobId: 'j' }, /`status`/],
  ])('a field of the wrong type on %s is named: %j', (topic, body, field) => {
    expect(refusalOf(topic, JSON.stringify(body))).toEqual({
      reason: 'invalid-body',
      detail: expect.stringMatching(field),
    });
  });

  it.each<[string, string, object]>([
    ['1e400', '1e400', { value: { kind: 'number', text: `1${'0'.repeat(400)}` } }],
    ['1e-400', '1e-400', { value: { kind: 'number', text: `0.${'0'.repeat(399)}1` } }],
    ['19 digits', '9223372036854775807', { value: { kind: 'number', text: '9223372036854775807' } }],
    ['17-digit doubles', '0.56639999999999990', { value: { kind: 'number', text: '0.5663999999999999' } }],
    ['minus zero', '-0.0', { value: { kind: 'number', text: '0' } }],
    ['99.0', '99.0', { value: { kind: 'number', text: '99' } }],
    ['a null', 'null', { value: { kind: 'json', text: 'null' } }],
    ['__proto__ in a struct', '{"__proto__":{"a":1}}', { value: { kind: 'json', text: '{"__proto__": {"a": 1}}' } }],
    ['a repeated key', '{"a":1,"a":2}', { value: { kind: 'json', text: '{"a": 2}' } }],
    ['a repeated key and long digits', '{"a":1,"a":1e1}', { value: { kind: 'json', text: '{"a": 10}' } }],
    ['depth 61', deep(61), { value: { kind: 'json', text: deep(61).replaceAll(':', ': ') } }],
  ])('%s is kept', (_, value, reading) => {
    expect(newsOf(PROPERTY_TOPIC, withItem(value))).toMatchObject([{ readings: [reading] }]);
  });

  it.each([
    [
      'repeated items',
      '{"productKey":"pk","deviceName":"dn","items":{"a":{"value":1}},"items":{"b":{"value":2}}}',
      'b',
    ],
    ['a repeated property', '{"productKey":"pk","deviceName":"dn","items":{"b":5,"b":{"value":2}}}', 'b'],
    [
      'a property named __proto__',
      '{"productKey":"pk","deviceName":"dn","items":{"__proto__":{"value":2}}}',
      '__proto__',
    ],
    [
      'a property named constructor',
      '{"productKey":"pk","deviceName":"dn","items":{"constructor":{"value":2}}}',
      'constructor',
    ],
    ['repeated keys and long digits', '{"items":{"a":{"value":1e5}},"items":{"c":{"value":2}}}', 'c'],
  ])('%s: the last one wins and is an ordinary key', (_, body, identifier) => {
    expect(newsOf(PROPERTY_TOPIC, body)).toMatchObject([
      { readings: [{ identifier, value: { kind: 'number', text: '2' } }] },
    ]);
  });

  it.each([
    ['no time', '{}'],
    ['a time that is an object', '{"gmtCreate":{}}'],
    ['the year 0', '{"gmtCreate":-62135596800001}'],
    ['the year 300000', '{"gmtCreate":9404907926400000}'],
    ['1e400', '{"gmtCreate":1e400}'],
  ])('a report of %s happened at generateTime', (_, extra) => {
    const body = `{"items":{"x":{"value":1}},${extra.slice(1)}`.replace(',}', '}');
    expect(newsOf(PROPERTY_TOPIC, body)).toMatchObject([{ at: new Date(SENT), readings: [{ at: new Date(SENT) }] }]);
  });

  it('does without a messageId, a generateTime and anything else beside the body', () => {
    const bare = { messageId: null, generateTime: null, properties: {} };
    expect(eventsOf(null, withItem('1'), bare)).toHaveLength(1);
    expect(eventsOf('/pk/dn/user/x', 'hello', bare)).toHaveLength(1);
  });

  it('hands on why a transport could not get at the body', () => {
    const message = aMessage({ topic: PROPERTY_TOPIC, body: withItem('1'), fault: 'not-base64' });
    expect(decodeMessage(message, { bodyIdentity: 'topic' }).refusal).toMatchObject({ reason: 'not-base64' });
  });

  it('keeps 1 MiB of one value', () => {
    const text = 'x'.repeat(MIB);
    expect(newsOf(PROPERTY_TOPIC, withItem(`"${text}"`))).toMatchObject([
      { readings: [{ value: { kind: 'json', text: `"${text}"` } }] },
    ]);
  });
});
