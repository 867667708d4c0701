import type { DeviceEvent, ValueRejected } from '../domain/device-event.js';
import type { DeviceKey } from '../domain/device-key.js';
import { identified, rejected, type Message } from './decoder.js';
import { listedDevice } from './device-identity.js';
import { isJsonArray, isJsonObject, type Json } from './json.js';

/** Documented as an object, sampled as an array: one device alone is taken as a list of one. */
export function isDeviceList(devices: unknown): boolean {
  return isJsonArray(devices) || isJsonObject(devices);
}

/** The sub-devices that a gateway's message lists. An entry that names no device costs only itself. */
export function readSubDevices(message: Message): {
  readonly subDevices: readonly DeviceKey[];
  readonly rejections: readonly ValueRejected[];
} {
  const subDevices: DeviceKey[] = [];
  const rejections: ValueRejected[] = [];
  for (const entry of entries(message.body['devices'])) {
    const device = listedDevice(entry);
    if (device !== null) subDevices.push(device);
    else rejections.push(rejected(message, 'devices', 'malformed', entry));
  }
  return { subDevices, rejections };
}

export function subDeviceKeys(devices: Json | undefined): readonly DeviceKey[] {
  return entries(devices).flatMap((entry) => listedDevice(entry) ?? []);
}

/** What the message says of the attributes of the gateway and of the sub-devices that it lists. */
export function attributesOfGroup(message: Message): readonly DeviceEvent[] {
  const { device: gateway, body } = message;
  const group: (DeviceEvent | null)[] = [identified(message, gateway, { iotId: body['gwIotId'] ?? null })];
  for (const entry of entries(body['devices'])) {
    const device = listedDevice(entry);
    if (device !== null && isJsonObject(entry)) group.push(identified(message, device, entry));
  }
  return group.filter((event) => event !== null);
}

function entries(devices: Json | undefined): readonly Json[] {
  if (devices === undefined) return [];
  return isJsonArray(devices) ? devices : [devices];
}
