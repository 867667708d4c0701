import { describe, expect, it } from '@jest/globals';
import { at, boiler, eventsOf, purifier } from '../../test/support/decoded.js';
import { aMessage } from '../../test/support/messages.js';
import { decodeMessage } from './decode-message.js';

describe('what a body may say of itself (promise 6)', () => {
  const report = { ...purifier, items: { a: { value: 1, time: 1700000100000 } } };
  const topologyOf = (devices: object[]) => ({
    gwProductKey: 'h9DemoEnt02',
    gwDeviceName: 'boiler-3',
    action: 'create',
    devices,
  });
  const decode = (topic: string | null, body: unknown, bodyIdentity: 'topic' | 'any') => {
    const { events: found, refusal } = decodeMessage(aMessage({ topic, body }), { bodyIdentity });
    return (
      refusal?.reason ?? found.map((event) => `${event.kind} ${'device' in event ? event.device.deviceName : '-'}`)
    );
  };

  it.each<[string, string | null, unknown, unknown, unknown]>([
    [
      "another device's name on a custom topic",
      '/h9DemoEnt02/boiler-3/user/up',
      report,
      ['custom-message-received boiler-3'],
      ['properties-reported purifier-17'],
    ],
    [
      'its own name on a custom topic',
      '/a1DemoLiv01/purifier-17/user/up',
      report,
      ['properties-reported purifier-17'],
      ['properties-reported purifier-17'],
    ],
    [
      'the same device name of another product',
      '/h9DemoEnt02/purifier-17/user/up',
      report,
      ['custom-message-received purifier-17'],
      ['properties-reported purifier-17'],
    ],
    [
      'a claim on other devices in its own name',
      '/h9DemoEnt02/boiler-3/user/up',
      topologyOf([purifier]),
      ['custom-message-received boiler-3'],
      ['topology-changed boiler-3', 'gateway-changed purifier-17'],
    ],
    ['a report on a topic of nobody', 'alarms', report, 'unknown-topic', ['properties-reported purifier-17']],
    ['a nameless report on a topic of nobody', 'alarms', { items: {} }, 'unknown-topic', 'no-device'],
    ['anything else on a topic of nobody', '/a', { x: 1 }, 'unknown-topic', 'invalid-body'],
    [
      'a report without a topic',
      null,
      report,
      ['properties-reported purifier-17'],
      ['properties-reported purifier-17'],
    ],
    ['a nameless report without a topic', null, { items: {} }, 'no-topic', 'no-topic'],
    ['anything else without a topic', null, { x: 1 }, 'no-topic', 'no-topic'],
    ['no JSON without a topic', null, 'x', 'no-topic', 'no-topic'],
    [
      "another name on the platform's topic",
      '/h9DemoEnt02/boiler-3/thing/event/property/post',
      report,
      ['properties-reported purifier-17'],
      ['properties-reported purifier-17'],
    ],
  ])('%s', (_, topic, body, byTopic, byAny) => {
    expect(decode(topic, body, 'topic')).toEqual(byTopic);
    expect(decode(topic, body, 'any')).toEqual(byAny);
  });
});

describe('the message beside its events', () => {
  it('carries the time of sending, which redelivery does not change', () => {
    const message = aMessage({
      topic: null,
      body: { ...purifier, gmtCreate: 1700000123456, items: {} },
      generateTime: null,
    });
    const later = { ...message, receivedAt: new Date(message.receivedAt.getTime() + 86_400_000) };
    expect(decodeMessage(message, { bodyIdentity: 'topic' }).sentAt).toEqual(at(1700000123456));
    expect(decodeMessage(later, { bodyIdentity: 'topic' })).toMatchObject({
      sentAt: at(1700000123456),
      key: decodeMessage(message, { bodyIdentity: 'topic' }).key,
    });
  });

  it('is the message as it came, but for secrets, and keyed by what came', () => {
    const lifecycle = { action: 'create', ...boiler, messageCreateTime: 1700000100000 };
    const withSecret = aMessage({
      topic: '/h9DemoEnt02/boiler-3/user/x',
      body: { ...lifecycle, deviceSecret: 's3cr3t' },
    });
    const other = { ...withSecret, body: Buffer.from(withSecret.body.toString().replace('s3cr3t', 'other')) };
    const decoded = decodeMessage(withSecret, { bodyIdentity: 'topic' });
    expect(decoded.raw.body.toString()).toBe(withSecret.body.toString().replace('s3cr3t', ''));
    expect(decoded.key).not.toBe(decodeMessage(other, { bodyIdentity: 'topic' }).key);
    const custom = decodeMessage(
      { ...withSecret, body: Buffer.from('{"deviceSecret":"s3cr3t"}') },
      { bodyIdentity: 'topic' },
    );
    expect(JSON.stringify(custom.events)).not.toContain('s3cr3t');
    expect(custom.events).toMatchObject([{ kind: 'custom-message-received', value: '{"deviceSecret": ""}' }]);
  });

  it.each([
    ['free text', 'Zähler 3, Keller', 'Zähler 3, Keller'],
    ['nothing but a number', 5, null],
    ['a NUL', 'a\0', null],
    ['an endless one', 'x'.repeat(257), null],
  ])('takes %s for an iotId as %j', (_, iotId, kept) => {
    const [first] = eventsOf(null, { ...purifier, deviceType: 'T', iotId, items: {} });
    expect(first).toMatchObject({ kind: 'device-identified', iotId: kept, deviceType: 'T' });
  });
});
