import { Injectable } from '@nestjs/common';
import type { DeviceKey } from '../domain/device-key.js';
import { ALL_FIELDS, deviceColumns, type DeviceFields, deviceOf, type DeviceRow } from './device-fields.js';
import type { DeviceView, PropertyView } from './device-view.js';
import { JsonText } from './json-text.js';
import { instant, type Instant, Parameters } from './read-columns.js';
import { type Query, Snapshots } from './snapshots.js';

export type { DeviceView, OwnerView, PropertyView } from './device-view.js';

/** What a request calls a device: by its key, or by an iotId. */
export type DeviceReference = DeviceKey | { readonly iotId: string };

/** The row of a device, for readers of what hangs on it. */
export interface FoundDevice extends DeviceKey {
  readonly id: number;
  readonly firstSeen: Instant | null;
  readonly lastSeen: Instant | null;
}

/** Presence alone. */
export interface StatusView {
  readonly online: boolean | null;
  readonly since: Instant | null;
  readonly lastSeen: Instant | null;
  /** The platform's offlineReasonCode. */
  readonly reason: number | null;
}

/** Several devices that are not deleted hold the same iotId. */
export class SeveralDevices extends Error {
  override readonly name = 'SeveralDevices';

  /** @param candidates productKey:deviceName of each, up to 20. */
  constructor(
    readonly iotId: string,
    readonly candidates: readonly string[],
  ) {
    super(`several devices hold the iotId ${iotId}`);
  }
}

const CANDIDATES = 20;

/** Answers what devices are now. */
@Injectable()
export class DeviceReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * What is asked for of one device.
   * @throws SeveralDevices
   */
  async find(reference: DeviceReference): Promise<DeviceView | null>;
  async find(reference: DeviceReference, fields: DeviceFields): Promise<Partial<DeviceView> | null>;
  async find(reference: DeviceReference, fields: DeviceFields = ALL_FIELDS): Promise<Partial<DeviceView> | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const parameters = new Parameters();
      const id = parameters.add(device.id, 'int');
      const columns = deviceColumns(fields, parameters);
      const [row] = await query<DeviceRow>(
        `SELECT ${columns} FROM "Device" d WHERE d."id" = ${id}`,
        ...parameters.values,
      );
      return row ? deviceOf(row, fields) : null;
    });
  }

  /** @throws SeveralDevices */
  async status(reference: DeviceReference): Promise<StatusView | null> {
    return this.about<StatusView>(
      reference,
      `d."online", ${instant('d."since"')} AS "since", ${instant('d."lastSeen"')} AS "lastSeen", d."offlineReason" AS "reason"`,
    );
  }

  /**
   * Current properties by identifier; only the one named, where one is.
   * @throws SeveralDevices
   */
  async properties(
    reference: DeviceReference,
    identifier?: string,
  ): Promise<readonly (PropertyView & { readonly identifier: string })[] | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const rows = await query<{ identifier: string; value: string; at: Instant }>(
        `SELECT p."identifier", coalesce(p."number"::text, p."json"::text) AS "value", ${instant('p."at"')} AS "at"
         FROM "DeviceProperty" p
         WHERE p."deviceId" = $1::int AND p."at" IS NOT NULL AND ($2::text IS NULL OR p."identifier" = $2::text)
         ORDER BY p."identifier"`,
        device.id,
        identifier ?? null,
      );
      return rows.map((row) => ({ ...row, value: new JsonText(row.value) }));
    });
  }

  private async about<Row>(reference: DeviceReference, columns: string): Promise<Row | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const [row] = await query<Row>(`SELECT ${columns} FROM "Device" d WHERE d."id" = $1::int`, device.id);
      return row ?? null;
    });
  }
}

/**
 * The device that a request means. Of an iotId, the one device that is not deleted, else its newest holder.
 * @throws SeveralDevices
 */
export async function findDevice(query: Query, reference: DeviceReference): Promise<FoundDevice | null> {
  const columns = `d."id", d."productKey", d."deviceName", ${instant('d."firstSeen"')} AS "firstSeen", ${instant('d."lastSeen"')} AS "lastSeen"`;
  if ('productKey' in reference) {
    const [device] = await query<FoundDevice>(
      `SELECT ${columns} FROM "Device" d WHERE d."productKey" = $1::text AND d."deviceName" = $2::text`,
      reference.productKey,
      reference.deviceName,
    );
    return device ?? null;
  }
  const holders = await query<FoundDevice & { readonly deleted: boolean }>(
    `SELECT ${columns}, d."lifecycle" IS NOT DISTINCT FROM 'delete' AS "deleted" FROM "Device" d WHERE d."iotId" = $1::text
     ORDER BY "deleted", d."iotIdAt" DESC, d."productKey", d."deviceName" LIMIT ${CANDIDATES}`,
    reference.iotId,
  );
  const current = holders.filter(({ deleted }) => !deleted);
  if (current.length > 1) {
    throw new SeveralDevices(
      reference.iotId,
      current.map(({ productKey, deviceName }) => `${productKey}:${deviceName}`),
    );
  }
  return holders[0] ?? null;
}
