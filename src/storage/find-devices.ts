import { type DeviceReference, findDevice, type FoundDevice } from './device.reader.js';
import { instant } from './read-columns.js';
import type { Query } from './snapshots.js';
import { ALWAYS, type ScopedDevice, type UserReference, windowsOfDevices } from './user-windows.js';

/** One of several devices does not exist. */
export class UnknownDevice extends Error {
  override readonly name = 'UnknownDevice';

  constructor(readonly reference: DeviceReference) {
    super('no such device');
  }
}

/**
 * The devices that a request means, each once: those named by key in one query, those named by iotId in one each; and when they were
 * the user's, or all of time without a user.
 * @throws UnknownDevice (also where a device never was the user's: nobody can tell the two apart), SeveralDevices
 */
export async function findDevices(
  query: Query,
  references: readonly DeviceReference[],
  user?: UserReference,
): Promise<readonly ScopedDevice[]> {
  const keys = references.flatMap((reference) => ('productKey' in reference ? [reference] : []));
  const byKey = await query<FoundDevice>(
    `SELECT d."id", d."productKey", d."deviceName", ${instant('d."firstSeen"')} AS "firstSeen", ${instant('d."lastSeen"')} AS "lastSeen"
     FROM json_to_recordset($1::text::json) AS k("productKey" text, "deviceName" text)
     JOIN "Device" d ON d."productKey" = k."productKey" AND d."deviceName" = k."deviceName"`,
    JSON.stringify(keys),
  );
  const found = new Map<number, { readonly device: FoundDevice; readonly reference: DeviceReference }>();
  for (const reference of references) {
    const device =
      'productKey' in reference
        ? byKey.find((each) => each.productKey === reference.productKey && each.deviceName === reference.deviceName)
        : await findDevice(query, reference);
    if (!device) throw new UnknownDevice(reference);
    found.set(device.id, { device, reference });
  }
  const windows = user && (await windowsOfDevices(query, [...found.keys()], user));
  return [...found.values()].map(({ device, reference }) => {
    const ofDevice = windows ? windows.get(device.id) : ALWAYS;
    if (!ofDevice) throw new UnknownDevice(reference);
    return { device, windows: ofDevice };
  });
}
