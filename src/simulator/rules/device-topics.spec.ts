import { expect, it } from '@jest/globals';
import { aDevice, aProduct } from '../../../test/support/simulated-device.js';
import type { Device } from '../devices/device.js';
import { Downlinks, type Command } from '../devices/downlink.js';
import { Registry } from '../devices/registry.js';
import { publishToDevice } from './device-topics.js';

const product = aProduct({ productKey: 'h9DemoEnt02' });
const device = aDevice({ product, deviceName: 'boiler-3' });
device.activated = true;
const registry = new Registry();
registry.add(device);

function publish(topic: string, body: string, listens = true): { why: string | null; sent: unknown[] } {
  const sent: unknown[] = [];
  const downlinks = new Downlinks(
    () => '',
    () => 0,
  );
  downlinks.add({
    send: (to, { service, params }: Command) => sent.push([to.key, service, params]) > 0,
  });
  const hand = (to: Device, on: string, bytes: Uint8Array): boolean =>
    listens && sent.push([to.key, on, Buffer.from(bytes).toString()]) > 0;
  return { why: publishToDevice({ registry, downlinks, hand }, topic, Buffer.from(body)), sent };
}

const SET = '/sys/h9DemoEnt02/boiler-3/thing/service/property/set';
const CUSTOM = '/h9DemoEnt02/boiler-3/user/get';

it.each([
  ['sets properties', SET, '{"On":1}', [['h9DemoEnt02:boiler-3', 'property/set', { On: 1 }]]],
  ['sets what stands under params', SET, '{"params":{"On":1}}', [['h9DemoEnt02:boiler-3', 'property/set', { On: 1 }]]],
  ['hands over any bytes', CUSTOM, 'x', [['h9DemoEnt02:boiler-3', CUSTOM, 'x']]],
])('%s', (_name, topic, body, expected) => {
  expect(publish(topic, body)).toEqual({ why: null, sent: expected });
});

it.each([
  ['/h9DemoEnt02/boiler-4/user/get', '{}', true, 'belongs to no device'],
  ['nonsense', '{}', true, 'belongs to no device'],
  ['/sys/h9DemoEnt02/boiler-3/thing/service/property/get', '{}', true, 'rules may not publish'],
  [SET, '[]', true, 'must be a JSON object'],
  [SET, '{', true, 'must be a JSON object'],
  [CUSTOM, '{}', false, 'no device listens'],
])('refuses %s with %s (listened to: %s)', (topic, body, listens, why) => {
  const refused = publish(topic, body, listens);
  expect(refused.why).toContain(why);
  expect(refused.sent).toEqual([]);
});
