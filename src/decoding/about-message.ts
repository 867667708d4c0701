import type { About } from '../domain/decoded-message.js';
import type { DeviceEvent } from '../domain/device-event.js';
import type { Decoder } from './decoder.js';
import { subjectOf } from './device-identity.js';
import type { JsonObject } from './json.js';
import { readTopic, type Topic } from './topic.js';

/** What a topic alone tells of its message. */
export function aboutTopic(topic: Topic): About {
  const device = 'device' in topic ? topic.device : null;
  return {
    kind: topic.scope === 'platform' ? topic.kind : topic.scope === 'custom' ? 'custom' : null,
    productKey: device?.productKey ?? null,
    deviceName: device?.deviceName ?? null,
  };
}

/** The same with a body: its shape before the topic, and the device that it names before the topic's. */
export function aboutBody(body: JsonObject, topic: Topic, decoders: readonly Decoder[]): About {
  const ofTopic = aboutTopic(topic);
  const decoder = decoders.find(({ shape }) => shape(body, topic));
  const named = subjectOf(body, decoder?.subject ?? 'device', 'device' in topic ? topic.device : null);
  const device = 'reason' in named ? null : named;
  return {
    kind: decoder?.topics[0] ?? ofTopic.kind,
    productKey: device?.productKey ?? ofTopic.productKey,
    deviceName: device ? device.deviceName || null : ofTopic.deviceName,
  };
}

/** What is known of a message that was understood and could not be stored. */
export function aboutEvents(topic: string | null, events: readonly DeviceEvent[]): About {
  const ofTopic = aboutTopic(readTopic(topic));
  for (const event of events) if ('device' in event) return { ...ofTopic, ...keyOf(event.device) };
  return ofTopic;
}

function keyOf({ productKey, deviceName }: { readonly productKey: string; readonly deviceName: string }) {
  return { productKey, deviceName };
}
