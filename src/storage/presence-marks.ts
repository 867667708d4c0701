import type { Instant } from './read-columns.js';

/** A moment at which the presence of a device may have become another. */
export interface PresenceMark {
  readonly at: Instant;
  /** What it was from then on; null: not known. */
  readonly online: boolean | null;
  readonly reason: number | null;
}

/**
 * SQL that selects the moments in [low, high) at which the presence of a device changed, as (`at`, `online`, `reason`); each argument
 * is SQL. These are the status messages that say otherwise than the one before; the moments at which a device was made anew, which
 * forgets what was said before; and the first status after that, whatever it says. So two neighbours may say the same.
 */
export function marksOf(device: string, low: string, high: string, order: 'asc' | 'desc', limit: string): string {
  const direction = order.toUpperCase();
  const creates = `FROM "DeviceHistory" c WHERE c."deviceId" = ${device} AND c."attribute" = 'create' AND c."key" = ''`;
  return `
SELECT m."at", CASE WHEN m."orderedBy" < k.created THEN NULL ELSE m."online" END AS "online",
  CASE WHEN m."orderedBy" < k.created THEN NULL ELSE m."reason" END AS "reason"
FROM (
  (SELECT h."at", h."orderedBy", h."online", h."reason" FROM "PresenceHistory" h
   WHERE h."deviceId" = ${device} AND h."begins" AND h."at" >= ${low} AND h."at" < ${high}
   ORDER BY h."at" ${direction} LIMIT ${limit})
  UNION ALL
  SELECT c.at, w."orderedBy", w."online", w."reason"
  FROM (SELECT c."at" ${creates} AND c."at" >= ${low} AND c."at" < ${high}) c
  LEFT JOIN LATERAL (
    SELECT h."orderedBy", h."online", h."reason" FROM "PresenceHistory" h
    WHERE h."deviceId" = ${device} AND h."at" <= c.at ORDER BY h."at" DESC LIMIT 1
  ) w ON TRUE
  UNION ALL
  SELECT r."at", r."orderedBy", r."online", r."reason"
  FROM (SELECT c."at" ${creates} AND c."at" < ${high}) c
  CROSS JOIN LATERAL (
    SELECT h."at", h."orderedBy", h."online", h."reason" FROM "PresenceHistory" h
    WHERE h."deviceId" = ${device} AND h."at" > c.at AND h."orderedBy" >= c.at ORDER BY h."at" LIMIT 1
  ) r
  WHERE r."at" >= ${low} AND r."at" < ${high}
) m
CROSS JOIN LATERAL (SELECT max(c."at") AS created ${creates} AND c."at" <= m."at") k
ORDER BY m."at" ${direction} LIMIT ${limit}`;
}
