-- What changed, in the order in which it was committed: pointers to rows, for streams.

CREATE TABLE "ChangeLog" (
    "seq" BIGSERIAL NOT NULL,
    "writtenAt" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "size" INTEGER NOT NULL,
    "devices" INTEGER[],
    "presences" INTEGER[],
    "bindingDevices" INTEGER[],
    "bindingTimes" TIMESTAMPTZ(3)[],
    "eventTimes" TIMESTAMPTZ(3)[],
    "eventHashes" UUID[],
    "readingSeries" INTEGER[],
    "readingTimes" TIMESTAMPTZ(3)[],

    CONSTRAINT "ChangeLog_pkey" PRIMARY KEY ("seq", "writtenAt")
) PARTITION BY RANGE ("writtenAt");

CREATE INDEX "ChangeLog_writtenAt_idx" ON "ChangeLog"("writtenAt");

-- A third of the time of the usual compression; not every server is built with it.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['eventTimes', 'eventHashes', 'readingSeries', 'readingTimes'] LOOP
        EXECUTE format('ALTER TABLE "ChangeLog" ALTER COLUMN %I SET COMPRESSION lz4', name);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN NULL;
END
$$;

CREATE TABLE "ChangeLogState" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "epoch" UUID NOT NULL DEFAULT gen_random_uuid(),
    "keptFrom" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "droppedSeq" BIGINT NOT NULL DEFAULT 0,
    "droppedAt" TIMESTAMPTZ(6) NOT NULL DEFAULT to_timestamp(0),
    "droppedSize" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "ChangeLogState_pkey" PRIMARY KEY ("id")
);

INSERT INTO "ChangeLogState" DEFAULT VALUES;

-- The partition of a table by hour that holds the given moment. Hours are UTC's.
CREATE FUNCTION "partitions"."add_hour"(parent TEXT, moment TIMESTAMPTZ) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
DECLARE
    low TIMESTAMP := date_trunc('hour', moment AT TIME ZONE 'UTC');
    child TEXT := parent || '_' || to_char(low, 'YYYY_MM_DD_HH24');
BEGIN
    IF to_regclass(format('"partitions".%I', child)) IS NOT NULL THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('CREATE TABLE "partitions".%I (LIKE %I INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING COMPRESSION)', child, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION "partitions".%I FOR VALUES FROM (%L) TO (%L)',
        parent, child, to_char(low, 'YYYY-MM-DD HH24:00:00+00'), to_char(low + INTERVAL '1 hour', 'YYYY-MM-DD HH24:00:00+00'));
    RETURN TRUE;
END
$$;

-- Notes what a partition of the log held before it is dropped: whoever has not read so far is told.
CREATE FUNCTION "partitions"."forget_changes"(child TEXT) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'UPDATE "ChangeLogState" s SET "droppedSeq" = l."seq", "droppedAt" = l."writtenAt", "droppedSize" = l."size"
         FROM (SELECT "seq", "writtenAt", "size" FROM "partitions".%I ORDER BY "seq" DESC LIMIT 1) l
         WHERE l."seq" > s."droppedSeq"', child);
    EXECUTE format(
        'UPDATE "ChangeLogState" s SET "keptFrom" = l."last" FROM (SELECT max("writtenAt") AS "last" FROM "partitions".%I) l
         WHERE l."last" > s."keptFrom"', child);
END
$$;

SELECT "partitions"."add_hour"('ChangeLog', now() + ahead * INTERVAL '1 hour') FROM generate_series(0, 3) AS ahead;

CREATE VIEW "ChangeLogView" AS
SELECT "seq", "writtenAt", "size", cardinality("devices") AS "devices", cardinality("presences") AS "presences",
       cardinality("bindingDevices") AS "bindings", cardinality("eventTimes") AS "events",
       cardinality("readingSeries") AS "readings"
FROM "ChangeLog";
