-- The mirror's tables. What Prisma cannot express stands here in SQL: partitioning, storage settings, the partial index
-- and the readable views. The names and columns are those of schema.prisma.

-- Ordinary tables. Those that are updated all day leave room on their pages, so that an update stays on its page (HOT).

CREATE TABLE "Device" (
    "id" SERIAL NOT NULL,
    "productKey" TEXT NOT NULL,
    "deviceName" TEXT NOT NULL,
    "iotId" TEXT,
    "iotIdAt" TIMESTAMPTZ(3),
    "deviceType" TEXT,
    "deviceTypeAt" TIMESTAMPTZ(3),
    "online" BOOLEAN,
    "since" TIMESTAMPTZ(3),
    "presenceOrder" TIMESTAMPTZ(3),
    "offlineReason" INTEGER,
    "lifecycle" TEXT,
    "lifecycleAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3),
    "gatewayProductKey" TEXT,
    "gatewayDeviceName" TEXT,
    "gatewayAt" TIMESTAMPTZ(3),
    "firstSeen" TIMESTAMPTZ(3),
    "lastSeen" TIMESTAMPTZ(3),

    CONSTRAINT "Device_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE UNIQUE INDEX "Device_productKey_deviceName_key" ON "Device"("productKey", "deviceName");
CREATE INDEX "Device_iotId_idx" ON "Device"("iotId");

CREATE TABLE "DeviceTag" (
    "deviceId" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "DeviceTag_pkey" PRIMARY KEY ("deviceId", "key")
);

CREATE TABLE "DeviceProperty" (
    "id" SERIAL NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "identifier" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3),
    "number" DECIMAL,
    "json" JSONB,

    CONSTRAINT "DeviceProperty_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE UNIQUE INDEX "DeviceProperty_deviceId_identifier_key" ON "DeviceProperty"("deviceId", "identifier");

CREATE TABLE "UserBinding" (
    "deviceId" INTEGER NOT NULL,
    "identityId" TEXT NOT NULL,
    "scopeId" TEXT NOT NULL,
    "tenantId" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "bound" BOOLEAN NOT NULL,
    "owned" BOOLEAN NOT NULL,
    "from" TIMESTAMPTZ(3),
    "until" TIMESTAMPTZ(3),

    CONSTRAINT "UserBinding_pkey" PRIMARY KEY ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned")
);

CREATE INDEX "UserBinding_identityId_idx" ON "UserBinding"("identityId");

CREATE TABLE "SetAsideMessage" (
    "id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "transport" TEXT NOT NULL,
    "messageId" TEXT,
    "topic" TEXT,
    "generateTime" TEXT,
    "properties" TEXT NOT NULL,
    "body" BYTEA NOT NULL,
    "receivedAt" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "replayedAt" TIMESTAMPTZ(3),

    CONSTRAINT "SetAsideMessage_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "SetAsideMessage_receivedAt_id_idx" ON "SetAsideMessage"("receivedAt", "id");

CREATE TABLE "IngestCount" (
    "minute" TIMESTAMPTZ(0) NOT NULL,
    "transport" TEXT NOT NULL,
    "replica" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "IngestCount_pkey" PRIMARY KEY ("minute", "transport", "replica", "outcome")
) WITH (fillfactor = 50);

ALTER TABLE "DeviceTag" ADD CONSTRAINT "DeviceTag_deviceId_fkey"
    FOREIGN KEY ("deviceId") REFERENCES "Device"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "DeviceProperty" ADD CONSTRAINT "DeviceProperty_deviceId_fkey"
    FOREIGN KEY ("deviceId") REFERENCES "Device"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "UserBinding" ADD CONSTRAINT "UserBinding_deviceId_fkey"
    FOREIGN KEY ("deviceId") REFERENCES "Device"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Partitioned tables. `at` comes first in a reading: with a four-byte series behind it no byte is lost to alignment.
-- There is no foreign key from readings or events: it would be checked for every row.

CREATE TABLE "PropertyReading" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "seriesId" INTEGER NOT NULL,
    "number" DECIMAL,
    "json" JSONB,
    "several" JSONB,

    CONSTRAINT "PropertyReading_pkey" PRIMARY KEY ("seriesId", "at")
) PARTITION BY RANGE ("at");

CREATE TABLE "EventLog" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "hash" UUID NOT NULL,
    "deviceId" INTEGER,
    "productKey" TEXT,
    "kind" TEXT NOT NULL,
    "identifier" TEXT,
    "name" TEXT,
    "type" TEXT,
    "requestId" TEXT,
    "value" JSONB NOT NULL,
    "receivedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "EventLog_pkey" PRIMARY KEY ("at", "hash")
) PARTITION BY RANGE ("at");

CREATE INDEX "EventLog_deviceId_at_hash_idx" ON "EventLog"("deviceId", "at", "hash");
CREATE INDEX "EventLog_requestId_idx" ON "EventLog"("requestId") WHERE "requestId" IS NOT NULL;

CREATE TABLE "SeenMessage" (
    "day" DATE NOT NULL,
    "key" UUID NOT NULL,

    CONSTRAINT "SeenMessage_pkey" PRIMARY KEY ("key", "day")
) PARTITION BY RANGE ("day");

-- Partitions: made, then attached, because CREATE ... PARTITION OF would wait behind every open writer.

-- `prisma migrate reset` empties "public" only and then runs this again: what is left of an earlier life goes first.
DROP SCHEMA IF EXISTS "partitions" CASCADE;
CREATE SCHEMA "partitions";

-- Makes the partition of `parent` for [low, high) unless there is one of that name. A null `low` means since ever.
-- Answers whether it made one.
CREATE FUNCTION "partitions"."add"(parent TEXT, suffix TEXT, low TEXT, high TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
DECLARE
    child TEXT := parent || '_' || suffix;
BEGIN
    IF to_regclass(format('"partitions".%I', child)) IS NOT NULL THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('CREATE TABLE "partitions".%I (LIKE %I INCLUDING DEFAULTS INCLUDING INDEXES)', child, parent);
    IF low IS NULL THEN
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION "partitions".%I FOR VALUES FROM (MINVALUE) TO (%L)', parent, child, high);
    ELSE
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION "partitions".%I FOR VALUES FROM (%L) TO (%L)', parent, child, low, high);
    END IF;
    RETURN TRUE;
END
$$;

-- The partition of a table by month that holds the given day: `before` for everything older than 2015. Months are UTC's.
CREATE FUNCTION "partitions"."add_month"(parent TEXT, day DATE) RETURNS BOOLEAN
LANGUAGE sql AS $$
    SELECT CASE WHEN day < DATE '2015-01-01'
        THEN "partitions"."add"(parent, 'before', NULL, '2015-01-01 00:00:00+00')
        ELSE "partitions"."add"(
            parent,
            to_char(day, 'YYYY_MM'),
            to_char(day, 'YYYY-MM-01 00:00:00+00'),
            to_char(date_trunc('month', day::TIMESTAMP) + INTERVAL '1 month', 'YYYY-MM-01 00:00:00+00'))
    END
$$;

-- The partition of a table by day.
CREATE FUNCTION "partitions"."add_day"(parent TEXT, day DATE) RETURNS BOOLEAN
LANGUAGE sql AS $$
    SELECT "partitions"."add"(parent, to_char(day, 'YYYY_MM_DD'), day::TEXT, (day + 1)::TEXT)
$$;

SELECT "partitions"."add_month"(parent, day::DATE)
FROM unnest(ARRAY['PropertyReading', 'EventLog']) AS parent,
     generate_series(TIMESTAMP '2014-12-01', (now() AT TIME ZONE 'UTC') + INTERVAL '2 months', INTERVAL '1 month') AS day;

SELECT "partitions"."add_day"('SeenMessage', day::DATE)
FROM generate_series((now() AT TIME ZONE 'UTC') - INTERVAL '8 days', (now() AT TIME ZONE 'UTC') + INTERVAL '2 days', INTERVAL '1 day') AS day;

-- Prisma Studio lists ordinary tables and views only: one readable view for each partitioned table.

CREATE VIEW "PropertyReadingView" AS
SELECT d."productKey" || ':' || d."deviceName" AS "device",
       p."identifier",
       coalesce(r."number"::TEXT, r."json"::TEXT, r."several"::TEXT) AS "value",
       r."at"
FROM "PropertyReading" r
JOIN "DeviceProperty" p ON p."id" = r."seriesId"
JOIN "Device" d ON d."id" = p."deviceId";

CREATE VIEW "EventLogView" AS
SELECT coalesce(d."productKey" || ':' || d."deviceName", e."productKey") AS "device",
       e."kind",
       e."identifier",
       e."name",
       e."type",
       e."value"::TEXT AS "value",
       e."at"
FROM "EventLog" e
LEFT JOIN "Device" d ON d."id" = e."deviceId";

CREATE VIEW "SeenMessageView" AS
SELECT "key", "day" FROM "SeenMessage";
