import type { z } from 'zod';
import type { DeviceEvent, ValueRejected, ValueRejectionReason } from '../domain/device-event.js';
import type { DeviceKey } from '../domain/device-key.js';
import type { Refusal } from '../domain/raw-message.js';
import type { CanonicalJson } from '../domain/value.js';
import { canonicalJson, visibleJson } from './canonical-json.js';
import type { Json, JsonObject } from './json.js';
import type { MessageTimes } from './message-times.js';
import { visibleShort } from './storable-text.js';
import type { Topic, TopicKind } from './topic.js';
import { attributeOf } from './wire-types.js';

/** A message whose body is believed, as decoders see it. */
export interface Message {
  /** Whose it is: the device or gateway that it speaks of; for a message about a product, a device without a name. */
  readonly device: DeviceKey;
  readonly body: JsonObject;
  readonly topic: Topic;
  readonly times: MessageTimes;
}

/** Where a body names whom it speaks of. */
export type Subject = 'device' | 'gateway' | 'product';

interface Definition<Body extends object> {
  /** The message's name for people, with its section of the protocol. */
  readonly name: string;
  /** The platform's topics of this message. */
  readonly topics: readonly TopicKind[];
  readonly subject?: Subject;
  /** Whether a body can only be of this kind. Looks at little: `body` checks the rest. */
  readonly shape: (body: JsonObject, topic: Topic) => boolean;
  readonly body: z.ZodType<Body>;
  /** Other devices that the body tells news of, beside its subject. */
  readonly others?: (body: JsonObject) => readonly DeviceKey[];
  /** What it tells; a refusal only where there is no device whose rejected value it could be. */
  readonly toEvents: (body: Body, message: Message) => readonly DeviceEvent[] | Refusal;
}

/** One kind of platform message: how to know it, and what it tells. */
export interface Decoder {
  readonly name: string;
  readonly topics: readonly TopicKind[];
  readonly subject: Subject;
  readonly shape: (body: JsonObject, topic: Topic) => boolean;
  readonly others: (body: JsonObject) => readonly DeviceKey[];
  /** What the message tells, or why it is not of this kind after all. */
  readonly decode: (message: Message) => readonly DeviceEvent[] | Refusal;
}

/** Makes a decoder of a schema and a mapping. What the message says of its device's attributes is added to every kind. */
export function decoder<Body extends object>(definition: Definition<Body>): Decoder {
  const { name, topics, subject = 'device', shape, others = () => [], body: schema, toEvents } = definition;
  return {
    name,
    topics,
    subject,
    shape,
    others,
    decode(message) {
      const parsed = schema.safeParse(message.body);
      if (!parsed.success) {
        return { reason: 'invalid-body', detail: `Not a valid ${name}: ${explain(parsed.error)}.` };
      }
      const events = toEvents(parsed.data, message);
      if ('reason' in events) return events;
      const attributes = subject === 'device' ? identified(message, message.device, message.body) : null;
      return attributes === null ? events : [attributes, ...events];
    },
  };
}

function explain(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map(({ path, message }) => `\`${visibleShort(path.join('.'), 80)}\`: ${message}`)
    .join('; ');
}

/** The attributes that a part of a message gives of a device; null when it gives none. */
export function identified(
  { times }: Message,
  device: DeviceKey,
  { iotId, deviceType }: { readonly iotId?: Json; readonly deviceType?: Json },
): DeviceEvent | null {
  const attributes = { iotId: attributeOf(iotId), deviceType: attributeOf(deviceType) };
  if (attributes.iotId === null && attributes.deviceType === null) return null;
  return { kind: 'device-identified', device, at: times.at, ...attributes };
}

/** A value that could not be kept: what it is of, why, what was sent, and its own time if that can be believed. */
export function rejected(
  message: Message,
  identifier: string | null,
  reason: ValueRejectionReason,
  sent: Json,
  time?: Json,
): ValueRejected {
  const at = message.times.of(time);
  return {
    kind: 'value-rejected',
    device: message.device,
    at: at instanceof Date ? at : message.times.at,
    identifier: identifier === null ? null : visibleShort(identifier),
    reason,
    value: visibleJson(sent),
  };
}

/** The one fact of a message. When its time cannot be believed, the whole body is a rejected value. */
export function fact(
  message: Message,
  time: Json | undefined,
  toEvents: (at: Date) => readonly DeviceEvent[],
): readonly DeviceEvent[] {
  const at = message.times.of(time);
  return typeof at === 'string' ? [rejected(message, null, at, message.body)] : toEvents(at);
}

/** The one fact of a message with a value of its own, which too must be one that can be kept. */
export function valueFact(
  message: Message,
  time: Json | undefined,
  value: Json,
  toEvent: (at: Date, value: CanonicalJson) => DeviceEvent,
): readonly DeviceEvent[] {
  return fact(message, time, (at) => {
    const text = canonicalJson(value);
    return [typeof text === 'string' ? toEvent(at, text) : rejected(message, null, text.reason, message.body, time)];
  });
}
