import { describe, expect, it } from '@jest/globals';
import { SENT, at, boiler, eventsOf } from '../../../test/support/decoded.js';

describe('custom topics (7.18)', () => {
  const topic = '/h9DemoEnt02/boiler-3/user/up';

  it.each<[string, string | Buffer, string, string]>([
    ['an object', '{"b":1,"a":[2.0]}', 'json', '{"a": [2], "b": 1}'],
    ['a number', ' 5e1 ', 'json', '50'],
    ['text', 'hello "you"\n', 'text', '"hello \\"you\\"\\n"'],
    ['nothing', '', 'text', '""'],
    ['JSON that PostgreSQL cannot hold', '{"a":"\\u0000"}', 'text', '"{\\"a\\":\\"\\\\u0000\\"}"'],
    ['JSON that is too deep', '['.repeat(65) + ']'.repeat(65), 'text', `"${'['.repeat(65)}${']'.repeat(65)}"`],
    ['text with a NUL', 'a\0b', 'base64', '"YQBi"'],
    ['bytes', Buffer.from([0xff, 0x00, 0x7f]), 'base64', '"/wB/"'],
  ])('keep %s', (_, body, encoding, value) => {
    expect(eventsOf(topic, body)).toEqual([
      { kind: 'custom-message-received', device: boiler, at: at(SENT), topic, encoding, value },
    ]);
  });

  it('happen at the receipt where there is no generateTime, whatever the body claims', () => {
    const receivedAt = at(1700000999000);
    expect(eventsOf(topic, { time: 5, gmtCreate: 6 }, { generateTime: null, receivedAt })).toMatchObject([
      { at: receivedAt },
    ]);
  });

  it.each([
    ['a report without a name', { items: { a: { value: 1 } } }],
    ['a report with a broken name', { productKey: 5, deviceName: 'boiler-3', items: {} }],
    ['a status without its time', { ...boiler, status: 'online' }],
    ['a life cycle of an unknown kind', { ...boiler, action: 'explode' }],
  ])("take %s for the device's own affair", (_, body) => {
    expect(eventsOf(topic, body)).toMatchObject([{ kind: 'custom-message-received', encoding: 'json' }]);
  });
});
