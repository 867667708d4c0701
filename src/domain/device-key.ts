/** What identifies a device, on the platform and here. Case-sensitive; `iotId` is only an attribute of it. */
export interface DeviceKey {
  readonly productKey: string;
  readonly deviceName: string;
}

/** One text for one device, usable as a map key: neither part may hold a NUL character, so nothing collides. */
export function deviceKeyText(device: DeviceKey): string {
  return `${device.productKey}\0${device.deviceName}`;
}
