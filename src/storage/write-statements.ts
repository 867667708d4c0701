/**
 * The SQL of the write path: constant texts, a fixed number of them a batch. Each parameter is one column as an array
 * literal (see columns.ts). Whoever writes a device's rows holds that device's row lock, taken in the order of the ids.
 * The tie-breaking here is that of write-plan.ts and domain/value.ts: the two must stay equal.
 */

/**
 * $1 days, $2 keys. Answers the keys that were new: the insert itself decides, also between replicas. \`reused\`: on the same
 * day, another message had the id of this one, which is what the first half of a key stands for (see message-key.ts).
 */
export const INSERT_SEEN = `
WITH fresh AS (
  INSERT INTO "SeenMessage" ("day", "key")
  SELECT m.day, m.key FROM unnest($1::text::date[], $2::text::uuid[]) AS m(day, key)
  ORDER BY m.key, m.day
  ON CONFLICT DO NOTHING
  RETURNING "day", "key"
)
SELECT f."key", EXISTS (
  SELECT FROM "SeenMessage" s WHERE s."day" = f."day"
    AND s."key" >= (left(f."key"::text, 18) || '-0000-000000000000')::uuid
    AND s."key" <= (left(f."key"::text, 18) || '-ffff-ffffffffffff')::uuid
) AS "reused" FROM fresh f`;

/** $1 keys. For messages without a day of their own: were they seen on any day? */
export const FIND_SEEN = `SELECT "key" FROM "SeenMessage" WHERE "key" = ANY($1::text::uuid[])`;

/** $1 product keys, $2 device names. Locks the devices that exist; answers their ids and places (from 1) in the input. */
export const LOCK_DEVICES = `
SELECT d."id", i.place::int AS place
FROM unnest($1::text::text[], $2::text::text[]) WITH ORDINALITY AS i(pk, dn, place)
JOIN "Device" d ON d."productKey" = i.pk AND d."deviceName" = i.dn
ORDER BY d."id"
FOR NO KEY UPDATE OF d`;

/** $1 product keys, $2 device names. Those that another writer made meanwhile are not answered: look again. */
export const INSERT_DEVICES = `
INSERT INTO "Device" ("productKey", "deviceName")
SELECT i.pk, i.dn FROM unnest($1::text::text[], $2::text::text[]) WITH ORDINALITY AS i(pk, dn, place)
ORDER BY i.place
ON CONFLICT DO NOTHING
RETURNING "id", "productKey", "deviceName"`;

/**
 * $1 ids, then one column an attribute. Each attribute takes the new value only where it is newer (or, at equal times,
 * greater). Presence and gateway from before the newest \`create\` are history. Rows that would stay the same are not touched.
 */
export const UPDATE_DEVICES = `
UPDATE "Device" d SET
  "iotId" = w."iotId", "iotIdAt" = w."iotIdAt", "deviceType" = w."deviceType", "deviceTypeAt" = w."deviceTypeAt",
  "online" = w."online", "since" = w."since", "presenceOrder" = w."presenceOrder", "offlineReason" = w."offlineReason",
  "lifecycle" = w."lifecycle", "lifecycleAt" = w."lifecycleAt", "createdAt" = w."createdAt",
  "gatewayProductKey" = w."gatewayProductKey", "gatewayDeviceName" = w."gatewayDeviceName", "gatewayAt" = w."gatewayAt",
  "firstSeen" = w."firstSeen", "lastSeen" = w."lastSeen", "knownSince" = w."knownSince"
FROM (
  SELECT o."id", o AS "old",
    CASE WHEN c.iot THEN n.iot_id ELSE o."iotId" END AS "iotId",
    CASE WHEN c.iot THEN n.iot_id_at ELSE o."iotIdAt" END AS "iotIdAt",
    CASE WHEN c.type THEN n.type ELSE o."deviceType" END AS "deviceType",
    CASE WHEN c.type THEN n.type_at ELSE o."deviceTypeAt" END AS "deviceTypeAt",
    CASE WHEN p.stale THEN NULL WHEN c.presence THEN n.online ELSE o."online" END AS "online",
    CASE WHEN p.stale THEN NULL WHEN c.presence THEN n.since ELSE o."since" END AS "since",
    CASE WHEN p.stale THEN NULL WHEN c.presence THEN n.presence_order ELSE o."presenceOrder" END AS "presenceOrder",
    CASE WHEN p.stale THEN NULL WHEN c.presence THEN n.reason ELSE o."offlineReason" END AS "offlineReason",
    CASE WHEN c.lifecycle THEN n.lifecycle ELSE o."lifecycle" END AS "lifecycle",
    CASE WHEN c.lifecycle THEN n.lifecycle_at ELSE o."lifecycleAt" END AS "lifecycleAt",
    p.created AS "createdAt",
    CASE WHEN p.loose THEN NULL WHEN c.gateway THEN n.gateway_pk ELSE o."gatewayProductKey" END AS "gatewayProductKey",
    CASE WHEN p.loose THEN NULL WHEN c.gateway THEN n.gateway_dn ELSE o."gatewayDeviceName" END AS "gatewayDeviceName",
    CASE WHEN p.loose THEN NULL WHEN c.gateway THEN n.gateway_at ELSE o."gatewayAt" END AS "gatewayAt",
    LEAST(o."firstSeen", n.first_seen) AS "firstSeen",
    GREATEST(o."lastSeen", n.last_seen) AS "lastSeen",
    LEAST(o."knownSince", n.known) AS "knownSince"
  FROM unnest(
    $1::text::int4[],
    $2::text::text[], $3::text::timestamptz[],
    $4::text::text[], $5::text::timestamptz[],
    $6::text::bool[], $7::text::timestamptz[], $8::text::timestamptz[], $9::text::int4[],
    $10::text::text[], $11::text::timestamptz[], $12::text::timestamptz[],
    $13::text::text[], $14::text::text[], $15::text::timestamptz[],
    $16::text::timestamptz[], $17::text::timestamptz[], $18::text::timestamptz[]
  ) AS n(id, iot_id, iot_id_at, type, type_at, online, since, presence_order, reason, lifecycle, lifecycle_at, created,
         gateway_pk, gateway_dn, gateway_at, first_seen, last_seen, known)
  JOIN "Device" o ON o."id" = n.id
  CROSS JOIN LATERAL (SELECT
    n.iot_id_at IS NOT NULL AND (o."iotIdAt" IS NULL
      OR (n.iot_id_at, n.iot_id COLLATE "C") > (o."iotIdAt", o."iotId" COLLATE "C")) AS iot,
    n.type_at IS NOT NULL AND (o."deviceTypeAt" IS NULL
      OR (n.type_at, n.type COLLATE "C") > (o."deviceTypeAt", o."deviceType" COLLATE "C")) AS type,
    n.presence_order IS NOT NULL AND (o."presenceOrder" IS NULL
      OR (n.presence_order, n.since, n.online, coalesce(n.reason, -2147483648))
       > (o."presenceOrder", o."since", o."online", coalesce(o."offlineReason", -2147483648))) AS presence,
    n.lifecycle_at IS NOT NULL AND (o."lifecycleAt" IS NULL
      OR (n.lifecycle_at, n.lifecycle COLLATE "C") > (o."lifecycleAt", o."lifecycle" COLLATE "C")) AS lifecycle,
    n.gateway_at IS NOT NULL AND (o."gatewayAt" IS NULL
      OR (n.gateway_at, n.gateway_pk IS NOT NULL, coalesce(n.gateway_pk, '') COLLATE "C", coalesce(n.gateway_dn, '') COLLATE "C")
       > (o."gatewayAt", o."gatewayProductKey" IS NOT NULL, coalesce(o."gatewayProductKey", '') COLLATE "C", coalesce(o."gatewayDeviceName", '') COLLATE "C")
      ) AS gateway
  ) c
  CROSS JOIN LATERAL (SELECT GREATEST(o."createdAt", n.created) AS created) g
  CROSS JOIN LATERAL (SELECT
    g.created,
    coalesce(CASE WHEN c.presence THEN n.presence_order ELSE o."presenceOrder" END < g.created, FALSE) AS stale,
    coalesce(CASE WHEN c.gateway THEN n.gateway_at ELSE o."gatewayAt" END < g.created, FALSE) AS loose
  ) p
) w
WHERE d."id" = w."id"
  AND (d."iotId", d."iotIdAt", d."deviceType", d."deviceTypeAt", d."online", d."since", d."presenceOrder", d."offlineReason",
       d."lifecycle", d."lifecycleAt", d."createdAt", d."gatewayProductKey", d."gatewayDeviceName", d."gatewayAt",
       d."firstSeen", d."lastSeen", d."knownSince")
    IS DISTINCT FROM
      (w."iotId", w."iotIdAt", w."deviceType", w."deviceTypeAt", w."online", w."since", w."presenceOrder", w."offlineReason",
       w."lifecycle", w."lifecycleAt", w."createdAt", w."gatewayProductKey", w."gatewayDeviceName", w."gatewayAt",
       w."firstSeen", w."lastSeen", w."knownSince")`;

/** $1 device ids, $2 times of their \`create\`. Reports older than that are history, not state. */
export const FORGET_OLD_PROPERTIES = `
UPDATE "DeviceProperty" p SET "at" = NULL, "number" = NULL, "json" = NULL
FROM unnest($1::text::int4[], $2::text::timestamptz[]) AS n(id, created)
WHERE p."deviceId" = n.id AND p."at" < n.created`;

/** $1 device ids, $2 times of their \`create\`. */
export const FORGET_OLD_TAGS = `
DELETE FROM "DeviceTag" t
USING unnest($1::text::int4[], $2::text::timestamptz[]) AS n(id, created)
WHERE t."deviceId" = n.id AND t."at" < n.created`;

/**
 * $1 device ids, $2 identifiers, $3 times, $4 numbers, $5 JSON. Gives the series that exist their newer value; answers the
 * ids of all that exist and their places (from 1) in the input, and whether what they had was newer already.
 */
export const UPDATE_SERIES = `
WITH known AS MATERIALIZED (
  SELECT p."id", i.place::int AS place, i.at, i.number, i.json, coalesce(i.at < p."at", FALSE) AS late
  FROM unnest($1::text::int4[], $2::text::text[], $3::text::timestamptz[], $4::text::numeric[], $5::text::jsonb[])
    WITH ORDINALITY AS i(device, identifier, at, number, json, place)
  JOIN "DeviceProperty" p ON p."deviceId" = i.device AND p."identifier" = i.identifier
), taken AS (
  UPDATE "DeviceProperty" p SET "at" = n.at, "number" = n.number, "json" = n.json
  FROM known n, "Device" d
  WHERE p."id" = n."id" AND d."id" = p."deviceId"
    AND (d."createdAt" IS NULL OR n.at >= d."createdAt")
    AND (p."at" IS NULL OR n.at > p."at" OR (n.at = p."at" AND CASE
      WHEN n.number IS NOT NULL AND p."number" IS NOT NULL THEN n.number > p."number"
      WHEN n.number IS NULL AND p."number" IS NULL THEN n.json::text COLLATE "C" > p."json"::text COLLATE "C"
      ELSE n.number IS NULL END))
)
SELECT k."id", k.place, k.late FROM known k`;

/** The same columns, for series that do not exist yet. The device's lock keeps other writers away. */
export const INSERT_SERIES = `
INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number", "json")
SELECT i.device, i.identifier,
  CASE WHEN s.state THEN i.at END, CASE WHEN s.state THEN i.number END, CASE WHEN s.state THEN i.json END
FROM unnest($1::text::int4[], $2::text::text[], $3::text::timestamptz[], $4::text::numeric[], $5::text::jsonb[])
  WITH ORDINALITY AS i(device, identifier, at, number, json, place)
JOIN "Device" d ON d."id" = i.device
CROSS JOIN LATERAL (SELECT d."createdAt" IS NULL OR i.at >= d."createdAt" AS state) s
ORDER BY i.place
RETURNING "id", "deviceId", "identifier"`;

/**
 * $1 series, $2 times, $3 numbers, $4 JSON, $5 several. A further, different value of the same millisecond joins the row:
 * \`several\` then holds all of them, numbers first by size, the others by their text. Days that were rolled up before are marked:
 * this statement holds a lock on the marks, from before it looks until it is committed, which is what rollup-state.ts waits for.
 * Answers what was stored, as two array literals: series and times.
 */
export const INSERT_READINGS = `
WITH stored AS (
INSERT INTO "PropertyReading" AS r ("at", "seriesId", "number", "json", "several")
SELECT i.at, i.series, i.number, i.json, i.several
FROM unnest($1::text::int4[], $2::text::timestamptz[], $3::text::numeric[], $4::text::jsonb[], $5::text::jsonb[])
  AS i(series, at, number, json, several)
ON CONFLICT ("seriesId", "at") DO UPDATE SET
  "number" = NULL,
  "json" = NULL,
  "several" = (
    SELECT jsonb_agg(a.v ORDER BY jsonb_typeof(a.v) <> 'number',
      CASE WHEN jsonb_typeof(a.v) = 'number' THEN a.v::numeric END, a.v::text COLLATE "C")
    FROM (
      SELECT jsonb_array_elements(coalesce(r."several", jsonb_build_array(coalesce(to_jsonb(r."number"), r."json")))) AS v
      UNION
      SELECT jsonb_array_elements(
        coalesce(excluded."several", jsonb_build_array(coalesce(to_jsonb(excluded."number"), excluded."json"))))
    ) a)
WHERE EXISTS (
  SELECT jsonb_array_elements(
    coalesce(excluded."several", jsonb_build_array(coalesce(to_jsonb(excluded."number"), excluded."json"))))
  EXCEPT
  SELECT jsonb_array_elements(coalesce(r."several", jsonb_build_array(coalesce(to_jsonb(r."number"), r."json")))))
RETURNING r."seriesId", r."at"
), marked AS (
INSERT INTO "RollupMark" ("seriesId", "day")
SELECT DISTINCT s."seriesId", date_bin(INTERVAL '1 day', s."at", TIMESTAMPTZ '2000-01-01Z')
FROM stored s WHERE s."at" < (SELECT "announced" FROM "RollupState") AND s."at" >= TIMESTAMPTZ '2015-01-01Z'
)
SELECT array_agg(s."seriesId")::text AS "left", array_agg(s."at")::text AS "right"
FROM (SELECT * FROM stored ORDER BY "at", "seriesId") s`;

/**
 * $1 times, $2 hashes, $3 device ids, $4 product keys, $5 kinds, $6 identifiers, $7 names, $8 types, $9 request ids,
 * $10 values, $11 receipt times. The same fact told again only adds what it tells beside the fact.
 */
export const INSERT_EVENTS = `
INSERT INTO "EventLog" AS e
  ("at", "hash", "deviceId", "productKey", "kind", "identifier", "name", "type", "requestId", "value", "receivedAt")
SELECT i.* FROM unnest(
  $1::text::timestamptz[], $2::text::uuid[], $3::text::int4[], $4::text::text[], $5::text::text[], $6::text::text[],
  $7::text::text[], $8::text::text[], $9::text::text[], $10::text::jsonb[], $11::text::timestamptz[]
) AS i(at, hash, device, product, kind, identifier, name, type, request, value, received)
ORDER BY i.at, i.hash
ON CONFLICT ("at", "hash") DO UPDATE SET
  "name" = GREATEST(e."name" COLLATE "C", excluded."name"),
  "type" = GREATEST(e."type" COLLATE "C", excluded."type"),
  "requestId" = GREATEST(e."requestId" COLLATE "C", excluded."requestId")
WHERE (e."name", e."type", e."requestId") IS DISTINCT FROM (
  GREATEST(e."name" COLLATE "C", excluded."name"),
  GREATEST(e."type" COLLATE "C", excluded."type"),
  GREATEST(e."requestId" COLLATE "C", excluded."requestId"))`;

/** $1 device ids, $2 identities, $3 scopes, $4 tenants, $5 times, $6 bound, $7 owned. */
export const INSERT_BINDINGS = `
INSERT INTO "UserBinding" ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned")
SELECT i.* FROM unnest($1::text::int4[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::timestamptz[],
  $6::text::bool[], $7::text::bool[]) AS i
ON CONFLICT DO NOTHING`;

/**
 * $1 device ids, $2 identities, $3 scopes, $4 tenants: each (device, user) touched. A bind begins an interval that ends
 * with the next fact. An unbind that no bind precedes ends an interval whose beginning is unknown. At equal times the
 * unbind comes first, so that it loses.
 */
export const RECOMPUTE_BINDINGS = `
UPDATE "UserBinding" b SET "from" = c."from", "until" = c."until"
FROM (
  SELECT f."deviceId", f."identityId", f."scopeId", f."tenantId", f."at", f."bound", f."owned",
    CASE WHEN f."bound" THEN f."at" END AS "from",
    CASE
      WHEN f."bound" THEN lead(f."at") OVER facts
      WHEN NOT coalesce(lag(f."bound") OVER facts, FALSE) AND lag(f."at") OVER facts IS DISTINCT FROM f."at" THEN f."at"
    END AS "until"
  FROM unnest($1::text::int4[], $2::text::text[], $3::text::text[], $4::text::text[]) AS t(device, identity, scope, tenant)
  JOIN "UserBinding" f ON f."deviceId" = t.device AND f."identityId" = t.identity
    AND f."scopeId" = t.scope AND f."tenantId" = t.tenant
  WINDOW facts AS (PARTITION BY f."deviceId", f."identityId", f."scopeId", f."tenantId" ORDER BY f."at", f."bound", f."owned")
) c
WHERE (b."deviceId", b."identityId", b."scopeId", b."tenantId", b."at", b."bound", b."owned")
    = (c."deviceId", c."identityId", c."scopeId", c."tenantId", c."at", c."bound", c."owned")
  AND (b."from", b."until") IS DISTINCT FROM (c."from", c."until")`;

/** $1 device ids, $2 keys, $3 values, $4 times. */
export const UPSERT_TAGS = `
INSERT INTO "DeviceTag" AS t ("deviceId", "key", "value", "at")
SELECT i.device, i.key, i.value, i.at
FROM unnest($1::text::int4[], $2::text::text[], $3::text::text[], $4::text::timestamptz[]) AS i(device, key, value, at)
JOIN "Device" d ON d."id" = i.device
WHERE d."createdAt" IS NULL OR i.at >= d."createdAt"
ON CONFLICT ("deviceId", "key") DO UPDATE SET "value" = excluded."value", "at" = excluded."at"
WHERE (excluded."at", excluded."value" COLLATE "C") > (t."at", t."value" COLLATE "C")`;

/**
 * $1 ids, $2 reasons, $3 details, $4 transports, $5 message ids, $6 topics, $7 generate times, $8 properties, $9 bodies,
 * $10 receipt times, $11 kinds, $12 product keys, $13 device names, $14 the versions that refused them.
 */
export const INSERT_SET_ASIDE = `
INSERT INTO "SetAsideMessage"
  ("id", "reason", "detail", "transport", "messageId", "topic", "generateTime", "properties", "body", "receivedAt",
   "kind", "productKey", "deviceName", "refusedBy")
SELECT i.* FROM unnest($1::text::uuid[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[], $6::text::text[],
  $7::text::text[], $8::text::text[], $9::text::bytea[], $10::text::timestamptz[], $11::text::text[], $12::text::text[],
  $13::text::text[], $14::text::text[]) AS i
ON CONFLICT DO NOTHING`;

/** $1 minutes, $2 transports, $3 replicas, $4 outcomes, $5 counts. */
export const ADD_COUNTS = `
INSERT INTO "IngestCount" AS c ("minute", "transport", "replica", "outcome", "count")
SELECT i.* FROM unnest($1::text::timestamptz[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::int8[])
  AS i(minute, transport, replica, outcome, count)
ORDER BY i.minute, i.transport, i.replica, i.outcome
ON CONFLICT ("minute", "transport", "replica", "outcome") DO UPDATE SET "count" = c."count" + excluded."count"`;

/** $1 spool, $2 replica, $3 position. */
export const NOTE_SPOOL_POSITION = `
INSERT INTO "SpoolPosition" AS p ("spool", "replica", "position", "storedAt")
VALUES ($1::text::uuid, $2::text, $3::text::int8, now())
ON CONFLICT ("spool") DO UPDATE SET "replica" = excluded."replica", "storedAt" = now(),
  "position" = GREATEST(p."position", excluded."position")`;

/** $1 ids. Locks messages that were set aside, and answers which of them are there. */
export const LOCK_SET_ASIDE = `
SELECT "id" FROM "SetAsideMessage" WHERE "id" = ANY($1::text::uuid[]) ORDER BY "receivedAt", "id" FOR UPDATE`;

/**
 * Notes what replays made of messages. $1 ids, $2 reasons (null for what is events now), $3 details, $4 kinds,
 * $5 product keys, $6 device names, $7 the versions that refused them.
 */
export const MARK_REPLAYED = `
UPDATE "SetAsideMessage" m SET
  "attempts" = m."attempts" + 1,
  "replayedAt" = CASE WHEN i.reason IS NULL THEN coalesce(m."replayedAt", now()) ELSE m."replayedAt" END,
  "reason" = coalesce(i.reason, m."reason"),
  "detail" = coalesce(i.detail, m."detail"),
  "kind" = coalesce(i.kind, m."kind"),
  "productKey" = coalesce(i.product, m."productKey"),
  "deviceName" = coalesce(i.device, m."deviceName"),
  "refusedBy" = coalesce(i.version, m."refusedBy")
FROM unnest($1::text::uuid[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[], $6::text::text[],
  $7::text::text[]) AS i(id, reason, detail, kind, product, device, version)
WHERE m."id" = i.id`;
