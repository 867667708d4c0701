-- What is made of readings ahead of being asked for: what each hour and day of a series comes to, and up to where.

-- Partitioned by month like the readings, and dropped with them; the keeper makes a month's partition with its first row. The
-- eight-byte column comes first, then those of four, so that no byte is lost to alignment.
CREATE TABLE "ReadingRollup" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "seriesId" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,
    "firstAt" INTEGER NOT NULL,
    "lastAt" INTEGER NOT NULL,
    "minAt" INTEGER NOT NULL,
    "maxAt" INTEGER NOT NULL,
    "hours" SMALLINT NOT NULL,
    "sum" DECIMAL NOT NULL,
    "min" DECIMAL NOT NULL,
    "max" DECIMAL NOT NULL,
    "first" DECIMAL NOT NULL,
    "last" DECIMAL NOT NULL,
    "area" DECIMAL NOT NULL,
    "parts" TEXT,

    CONSTRAINT "ReadingRollup_pkey" PRIMARY KEY ("seriesId", "hours", "at")
) PARTITION BY RANGE ("at");

-- Which series have many readings: those whose hours are rolled up as soon as they are over (BUSY_DAY in rollup-statements.ts).
CREATE INDEX "ReadingRollup_busy_idx" ON "ReadingRollup"("at") WHERE "hours" = 24 AND "count" >= 720;

CREATE VIEW "ReadingRollupView" AS
SELECT d."productKey" || ':' || d."deviceName" AS "device", p."identifier", u."at", u."hours", u."count", u."sum", u."min", u."max",
       u."first", u."last"
FROM "ReadingRollup" u
JOIN "DeviceProperty" p ON p."id" = u."seriesId"
JOIN "Device" d ON d."id" = p."deviceId";

-- Rows come and go all the time: what is gone is to be cleared away soon.
CREATE TABLE "RollupMark" (
    "day" TIMESTAMPTZ(3) NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "seriesId" INTEGER NOT NULL,

    CONSTRAINT "RollupMark_pkey" PRIMARY KEY ("seriesId", "day", "id")
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- One row, read by every batch and written over and over.
CREATE TABLE "RollupState" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "announced" TIMESTAMPTZ(3) NOT NULL,
    "ready" TIMESTAMPTZ(3) NOT NULL,
    "hoursUntil" TIMESTAMPTZ(3) NOT NULL,
    "hoursSeries" INTEGER NOT NULL DEFAULT 0,
    "daysUntil" TIMESTAMPTZ(3) NOT NULL,
    "daysSeries" INTEGER NOT NULL DEFAULT 0,
    "daysFrom" TIMESTAMPTZ(3) NOT NULL,
    "pastSeries" INTEGER NOT NULL DEFAULT 0,
    "pastDone" BOOLEAN NOT NULL DEFAULT FALSE,

    CONSTRAINT "RollupState_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 30);
