import type { DeviceKey } from '../domain/device-key.js';
import type { Refusal } from '../domain/raw-message.js';
import type { Subject } from './decoder.js';
import { isJsonObject, type Json, type JsonObject } from './json.js';
import { isShort, isStorable } from './storable-text.js';

const FIELDS: Readonly<Record<Subject, readonly [string, string]>> = {
  device: ['productKey', 'deviceName'],
  gateway: ['gwProductKey', 'gwDeviceName'],
  product: ['productKey', ''],
};

/**
 * Whom a body speaks of: by the body, and where that names nobody by `fallback`, the device of a topic that only the
 * platform writes to. A product stands as a device without a name.
 */
export function subjectOf(body: JsonObject, subject: Subject, fallback: DeviceKey | null): DeviceKey | Refusal {
  const [productField, nameField] = FIELDS[subject];
  const productKey = read(body, productField, fallback?.productKey);
  if (typeof productKey !== 'string') return productKey;
  if (subject === 'product') return { productKey, deviceName: '' };
  // half a name is completed by the topic only where the other half agrees with it
  const deviceName = read(body, nameField, productKey === fallback?.productKey ? fallback.deviceName : undefined);
  if (typeof deviceName !== 'string') return deviceName;
  if (isMissing(body[productField]) && deviceName !== fallback?.deviceName) return noDevice(productField);
  return { productKey, deviceName };
}

/** A device as an entry of a list names it; null when it is no such entry. */
export function listedDevice(entry: Json): DeviceKey | null {
  if (!isJsonObject(entry)) return null;
  const device = subjectOf(entry, 'device', null);
  return 'reason' in device ? null : device;
}

export function isSameDevice(a: DeviceKey, b: DeviceKey): boolean {
  return a.productKey === b.productKey && a.deviceName === b.deviceName;
}

function read(body: JsonObject, field: string, fallback: string | undefined): string | Refusal {
  const value = body[field];
  if (isMissing(value)) return fallback ?? noDevice(field);
  if (typeof value !== 'string') return { reason: 'invalid-body', detail: `\`${field}\` is not text.` };
  if (!isShort(value)) return { reason: 'invalid-body', detail: `\`${field}\` is longer than 256 characters.` };
  if (!isStorable(value)) {
    return { reason: 'not-storable', detail: `\`${field}\` holds a NUL character or half of a surrogate pair.` };
  }
  return value;
}

function isMissing(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '';
}

function noDevice(field: string): Refusal {
  return { reason: 'no-device', detail: `Neither the body (\`${field}\`) nor the topic names the device.` };
}
