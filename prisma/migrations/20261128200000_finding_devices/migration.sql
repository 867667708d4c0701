-- Devices are found by what they are now. What changes with every message has a coarse column beside it: PostgreSQL leaves the
-- indexes of a row alone (HOT) while the indexed columns keep their values, and a coarse one mostly does
-- (docs/decisions/0014-finding-devices.md). Both coarse columns are computed by PostgreSQL, of existing rows here.

-- About where a value lies. Numbers in their order, in steps of an eighth of the power of two below; whole numbers up to 16 have
-- one each. Everything else below zero, by its hash. Null where there is no value.
CREATE OR REPLACE FUNCTION "propertyRank"("number" NUMERIC, "json" JSONB) RETURNS SMALLINT
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- the first 12 bits of a float4: sign, exponent, and three bits of the fraction
    SELECT CASE
        WHEN "number" IS NULL THEN (-1 - (jsonb_hash("json") & 16383))::SMALLINT
        WHEN "number" >= 1e-37 THEN
            (2048 + (get_byte(float4send(LEAST("number", 3e38)::FLOAT4), 0) << 4)
                  + (get_byte(float4send(LEAST("number", 3e38)::FLOAT4), 1) >> 4))::SMALLINT
        WHEN "number" <= -1e-37 THEN
            (4095 - (get_byte(float4send(GREATEST("number", -3e38)::FLOAT4), 0) << 4)
                  - (get_byte(float4send(GREATEST("number", -3e38)::FLOAT4), 1) >> 4))::SMALLINT
        ELSE 2048::SMALLINT
    END
$$;

ALTER TABLE "DeviceProperty"
    ADD COLUMN "rank" SMALLINT GENERATED ALWAYS AS ("propertyRank"("number", "json")) STORED;
ALTER TABLE "Device"
    ADD COLUMN "lastSeenHour" TIMESTAMPTZ(3) GENERATED ALWAYS AS
        (date_bin(INTERVAL '1 hour', "lastSeen", TIMESTAMPTZ '2000-01-01 00:00:00+00')) STORED;

CREATE INDEX "DeviceProperty_identifier_rank_deviceId_idx" ON "DeviceProperty"("identifier", "rank", "deviceId");

-- Texts by code point, whatever the database's own order: so that it is the same everywhere, and beginnings are ranges.
CREATE INDEX "Device_deviceName_id_idx" ON "Device"("deviceName" COLLATE "C", "id");
CREATE INDEX "Device_iotId_id_idx" ON "Device"("iotId" COLLATE "C", "id");
CREATE INDEX "Device_deviceType_id_idx" ON "Device"("deviceType" COLLATE "C", "id");
CREATE INDEX "Device_lifecycle_id_idx" ON "Device"("lifecycle" COLLATE "C", "id");
CREATE INDEX "Device_gateway_id_idx" ON "Device"((("gatewayProductKey" || ':' || "gatewayDeviceName") COLLATE "C"), "id");
CREATE INDEX "Device_online_id_idx" ON "Device"("online", "id");
CREATE INDEX "Device_since_id_idx" ON "Device"("since", "id");
CREATE INDEX "Device_firstSeen_id_idx" ON "Device"("firstSeen", "id");
CREATE INDEX "Device_lastSeenHour_id_idx" ON "Device"("lastSeenHour", "id");

-- A value may be longer than an index can hold: its beginning serves.
CREATE INDEX "DeviceTag_key_value_idx" ON "DeviceTag"("key", (left("value", 100) COLLATE "C"), "deviceId");

-- Parts of names, where the server has the extension and lets us have it. Without it, a search walks the devices.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX "Device_deviceName_part_idx" ON "Device" USING gin (lower("deviceName") gin_trgm_ops);
    CREATE INDEX "Device_iotId_part_idx" ON "Device" USING gin (lower("iotId") gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'no index on parts of names: %', SQLERRM;
END
$$;

ANALYZE "Device", "DeviceProperty", "DeviceTag";
