import type { DeviceKey } from '../domain/device-key.js';
import { lastHeard } from './as-of-heard.js';
import { lastReadings, type SeriesThen } from './as-of-readings.js';
import type { DeviceView, OwnerView } from './device.reader.js';
import { JsonText } from './json-text.js';
import { instant, type Instant } from './read-columns.js';
import type { Query } from './snapshots.js';

/** A device as it was, with what else the questions need. */
export interface DeviceThen {
  readonly id: number;
  readonly view: DeviceView;
  /** The platform's offlineReasonCode of the status that held. */
  readonly reason: number | null;
}

interface Row extends DeviceKey {
  readonly id: number;
  readonly iotId: string | null;
  readonly deviceType: string | null;
  readonly online: boolean | null;
  readonly since: Instant | null;
  readonly reason: number | null;
  /** When a status message that counted then says that the device was heard, whether or not it was a device made anew since. */
  readonly statusHeard: Instant | null;
  readonly lifecycle: string | null;
  readonly created: Instant | null;
  readonly gateway: string | null;
  readonly firstSeen: Instant | null;
  readonly tags: string | null;
  readonly owners: string | null;
}

/**
 * $1 device ids, $2 the moment. Each attribute by the rules of the current state, from the facts up to the moment; whatever won
 * before it and still does stands in the device's row.
 */
const ATTRIBUTES = `
SELECT d."id", d."productKey", d."deviceName", c.created_text AS "created",
  CASE WHEN d."iotIdAt" <= m.at THEN d."iotId" ELSE (
    SELECT k."value" FROM "DeviceIdentity" k WHERE k."deviceId" = d."id" AND k."attribute" = 'iotId' AND k."at" <= m.at
    ORDER BY k."at" DESC, k."value" COLLATE "C" DESC LIMIT 1) END AS "iotId",
  CASE WHEN d."deviceTypeAt" <= m.at THEN d."deviceType" ELSE (
    SELECT k."value" FROM "DeviceIdentity" k WHERE k."deviceId" = d."id" AND k."attribute" = 'deviceType' AND k."at" <= m.at
    ORDER BY k."at" DESC, k."value" COLLATE "C" DESC LIMIT 1) END AS "deviceType",
  (SELECT h."value" FROM "DeviceHistory" h
   WHERE h."deviceId" = d."id" AND h."attribute" = 'lifecycle' AND h."key" = '' AND h."at" <= m.at ORDER BY h."at" DESC LIMIT 1) AS "lifecycle",
  (SELECT CASE WHEN h."at" >= coalesce(c.created, h."at") THEN h."value" || ':' || h."part" END FROM "DeviceHistory" h
   WHERE h."deviceId" = d."id" AND h."attribute" = 'gateway' AND h."key" = '' AND h."at" <= m.at ORDER BY h."at" DESC LIMIT 1) AS "gateway",
  (SELECT json_object_agg(t."key", t."value" ORDER BY t."key")::text FROM (
     SELECT DISTINCT ON (h."key") h."key", h."value", h."at" FROM "DeviceHistory" h
     WHERE h."deviceId" = d."id" AND h."attribute" = 'tag' AND h."at" <= m.at ORDER BY h."key", h."at" DESC
   ) t WHERE t."at" >= coalesce(c.created, t."at")) AS "tags",
  CASE WHEN p.counts THEN p."online" END AS "online", CASE WHEN p.counts THEN ${instant('p."at"')} END AS "since",
  CASE WHEN p.counts THEN p."reason" END AS "reason", ${instant('p."orderedBy"')} AS "statusHeard",
  CASE WHEN d."firstSeen" <= m.at THEN ${instant('d."firstSeen"')} END AS "firstSeen",
  (SELECT json_agg(json_build_object('identityId', b."identityId", 'scopeId', b."scopeId", 'tenantId', b."tenantId",
                                     'since', ${instant('b."from"')}) ORDER BY b."from", b."identityId", b."scopeId", b."tenantId")::text
   FROM "UserBinding" b
   WHERE b."deviceId" = d."id" AND b."bound" AND b."owned" AND b."from" <= m.at AND (b."until" IS NULL OR b."until" > m.at)) AS "owners"
FROM "Device" d
CROSS JOIN (SELECT $2::timestamptz AS at) m
CROSS JOIN LATERAL (
  SELECT max(h."at") AS created, ${instant('max(h."at")')} AS created_text FROM "DeviceHistory" h
  WHERE h."deviceId" = d."id" AND h."attribute" = 'create' AND h."key" = '' AND h."at" <= m.at
) c
LEFT JOIN LATERAL (
  SELECT h.*, h."orderedBy" >= coalesce(c.created, h."orderedBy") AS counts FROM "PresenceHistory" h
  WHERE h."deviceId" = d."id" AND h."at" <= m.at ORDER BY h."at" DESC LIMIT 1
) p ON TRUE
WHERE d."id" = ANY($1::text::int4[]) AND d."knownSince" <= m.at`;

/** Devices as they were, by their ids; those that were not known then are missing. */
export async function devicesThen(query: Query, ids: readonly number[], at: Date): Promise<Map<number, DeviceThen>> {
  if (ids.length === 0) return new Map();
  const rows = await query<Row>(ATTRIBUTES, `{${ids.join(',')}}`, at.toISOString());
  const series = await lastReadings(query, rows, at);
  const soFar = rows.map((row) => ({
    id: row.id,
    heard: latest([row.firstSeen, row.statusHeard, ...(series.get(row.id) ?? []).map((one) => one.at)]),
  }));
  const heard = await lastHeard(query, soFar, at);
  return new Map(rows.map((row) => [row.id, deviceThen(row, series.get(row.id) ?? [], heard.get(row.id) ?? null)]));
}

function deviceThen(row: Row, series: readonly SeriesThen[], lastSeen: Instant | null): DeviceThen {
  const { id, productKey, deviceName, iotId, deviceType, online, since, reason, lifecycle, gateway, firstSeen } = row;
  const { created } = row;
  const state = series.filter((one) => created === null || Date.parse(one.at) >= Date.parse(created));
  return {
    id,
    reason,
    view: {
      productKey,
      deviceName,
      iotId,
      deviceType,
      online,
      since,
      lastSeen,
      firstSeen,
      lifecycle,
      gateway,
      tags: JSON.parse(row.tags ?? '{}') as Record<string, string>,
      properties: Object.fromEntries(
        state.map(({ identifier, value, at }) => [identifier, { value: new JsonText(value), at }]),
      ),
      owners: JSON.parse(row.owners ?? '[]') as OwnerView[],
    },
  };
}

/** The latest of some times; their text is in the order of time. */
function latest(times: readonly (Instant | null)[]): Instant | null {
  let found: Instant | null = null;
  for (const time of times) if (time !== null && (found === null || time > found)) found = time;
  return found;
}
