import { expect, it } from '@jest/globals';
import { aMessage } from '../../test/support/messages.js';
import { decodeMessage } from './decode-message.js';

const about = (topic: string | null, body: unknown): unknown => {
  const message = decodeMessage(aMessage({ topic, body }), { bodyIdentity: 'topic' });
  return message.refusal === null ? 'understood' : message.about;
};
const NOTHING = { kind: null, productKey: null, deviceName: null };

it.each([
  ['its topic, when the body is no JSON', '/a1/lock/thing/event/property/post', '{', 'property-post', 'a1', 'lock'],
  ['a status topic', '/as/mqtt/status/a1/lock', 'x', 'status', 'a1', 'lock'],
  [
    'the shape of its body',
    '/a1/lock/thing/lifecycle',
    { items: { p: { value: 1 } }, productKey: 7 },
    'property-post',
    'a1',
    'lock',
  ],
  ['the device in its body', null, { productKey: 'b2', deviceName: 'door', odd: 1 }, null, 'b2', 'door'],
  ['the device in its body before the topic', '/x', { productKey: 'b2', deviceName: 'door' }, null, 'b2', 'door'],
])('a refused message is about what %s tells', (_, topic, body, kind, productKey, deviceName) => {
  expect(about(topic, body)).toEqual({ kind, productKey, deviceName });
});

it.each([
  [null, 'x'],
  ['/nobody', '[]'],
  [null, { productKey: 'b2' }],
  [null, { productKey: 'a\0', deviceName: 'x'.repeat(300) }],
])('nothing is made up where nothing is told (%j, %j)', (topic, body) => {
  expect(about(topic, body)).toEqual(NOTHING);
});
