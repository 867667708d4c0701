// @ts-check
import { isObject } from './exact-json.mjs';
import { attribute, missing, Refused } from './facts.mjs';
import { isShort, isStorable } from './texts.mjs';

/**
 * @import { Json, JsonObject } from './exact-json.mjs'
 * @import { Fact, Message } from './facts.mjs'
 * @import { DeviceName } from './topic.mjs'
 */

// "Device: (productKey, deviceName) from the body, else from the topic, else set aside; never looked up through iotId."

/** @typedef {'device' | 'gateway' | 'product'} Subject */

/** @type {Readonly<Record<Subject, readonly [string, string]>>} */
const FIELDS = {
  device: ['productKey', 'deviceName'],
  gateway: ['gwProductKey', 'gwDeviceName'],
  product: ['productKey', ''],
};

/**
 * @param {JsonObject} body
 * @param {Subject} subject
 * @param {DeviceName | null} ofTopic where only the platform writes to it
 * @returns {DeviceName}
 * @throws {Refused}
 */
export function whoseMessage(body, subject, ofTopic) {
  const [keyField, nameField] = FIELDS[subject];
  const key = nameIn(body, keyField);
  const productKey = key ?? ofTopic?.productKey;
  if (productKey === undefined) throw new Refused('no-device');
  if (subject === 'product') return { productKey, deviceName: '' };
  const name = nameIn(body, nameField);
  const deviceName = name ?? (productKey === ofTopic?.productKey ? ofTopic.deviceName : undefined);
  // half a name is completed only by a topic that agrees with the other half
  if (deviceName === undefined || (key === null && deviceName !== ofTopic?.deviceName)) throw new Refused('no-device');
  return { productKey, deviceName };
}

/**
 * @param {JsonObject} body
 * @param {string} field
 */
function nameIn(body, field) {
  const value = body.get(field);
  if (missing(value)) return null;
  if (typeof value !== 'string' || !isShort(value)) throw new Refused('invalid-body');
  if (!isStorable(value)) throw new Refused('not-storable');
  return value;
}

/** A device as a list names it; null for anything else. @param {Json} entry */
export function listed(entry) {
  if (!isObject(entry)) return null;
  try {
    return whoseMessage(entry, 'device', null);
  } catch {
    return null;
  }
}

/**
 * @param {DeviceName} a
 * @param {DeviceName} b
 */
export const sameDevice = (a, b) => a.productKey === b.productKey && a.deviceName === b.deviceName;

/** @param {DeviceName} device */
export const nameOf = ({ productKey, deviceName }) => `${productKey}:${deviceName}`;

/**
 * What a part of a message says of a device's attributes.
 * @param {Message} message
 * @param {DeviceName} device
 * @param {Json | undefined} iotId
 * @param {Json | undefined} [deviceType]
 * @returns {Fact[]}
 */
export function attributes({ times }, device, iotId, deviceType) {
  const told = { iotId: attribute(iotId), deviceType: attribute(deviceType) };
  if (told.iotId === null && told.deviceType === null) return [];
  return [{ what: 'attributes', device, at: times.at, ...told }];
}
