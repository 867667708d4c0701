import { isUtf8 } from 'node:buffer';
import type { CustomMessageReceived } from '../../domain/device-event.js';
import type { DeviceKey } from '../../domain/device-key.js';
import { canonicalJson } from '../canonical-json.js';
import type { Json } from '../json.js';
import { isStorable, visibleText } from '../storable-text.js';

/** Bytes on a topic of the device's own choosing (protocol 7.18): as JSON if they are, else as text, else as Base64. */
export function customMessage(
  device: DeviceKey,
  topic: string,
  at: Date,
  body: Buffer,
  json: Json | undefined,
): CustomMessageReceived {
  return { kind: 'custom-message-received', device, at, topic: visibleText(topic), ...encoded(body, json) };
}

function encoded(body: Buffer, json: Json | undefined): Pick<CustomMessageReceived, 'encoding' | 'value'> {
  const value = json === undefined ? null : canonicalJson(json);
  if (typeof value === 'string') return { encoding: 'json', value };
  const text = isUtf8(body) ? body.toString('utf8') : null;
  if (text !== null && isStorable(text)) return { encoding: 'text', value: JSON.stringify(text) };
  return { encoding: 'base64', value: JSON.stringify(body.toString('base64')) };
}
