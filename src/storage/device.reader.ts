import { Injectable } from '@nestjs/common';
import type { DeviceKey } from '../domain/device-key.js';
import { JsonText } from './json-text.js';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import { type Query, Snapshots } from './snapshots.js';

/** What a request calls a device: by its key, or by an iotId. */
export type DeviceReference = DeviceKey | { readonly iotId: string };

/** The row of a device, for readers of what hangs on it. */
export interface FoundDevice extends DeviceKey {
  readonly id: number;
  readonly firstSeen: Instant | null;
  readonly lastSeen: Instant | null;
}

/** The current value of one property. */
export interface PropertyView {
  readonly value: JsonText;
  readonly at: Instant;
}

/** Who owns a device now. */
export interface OwnerView {
  readonly identityId: string;
  readonly scopeId: string;
  readonly tenantId: string;
  readonly since: Instant;
}

/** Everything about a device as it is now. */
export interface DeviceView extends DeviceKey {
  readonly iotId: string | null;
  readonly deviceType: string | null;
  /** Null until a status message came. */
  readonly online: boolean | null;
  readonly since: Instant | null;
  readonly lastSeen: Instant | null;
  readonly firstSeen: Instant | null;
  readonly lifecycle: string | null;
  /** productKey:deviceName */
  readonly gateway: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, PropertyView>>;
  readonly owners: readonly OwnerView[];
}

/** Presence alone. */
export interface StatusView {
  readonly online: boolean | null;
  readonly since: Instant | null;
  readonly lastSeen: Instant | null;
  /** The platform's offlineReasonCode. */
  readonly reason: number | null;
}

/** Which devices a list shows; what is undefined does not matter. */
export interface DeviceFilter {
  readonly productKey?: string;
  readonly deviceType?: string;
  readonly online?: boolean | 'unknown';
  /** Part of the device's name or of its iotId, whatever the case. */
  readonly q?: string;
  /** Whether deleted devices are shown, too. */
  readonly deleted: boolean;
}

/** The place of a device in the list: productKey, deviceName. */
export type DevicePlace = readonly [productKey: string, deviceName: string];

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

const VIEW = `
  d."productKey", d."deviceName", d."iotId", d."deviceType", d."online", ${instant('d."since"')} AS "since",
  ${instant('d."lastSeen"')} AS "lastSeen", ${instant('d."firstSeen"')} AS "firstSeen", d."lifecycle",
  d."gatewayProductKey" || ':' || d."gatewayDeviceName" AS "gateway",
  (SELECT json_object_agg(t."key", t."value" ORDER BY t."key")::text FROM "DeviceTag" t WHERE t."deviceId" = d."id") AS "tags",
  (SELECT json_agg(json_build_array(p."identifier", coalesce(p."number"::text, p."json"::text), ${instant('p."at"')})
                   ORDER BY p."identifier")::text
   FROM "DeviceProperty" p WHERE p."deviceId" = d."id" AND p."at" IS NOT NULL) AS "properties",
  (SELECT json_agg(json_build_object('identityId', b."identityId", 'scopeId', b."scopeId", 'tenantId', b."tenantId",
                                     'since', ${instant('b."from"')}) ORDER BY b."from", b."identityId", b."scopeId", b."tenantId")::text
   FROM "UserBinding" b WHERE b."deviceId" = d."id" AND b."bound" AND b."owned" AND b."until" IS NULL) AS "owners"`;

interface ViewRow extends Omit<DeviceView, 'tags' | 'properties' | 'owners'> {
  readonly tags: string | null;
  readonly properties: string | null;
  readonly owners: string | null;
}

/** Answers what devices are now. */
@Injectable()
export class DeviceReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** Devices by productKey and deviceName. */
  async list(filter: DeviceFilter, page: PageRequest<DevicePlace>): Promise<Page<DeviceView, DevicePlace>> {
    const parameters = new Parameters();
    const conditions = ['TRUE'];
    if (filter.productKey !== undefined)
      conditions.push(`d."productKey" = ${parameters.add(filter.productKey, 'text')}`);
    if (filter.deviceType !== undefined)
      conditions.push(`d."deviceType" = ${parameters.add(filter.deviceType, 'text')}`);
    if (filter.online === 'unknown') conditions.push('d."online" IS NULL');
    else if (filter.online !== undefined) conditions.push(`d."online" = ${parameters.add(filter.online, 'boolean')}`);
    if (!filter.deleted) conditions.push(`d."lifecycle" IS DISTINCT FROM 'delete'`);
    if (filter.q !== undefined) {
      const part = `lower(${parameters.add(filter.q, 'text')})`;
      conditions.push(`(strpos(lower(d."deviceName"), ${part}) > 0 OR strpos(lower(d."iotId"), ${part}) > 0)`);
    }
    if (page.after) {
      const [productKey, deviceName] = page.after;
      conditions.push(
        `(d."productKey", d."deviceName") > (${parameters.add(productKey, 'text')}, ${parameters.add(deviceName, 'text')})`,
      );
    }
    const limit = parameters.add(page.limit + 1, 'int');
    const rows = await this.snapshots.read((query) =>
      query<ViewRow>(
        `SELECT ${VIEW} FROM (
           SELECT * FROM "Device" d WHERE ${conditions.join(' AND ')} ORDER BY d."productKey", d."deviceName" LIMIT ${limit}
         ) d ORDER BY d."productKey", d."deviceName"`,
        ...parameters.values,
      ),
    );
    return pageOf(rows, page.limit, deviceView, (row) => [row.productKey, row.deviceName] as const);
  }

  /** @throws SeveralDevices */
  async find(reference: DeviceReference): Promise<DeviceView | null> {
    const row = await this.about<ViewRow>(reference, VIEW);
    return row && deviceView(row);
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

function deviceView(row: ViewRow): DeviceView {
  const properties = JSON.parse(row.properties ?? '[]') as [identifier: string, value: string, at: Instant][];
  return {
    ...row,
    tags: JSON.parse(row.tags ?? '{}') as Record<string, string>,
    properties: Object.fromEntries(
      properties.map(([identifier, value, at]) => [identifier, { value: new JsonText(value), at }]),
    ),
    owners: JSON.parse(row.owners ?? '[]') as OwnerView[],
  };
}
