import { marksOf } from './presence-marks.js';

/** The SQL by which the fleet is counted. Times go out as epoch milliseconds. */

const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`;

/**
 * $1 how many devices at most. Takes them off the list, all that is noted of each; answers since when each is to be worked out anew.
 */
export const TAKE_TOUCHED = `
WITH taken AS (
  DELETE FROM "PresenceTouched" t
  WHERE t."deviceId" IN (SELECT f."deviceId" FROM (SELECT "deviceId" FROM "PresenceTouched" ORDER BY "id" LIMIT $1::int) f)
  RETURNING t."deviceId", t."at"
)
SELECT "deviceId" AS "id", ${ms('min("at")')} AS "low" FROM taken GROUP BY 1 ORDER BY 1`;

const DEVICES = `unnest($1::text::int4[], $2::text::timestamptz[]) AS i(id, low)`;

/** $1 device ids, $2 since when: whose they are, since when they are known, and what they counted as until then. */
export const DEVICES_TOUCHED = `
SELECT d."id", d."productKey", ${ms('d."knownSince"')} AS "knownSince", b."state" AS "before"
FROM ${DEVICES} JOIN "Device" d ON d."id" = i.id
LEFT JOIN LATERAL (
  SELECT c."state" FROM "PresenceChange" c WHERE c."deviceId" = i.id AND c."at" < i.low ORDER BY c."at" DESC LIMIT 1
) b ON TRUE`;

/** The same parameters: what they were counted as so far. */
export const COUNTED = `
SELECT c."deviceId" AS "id", ${ms('c."at"')} AS "at", c."state", c."flips"
FROM ${DEVICES} JOIN "PresenceChange" c ON c."deviceId" = i.id AND c."at" >= i.low ORDER BY c."deviceId", c."at"`;

/** The same parameters: their life cycles. */
export const LIFECYCLES = `
SELECT h."deviceId" AS "id", ${ms('h."at"')} AS "at", h."value" = 'delete' AS "deleted"
FROM ${DEVICES} JOIN "DeviceHistory" h ON h."deviceId" = i.id AND h."attribute" = 'lifecycle' AND h."key" = ''
ORDER BY h."deviceId", h."at"`;

/** The same parameters: their presence from then on, and the last one before. */
export const PRESENCE = `
SELECT i.id, ${ms('m."at"')} AS "at", m."online"
FROM ${DEVICES} CROSS JOIN LATERAL (
  (${marksOf('i.id', 'i.low', `'infinity'`, 'asc', 'NULL')})
  UNION ALL
  (SELECT i.low, CASE WHEN w."orderedBy" < k.created THEN NULL ELSE w."online" END, NULL
   FROM (
     SELECT h."orderedBy", h."online" FROM "PresenceHistory" h
     WHERE h."deviceId" = i.id AND h."at" <= i.low ORDER BY h."at" DESC LIMIT 1
   ) w
   CROSS JOIN LATERAL (
     SELECT max(c."at") AS created FROM "DeviceHistory" c
     WHERE c."deviceId" = i.id AND c."attribute" = 'create' AND c."key" = '' AND c."at" <= i.low
   ) k)
) m ORDER BY i.id, m."at"`;

/** $1 device ids, $2 times. */
export const DELETE_CHANGES = `
DELETE FROM "PresenceChange" c USING unnest($1::text::int4[], $2::text::timestamptz[]) AS i(id, at)
WHERE c."deviceId" = i.id AND c."at" = i.at`;

/** $1 device ids, $2 times, $3 states, $4 whether they flip. */
export const PUT_CHANGES = `
INSERT INTO "PresenceChange" ("deviceId", "at", "state", "flips")
SELECT i.* FROM unnest($1::text::int4[], $2::text::timestamptz[], $3::text::text[], $4::text::bool[]) AS i
ON CONFLICT ("deviceId", "at") DO UPDATE SET "state" = excluded."state", "flips" = excluded."flips"`;

/** $1 product keys, $2 spans, $3 starts, $4 online, $5 offline, $6 unknown. */
export const ADD_TO_COUNTS = `
INSERT INTO "PresenceCount" AS c ("productKey", "span", "start", "online", "offline", "unknown")
SELECT i.* FROM unnest($1::text::text[], $2::text::text[], $3::text::timestamptz[], $4::text::int4[], $5::text::int4[],
  $6::text::int4[]) AS i
ON CONFLICT ("productKey", "span", "start") DO UPDATE SET
  "online" = c."online" + excluded."online", "offline" = c."offline" + excluded."offline", "unknown" = c."unknown" + excluded."unknown"`;

/** $1 days, $2 device ids, $3 by how many there are more. */
export const ADD_TO_DAYS = `
INSERT INTO "PresenceDay" AS d ("day", "deviceId", "changes")
SELECT i.* FROM unnest($1::text::date[], $2::text::int4[], $3::text::int4[]) AS i
ON CONFLICT ("deviceId", "day") DO UPDATE SET "changes" = d."changes" + excluded."changes"`;
