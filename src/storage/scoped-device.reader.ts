import { Injectable } from '@nestjs/common';
import type { DeviceReference, DeviceView, OwnerView, PropertyView, StatusView } from './device.reader.js';
import { JsonText } from './json-text.js';
import { instant, type Instant, Parameters } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import { type Query, Snapshots } from './snapshots.js';
import { findScopedDevice, narrowedTo, type UserReference } from './user-windows.js';

interface Row extends Omit<DeviceView, 'tags' | 'properties' | 'owners'> {
  readonly reason: number | null;
  readonly tags: string | null;
  readonly properties: string | null;
  readonly owners: string | null;
}

/** A device as its user may see it, with the platform's offlineReasonCode. */
interface Seen {
  readonly view: DeviceView;
  readonly status: StatusView;
}

/**
 * Answers what a device is now in the name of a user: of its state, only what dates from the time since it is theirs. A device that is
 * theirs no more has none left but its names. When it was heard first is never told: it may have been before.
 */
@Injectable()
export class ScopedDeviceReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * @returns null when there is no such device, or when it never was the user's.
   * @throws SeveralDevices
   */
  async find(reference: DeviceReference, user: UserReference, now: Date): Promise<DeviceView | null> {
    return (await this.seen(reference, user, now))?.view ?? null;
  }

  /** The same of its presence alone. */
  async status(reference: DeviceReference, user: UserReference, now: Date): Promise<StatusView | null> {
    return (await this.seen(reference, user, now))?.status ?? null;
  }

  /** The same of its properties, or of one. */
  async properties(
    reference: DeviceReference,
    user: UserReference,
    now: Date,
    identifier?: string,
  ): Promise<readonly (PropertyView & { readonly identifier: string })[] | null> {
    const seen = await this.seen(reference, user, now);
    return (
      seen &&
      Object.entries(seen.view.properties)
        .map(([name, property]) => ({ identifier: name, ...property }))
        .filter((property) => identifier === undefined || property.identifier === identifier)
    );
  }

  private async seen(reference: DeviceReference, user: UserReference, now: Date): Promise<Seen | null> {
    return this.snapshots.read(async (query) => {
      const found = await findScopedDevice(query, reference, user);
      if (!found) return null;
      const open = found.windows.find(({ low, high }) => low <= now.getTime() && now.getTime() < high);
      return seenWithin(query, found.device.id, user, open ?? NEVER);
    });
  }
}

const NEVER: Bounds = { low: 0, high: 0 };

async function seenWithin(query: Query, deviceId: number, user: UserReference, open: Bounds): Promise<Seen | null> {
  const parameters = new Parameters();
  const device = parameters.add(deviceId, 'int');
  const [low, high] = [edge(open.low), edge(open.high)].map((time) => parameters.add(time, 'timestamptz'));
  const seen = (time: string): string => `(${time} >= ${low} AND ${time} < ${high})`;
  const known = (time: string, value: string): string => `CASE WHEN ${seen(time)} THEN ${value} END`;
  const owner = [`b."identityId" = ${parameters.add(user.identityId, 'text')}`, ...narrowedTo(parameters, user)].join(
    ' AND ',
  );
  const [row] = await query<Row>(
    `SELECT d."productKey", d."deviceName", d."iotId", d."deviceType",
       ${known('d."since"', 'd."online"')} AS "online", ${known('d."since"', instant('d."since"'))} AS "since",
       ${known('d."since"', 'd."offlineReason"')} AS "reason",
       ${known('d."lastSeen"', instant('d."lastSeen"'))} AS "lastSeen", NULL AS "firstSeen",
       ${known('d."lifecycleAt"', 'd."lifecycle"')} AS "lifecycle",
       ${known('d."gatewayAt"', `d."gatewayProductKey" || ':' || d."gatewayDeviceName"`)} AS "gateway",
       (SELECT json_object_agg(t."key", t."value" ORDER BY t."key")::text FROM "DeviceTag" t
        WHERE t."deviceId" = d."id" AND ${seen('t."at"')}) AS "tags",
       (SELECT json_agg(json_build_array(p."identifier", coalesce(p."number"::text, p."json"::text), ${instant('p."at"')})
                        ORDER BY p."identifier")::text
        FROM "DeviceProperty" p WHERE p."deviceId" = d."id" AND ${seen('p."at"')}) AS "properties",
       (SELECT json_agg(json_build_object('identityId', b."identityId", 'scopeId', b."scopeId", 'tenantId', b."tenantId",
                                          'since', ${instant('b."from"')}) ORDER BY b."from", b."scopeId", b."tenantId")::text
        FROM "UserBinding" b WHERE b."deviceId" = d."id" AND b."bound" AND b."owned" AND b."until" IS NULL AND ${owner}) AS "owners"
     FROM "Device" d WHERE d."id" = ${device}`,
    ...parameters.values,
  );
  if (!row) return null;
  const { reason, tags, properties, owners, ...rest } = row;
  const values = JSON.parse(properties ?? '[]') as [identifier: string, value: string, at: Instant][];
  return {
    view: {
      ...rest,
      tags: JSON.parse(tags ?? '{}') as Record<string, string>,
      properties: Object.fromEntries(
        values.map(([identifier, value, at]) => [identifier, { value: new JsonText(value), at }]),
      ),
      owners: JSON.parse(owners ?? '[]') as OwnerView[],
    },
    status: { online: row.online, since: row.since, lastSeen: row.lastSeen, reason },
  };
}

function edge(epochMs: number): string {
  return epochMs === Infinity ? 'infinity' : new Date(epochMs).toISOString();
}
