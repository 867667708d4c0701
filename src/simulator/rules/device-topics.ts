import type { Device } from '../devices/device.js';
import type { Downlinks } from '../devices/downlink.js';
import type { Json } from '../devices/json.js';
import type { Registry } from '../devices/registry.js';

/** How a rule reaches devices (`writeIotTopic`). */
export interface DeviceTopics {
  readonly registry: Registry;
  readonly downlinks: Downlinks;
  /** Hands a message to a connected device; false when it is not connected or has not subscribed to the topic. */
  readonly hand: (device: Device, topic: string, body: Uint8Array) => boolean;
}

/**
 * Publishes on a topic of a device, where the platform lets rules do so: its custom topics, and the one that sets its
 * properties. Says why it cannot, or null.
 */
export function publishToDevice(
  { registry, downlinks, hand }: DeviceTopics,
  topic: string,
  body: Uint8Array,
): string | null {
  const [, sys, productKey = '', deviceName = '', rest = ''] = /^(\/sys)?\/([^/]+)\/([^/]+)\/(.+)$/.exec(topic) ?? [];
  const device = registry.device(productKey, deviceName);
  if (!device) return `writeIotTopic: ${topic} belongs to no device`;
  if (sys === undefined) return hand(device, topic, body) ? null : `writeIotTopic: no device listens to ${topic}`;
  if (rest !== 'thing/service/property/set') return `writeIotTopic: rules may not publish on ${topic}`;
  const params = paramsOf(body);
  if (!params) return `writeIotTopic: what is published on ${topic} must be a JSON object`;
  downlinks.send(device, 'property/set', params);
  return null;
}

/** The values of properties: what stands under `params`, or all of it. */
function paramsOf(body: Uint8Array): Readonly<Record<string, Json>> | null {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  return isObject(value.params) ? value.params : value;
}

function isObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
