/** The SQL by which the write path keeps what devices were; parameters as in write-statements.ts, under the same row locks. */

/**
 * $1 device ids, $2 the earliest times of what is told of them; $3 device ids, $4 attributes, $5 values, $6 times. To be asked before
 * the devices themselves are updated: whoever says what was said last, and later, changes nothing, which is nearly everybody.
 */
export const NOTE_IDENTITIES = `
WITH earlier AS (
  INSERT INTO "PresenceTouched" ("deviceId", "at")
  SELECT i.id, i.known FROM unnest($1::text::int4[], $2::text::timestamptz[]) AS i(id, known)
  JOIN "Device" d ON d."id" = i.id
  WHERE i.known < coalesce(d."knownSince", 'infinity')
)
INSERT INTO "DeviceIdentity" AS k ("deviceId", "attribute", "value", "at")
SELECT i.device, i.attribute, i.value, i.at
FROM unnest($3::text::int4[], $4::text::text[], $5::text::text[], $6::text::timestamptz[]) AS i(device, attribute, value, at)
JOIN "Device" d ON d."id" = i.device
WHERE CASE i.attribute WHEN 'iotId' THEN d."iotId" IS DISTINCT FROM i.value OR i.at < d."iotIdAt"
      ELSE d."deviceType" IS DISTINCT FROM i.value OR i.at < d."deviceTypeAt" END
ON CONFLICT ("deviceId", "attribute", "value") DO UPDATE SET "at" = excluded."at" WHERE excluded."at" < k."at"`;

/** $1 device ids, $2 attributes, $3 keys, $4 times, $5 values, $6 parts. At equal times the one that wins the current state. */
export const INSERT_HISTORY = `
INSERT INTO "DeviceHistory" AS h ("deviceId", "attribute", "key", "at", "value", "part")
SELECT i.* FROM unnest($1::text::int4[], $2::text::text[], $3::text::text[], $4::text::timestamptz[], $5::text::text[],
  $6::text::text[]) AS i
ON CONFLICT ("deviceId", "attribute", "key", "at") DO UPDATE SET "value" = excluded."value", "part" = excluded."part"
WHERE (excluded."value" IS NOT NULL, coalesce(excluded."value", '') COLLATE "C", coalesce(excluded."part", '') COLLATE "C")
    > (h."value" IS NOT NULL, coalesce(h."value", '') COLLATE "C", coalesce(h."part", '') COLLATE "C")`;

/**
 * $1 device ids, $2 times, $3 what they are ordered by, $4 online, $5 reasons; of a device each outranks the one before. Those
 * that a stored one outranks already, at their own time, will never count.
 */
export const INSERT_PRESENCE = `
INSERT INTO "PresenceHistory" ("deviceId", "at", "orderedBy", "online", "begins", "reason")
SELECT i.device, i.at, i.ordered, i.online, b."online" IS DISTINCT FROM i.online, i.reason
FROM unnest($1::text::int4[], $2::text::timestamptz[], $3::text::timestamptz[], $4::text::bool[], $5::text::int4[])
  AS i(device, at, ordered, online, reason)
LEFT JOIN LATERAL (
  SELECT h."orderedBy", h."at", h."online", h."reason" FROM "PresenceHistory" h
  WHERE h."deviceId" = i.device AND h."at" <= i.at ORDER BY h."at" DESC LIMIT 1
) b ON TRUE
WHERE b."at" IS NULL OR (i.ordered, i.at, i.online, coalesce(i.reason, -2147483648))
  > (b."orderedBy", b."at", b."online", coalesce(b."reason", -2147483648))
ON CONFLICT ("deviceId", "at") DO UPDATE SET
  "orderedBy" = excluded."orderedBy", "online" = excluded."online", "reason" = excluded."reason"`;

/** $1 device ids, $2 times, $3 what they are ordered by. Later ones that these outrank do not count any more. */
export const DELETE_OUTRANKED = `
DELETE FROM "PresenceHistory" h
USING unnest($1::text::int4[], $2::text::timestamptz[], $3::text::timestamptz[]) AS i(device, at, ordered)
WHERE h."deviceId" = i.device AND h."at" > i.at AND h."orderedBy" < i.ordered`;

/** $1 device ids, $2 times. Whether a status begins something depends on the one before it: looked at for these, and for those that follow them. */
export const MARK_BEGINNINGS = `
UPDATE "PresenceHistory" h SET "begins" = c.begins
FROM (
  SELECT r."deviceId", r."at", b."online" IS DISTINCT FROM r."online" AS begins
  FROM unnest($1::text::int4[], $2::text::timestamptz[]) AS i(device, at)
  CROSS JOIN LATERAL (
    (SELECT n."deviceId", n."at", n."online" FROM "PresenceHistory" n WHERE n."deviceId" = i.device AND n."at" = i.at)
    UNION ALL
    (SELECT n."deviceId", n."at", n."online" FROM "PresenceHistory" n
     WHERE n."deviceId" = i.device AND n."at" > i.at ORDER BY n."at" LIMIT 1)
  ) r
  LEFT JOIN LATERAL (
    SELECT p."online" FROM "PresenceHistory" p
    WHERE p."deviceId" = r."deviceId" AND p."at" < r."at" ORDER BY p."at" DESC LIMIT 1
  ) b ON TRUE
) c
WHERE h."deviceId" = c."deviceId" AND h."at" = c."at" AND h."begins" <> c.begins`;

/** $1 device ids, $2 times: what the fleet counts as from then on is to be worked out anew. */
export const NOTE_TOUCHED = `
INSERT INTO "PresenceTouched" ("deviceId", "at")
SELECT i.device, min(i.at) FROM unnest($1::text::int4[], $2::text::timestamptz[]) AS i(device, at) GROUP BY 1`;
