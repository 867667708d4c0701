import type { DeviceEvent } from '../domain/device-event.js';
import { canonicalJson } from './canonical-json.js';
import { rejected, type Message } from './decoder.js';
import type { Json } from './json.js';
import { identifierFault } from './readings.js';
import { labelOf, requestIdOf } from './wire-types.js';

interface SentEvent {
  readonly identifier: string;
  readonly name?: Json | undefined;
  readonly type?: Json | undefined;
  readonly requestId?: Json | undefined;
  readonly value: Json;
  readonly time?: Json | undefined;
}

/** An event of the device's model, or what was wrong with it. */
export function raisedEvent(message: Message, sent: SentEvent): DeviceEvent {
  const { identifier, name, type, requestId, value, time } = sent;
  const what: Json = { identifier, value, ...(time === undefined ? {} : { time }) };
  const fault = identifierFault(identifier);
  if (fault !== null) return rejected(message, identifier, fault, what, time);
  const at = message.times.of(time);
  if (typeof at === 'string') return rejected(message, identifier, at, what);
  const text = canonicalJson(value);
  if (typeof text !== 'string') return rejected(message, identifier, text.reason, what, time);
  return {
    kind: 'event-raised',
    device: message.device,
    at,
    identifier,
    name: labelOf(name),
    type: labelOf(type),
    requestId: requestIdOf(requestId),
    value: text,
  };
}
