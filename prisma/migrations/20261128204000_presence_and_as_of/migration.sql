-- What devices were at other times: the attributes that had no history so far, each fact of the others by device and time, and
-- what follows from the status messages for a whole fleet. All of it is filled from what the mirror knows already.

ALTER TABLE "Device" ADD COLUMN "knownSince" TIMESTAMPTZ(3);

CREATE TABLE "DeviceIdentity" (
    "deviceId" INTEGER NOT NULL,
    "attribute" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "DeviceIdentity_pkey" PRIMARY KEY ("deviceId", "attribute", "value")
);

CREATE INDEX "DeviceIdentity_iotId_idx" ON "DeviceIdentity"("value") WHERE "attribute" = 'iotId';

CREATE TABLE "DeviceHistory" (
    "deviceId" INTEGER NOT NULL,
    "attribute" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "value" TEXT,
    "part" TEXT,

    CONSTRAINT "DeviceHistory_pkey" PRIMARY KEY ("deviceId", "attribute", "key", "at")
);

CREATE TABLE "PresenceHistory" (
    "deviceId" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "orderedBy" TIMESTAMPTZ(3) NOT NULL,
    "online" BOOLEAN NOT NULL,
    "begins" BOOLEAN NOT NULL,
    "reason" INTEGER,

    CONSTRAINT "PresenceHistory_pkey" PRIMARY KEY ("deviceId", "at")
);

CREATE INDEX "PresenceHistory_begins_idx" ON "PresenceHistory"("deviceId", "at") WHERE "begins";

CREATE TABLE "PresenceTouched" (
    "id" BIGSERIAL NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "PresenceTouched_pkey" PRIMARY KEY ("id")
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

CREATE INDEX "PresenceTouched_deviceId_idx" ON "PresenceTouched"("deviceId");

CREATE TABLE "PresenceChange" (
    "deviceId" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "state" TEXT NOT NULL,
    "flips" BOOLEAN NOT NULL,

    CONSTRAINT "PresenceChange_pkey" PRIMARY KEY ("deviceId", "at")
);

CREATE TABLE "PresenceCount" (
    "productKey" TEXT NOT NULL,
    "span" TEXT NOT NULL,
    "start" TIMESTAMPTZ(0) NOT NULL,
    "online" INTEGER NOT NULL,
    "offline" INTEGER NOT NULL,
    "unknown" INTEGER NOT NULL,

    CONSTRAINT "PresenceCount_pkey" PRIMARY KEY ("productKey", "span", "start")
) WITH (fillfactor = 70);

CREATE TABLE "PresenceDay" (
    "day" DATE NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "changes" INTEGER NOT NULL,

    CONSTRAINT "PresenceDay_pkey" PRIMARY KEY ("deviceId", "day")
) WITH (fillfactor = 80);

CREATE INDEX "PresenceDay_day_changes_deviceId_idx" ON "PresenceDay"("day", "changes", "deviceId");

-- Since when a device is known: the earliest of everything that is known of it.

UPDATE "Device" d SET "knownSince" = LEAST(d."firstSeen", d."iotIdAt", d."deviceTypeAt", d."lifecycleAt", d."gatewayAt", d."since",
    e.at, b.at)
FROM "Device" o
LEFT JOIN (SELECT "deviceId", min("at") AS at FROM "EventLog" WHERE "deviceId" IS NOT NULL GROUP BY 1) e ON e."deviceId" = o."id"
LEFT JOIN (SELECT "deviceId", min("at") AS at FROM "UserBinding" GROUP BY 1) b ON b."deviceId" = o."id"
WHERE o."id" = d."id";

-- Of the attributes without a history the current value is all there is: it counts from the beginning.

INSERT INTO "DeviceIdentity" ("deviceId", "attribute", "value", "at")
SELECT "id", 'iotId', "iotId", LEAST("iotIdAt", "knownSince") FROM "Device" WHERE "iotId" IS NOT NULL
UNION ALL
SELECT "id", 'deviceType', "deviceType", LEAST("deviceTypeAt", "knownSince") FROM "Device" WHERE "deviceType" IS NOT NULL;

-- The log's facts; what the log has lost to retention and is still current comes from the tables of current state.

INSERT INTO "DeviceHistory" ("deviceId", "attribute", "key", "at", "value", "part")
SELECT DISTINCT ON (1, 2, 3, 4) f.* FROM (
    SELECT "deviceId", 'lifecycle' AS attribute, '' AS key, "at", "value"->>'action' AS value, NULL AS part
    FROM "EventLog" WHERE "kind" = 'lifecycle-changed'
    UNION ALL
    SELECT "deviceId", 'create', '', "at", NULL, NULL
    FROM "EventLog" WHERE "kind" = 'lifecycle-changed' AND "value"->>'action' = 'create'
    UNION ALL
    SELECT "deviceId", 'gateway', '', "at",
        CASE "value"->>'action' WHEN 'create' THEN split_part("value"->>'gateway', ':', 1) END,
        CASE "value"->>'action' WHEN 'create' THEN substr("value"->>'gateway', strpos("value"->>'gateway', ':') + 1) END
    FROM "EventLog" WHERE "kind" = 'gateway-changed' AND "value"->>'action' IN ('create', 'delete')
    UNION ALL
    SELECT e."deviceId", 'tag', t->>'key', e."at", t->>'value', NULL
    FROM "EventLog" e, jsonb_array_elements(e."value"->'tags') AS t WHERE e."kind" = 'tags-changed'
    UNION ALL
    SELECT "id", 'lifecycle', '', "lifecycleAt", "lifecycle", NULL FROM "Device" WHERE "lifecycleAt" IS NOT NULL
    UNION ALL
    SELECT "id", 'create', '', "createdAt", NULL, NULL FROM "Device" WHERE "createdAt" IS NOT NULL
    UNION ALL
    SELECT "id", 'gateway', '', "gatewayAt", "gatewayProductKey", "gatewayDeviceName" FROM "Device" WHERE "gatewayAt" IS NOT NULL
    UNION ALL
    SELECT "deviceId", 'tag', "key", "at", "value", NULL FROM "DeviceTag"
) f
ORDER BY 1, 2, 3, 4, f.value COLLATE "C" DESC NULLS LAST, f.part COLLATE "C" DESC NULLS LAST;

-- Of the status messages those that no earlier one outranks; of one millisecond, the one that wins it.

INSERT INTO "PresenceHistory" ("deviceId", "at", "orderedBy", "online", "begins", "reason")
SELECT s."deviceId", s."at", s.ordered, s.online,
    lag(s.online) OVER (PARTITION BY s."deviceId" ORDER BY s."at") IS DISTINCT FROM s.online, s.reason
FROM (
    SELECT f.*, max(f.ordered) OVER (PARTITION BY f."deviceId" ORDER BY f."at" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT DISTINCT ON ("deviceId", "at") g.* FROM (
            SELECT "deviceId", "at", ("value"->>'orderedBy')::timestamptz(3) AS ordered, ("value"->>'online')::boolean AS online,
                ("value"->>'reason')::integer AS reason
            FROM "EventLog" WHERE "kind" = 'presence-changed'
            UNION ALL
            SELECT "id", "since", "presenceOrder", "online", "offlineReason" FROM "Device" WHERE "presenceOrder" IS NOT NULL
        ) g
        ORDER BY "deviceId", "at", ordered DESC, online DESC, reason DESC NULLS LAST
    ) f
) s
WHERE s.before IS NULL OR s.ordered >= s.before;

-- The service itself counts the fleet: every device is to be looked at once.

INSERT INTO "PresenceTouched" ("deviceId", "at") SELECT "id", '0001-01-01Z' FROM "Device" ORDER BY "id";
