-- Months that are over are packed: some hundred readings of a series become one row of arrays. docs/storage.md tells how.

-- Readings of one series, in order of time, all of one month (UTC's). What a reading is follows from the arrays, place by place;
-- an array that has nothing to tell is null. `product` is empty but for products whose readings are kept for a time of their own.
CREATE TABLE "ReadingChunk" (
    "seriesId" INTEGER NOT NULL,
    "step" INTEGER NOT NULL,
    "from" TIMESTAMPTZ(3) NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,
    "start" TIMESTAMPTZ(3),
    "base" BIGINT,
    "count" SMALLINT NOT NULL,
    "product" TEXT NOT NULL,
    "unit" DECIMAL,
    "high" SMALLINT[],
    "low" SMALLINT[],
    "small" SMALLINT[],
    "wide" INTEGER[],
    "numbers" DECIMAL[],
    "json" JSONB[],
    "several" JSONB[],

    CONSTRAINT "ReadingChunk_pkey" PRIMARY KEY ("seriesId", "from", "product")
) PARTITION BY RANGE ("from");

-- What was done to each month of a table, for those products with a time of their own and (empty) for the rest.
CREATE TABLE "StorageMonth" (
    "table" TEXT NOT NULL,
    "month" DATE NOT NULL,
    "product" TEXT NOT NULL,
    "packed" BIGINT NOT NULL DEFAULT 0,
    "packedAt" TIMESTAMPTZ(3),
    "swept" TEXT NOT NULL DEFAULT '[]',
    "products" TEXT NOT NULL DEFAULT '[]',

    CONSTRAINT "StorageMonth_pkey" PRIMARY KEY ("table", "month", "product")
);

-- The first moment of a month, so that a partition of chunks can be chosen while a question is planned: hence immutable.
CREATE FUNCTION "partitions"."month_of"(at TIMESTAMPTZ) RETURNS TIMESTAMPTZ
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
$$;

-- The partition of chunks of one product (or, empty, of the rest) in the month of the given day. Months first: whoever wants the
-- newest readings of many years then opens no partition but the last.
CREATE FUNCTION "partitions"."add_chunks"(product TEXT, day DATE) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
DECLARE
    suffix TEXT := CASE WHEN day < DATE '2015-01-01' THEN 'before' ELSE to_char(day, 'YYYY_MM') END;
    month TEXT := 'ReadingChunk_month_' || suffix;
    child TEXT := 'ReadingChunk_' || CASE WHEN product = '' THEN '' ELSE 'of_' || product || '_' END || suffix;
BEGIN
    IF to_regclass(format('"partitions".%I', child)) IS NOT NULL THEN
        RETURN FALSE;
    END IF;
    IF to_regclass(format('"partitions".%I', month)) IS NULL THEN
        EXECUTE format('CREATE TABLE "partitions".%I (LIKE "ReadingChunk" INCLUDING DEFAULTS INCLUDING INDEXES) PARTITION BY LIST ("product")', month);
        IF day < DATE '2015-01-01' THEN
            EXECUTE format('ALTER TABLE "ReadingChunk" ATTACH PARTITION "partitions".%I FOR VALUES FROM (MINVALUE) TO (%L)',
                month, '2015-01-01 00:00:00+00');
        ELSE
            EXECUTE format('ALTER TABLE "ReadingChunk" ATTACH PARTITION "partitions".%I FOR VALUES FROM (%L) TO (%L)', month,
                to_char(day, 'YYYY-MM-01 00:00:00+00'),
                to_char(date_trunc('month', day::TIMESTAMP) + INTERVAL '1 month', 'YYYY-MM-01 00:00:00+00'));
        END IF;
    END IF;
    EXECUTE format('CREATE TABLE "partitions".%I (LIKE "ReadingChunk" INCLUDING DEFAULTS INCLUDING INDEXES)', child);
    EXECUTE format('ALTER TABLE "partitions".%I ATTACH PARTITION "partitions".%I FOR VALUES IN (%L)', month, child, product);
    RETURN TRUE;
END
$$;

-- The values of one millisecond.
CREATE FUNCTION "partitions"."values_of"(v_number NUMERIC, v_json JSONB, v_several JSONB) RETURNS JSONB
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(v_several, jsonb_build_array(coalesce(to_jsonb(v_number), v_json)))
$$;

-- All of the values of two readings of one millisecond, in the fixed order: numbers first by size, the others by their text.
-- Null when the second has no other than the first.
CREATE FUNCTION "partitions"."united"(v_known JSONB, v_told JSONB) RETURNS JSONB
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(jsonb_agg(a.v ORDER BY jsonb_typeof(a.v) <> 'number',
        CASE WHEN jsonb_typeof(a.v) = 'number' THEN a.v::NUMERIC END, a.v::TEXT COLLATE "C"), v_known)
    FROM (SELECT jsonb_array_elements(v_known) AS v UNION SELECT jsonb_array_elements(v_told)) a
$$;

-- The readings of a chunk, in order of time. The time of reading n (from 0) is start + n * step + high * 65536 + low milliseconds,
-- its number (base + small or wide) * unit. The planner sees through it: chunks are unpacked one by one, as they are needed.
CREATE FUNCTION "partitions"."unpack"(
    c_start TIMESTAMPTZ, c_step INTEGER, c_count SMALLINT, c_high SMALLINT[], c_low SMALLINT[], c_base BIGINT, c_unit NUMERIC,
    c_small SMALLINT[], c_wide INTEGER[], c_numbers NUMERIC[], c_json JSONB[], c_several JSONB[]
) RETURNS TABLE ("at" TIMESTAMPTZ, "number" NUMERIC, "json" JSONB, "several" JSONB)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c_start + make_interval(secs => (p.n::BIGINT * c_step + coalesce(p.high, 0) * 65536 + p.low) * 0.001::FLOAT8),
        coalesce(p.exact, trim_scale((c_base + coalesce(p.small, p.wide)) * c_unit)), p."json", p.several
    FROM (
        SELECT generate_series(0, c_count - 1) AS n, unnest(c_high) AS high, unnest(c_low) AS low, unnest(c_small) AS small,
            unnest(c_wide) AS wide, unnest(c_numbers) AS exact, unnest(c_json) AS "json", unnest(c_several) AS several
    ) p
$$;

-- The same together with readings that came late. What both have is one reading, or several values of one millisecond.
CREATE FUNCTION "partitions"."unpack_with"(
    c_late "PropertyReading"[], c_start TIMESTAMPTZ, c_step INTEGER, c_count SMALLINT, c_high SMALLINT[], c_low SMALLINT[],
    c_base BIGINT, c_unit NUMERIC, c_small SMALLINT[], c_wide INTEGER[], c_numbers NUMERIC[], c_json JSONB[], c_several JSONB[]
) RETURNS TABLE ("at" TIMESTAMPTZ, "number" NUMERIC, "json" JSONB, "several" JSONB)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(p."at", l."at"),
        CASE WHEN p."at" IS NULL THEN l."number" WHEN u."all" IS NULL THEN p."number" END,
        CASE WHEN p."at" IS NULL THEN l."json" WHEN u."all" IS NULL THEN p."json" END,
        CASE WHEN p."at" IS NULL THEN l."several" WHEN u."all" IS NULL THEN p."several" ELSE u."all" END
    FROM "partitions"."unpack"(c_start, c_step, c_count, c_high, c_low, c_base, c_unit, c_small, c_wide, c_numbers, c_json, c_several) p
    FULL JOIN unnest(c_late) l ON l."at" = p."at"
    CROSS JOIN LATERAL (SELECT CASE WHEN p."at" = l."at" THEN "partitions"."united"(
        "partitions"."values_of"(p."number", p."json", p."several"),
        "partitions"."values_of"(l."number", l."json", l."several")) END) u("all")
$$;

-- From this time on nothing is packed.
CREATE FUNCTION "partitions"."packed_until"() RETURNS TIMESTAMPTZ
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(max(("month" + INTERVAL '1 month') AT TIME ZONE 'UTC'), '-infinity')
    FROM "StorageMonth" WHERE "table" = 'PropertyReading' AND "packed" > 0
$$;

-- Whether a time lies among the readings of a chunk. It keeps its plan: a question that asks it does not plan for all chunks again.
CREATE FUNCTION "partitions"."in_chunk"(series INTEGER, moment TIMESTAMPTZ) RETURNS BOOLEAN
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(moment <= (
        SELECT c."until" FROM "ReadingChunk" c
        WHERE c."seriesId" = series AND c."from" <= moment AND c."from" >= "partitions"."month_of"(moment)
        ORDER BY c."from" DESC LIMIT 1), FALSE);
END
$$;

-- Every reading, packed or not, once: "PropertyReading" as it would be if nothing were ever packed.
CREATE VIEW "partitions"."EveryReading" AS
SELECT r."at", r."seriesId", r."number", r."json", r."several"
FROM "PropertyReading" r
WHERE r."at" >= (SELECT "partitions"."packed_until"()) OR NOT "partitions"."in_chunk"(r."seriesId", r."at")
UNION ALL
SELECT u."at"::TIMESTAMPTZ(3), c."seriesId", u."number", u."json", u."several"
FROM (
    SELECT c.*, ARRAY(
        SELECT r FROM "PropertyReading" r WHERE r."seriesId" = c."seriesId" AND r."at" >= c."from" AND r."at" <= c."until") AS late
    FROM "ReadingChunk" c
) c
CROSS JOIN LATERAL (
    SELECT * FROM "partitions"."unpack"(coalesce(c."start", c."from"), c."step", c."count", c."high", c."low",
        c."base", c."unit", c."small", c."wide", c."numbers", c."json", c."several")
    WHERE cardinality(c.late) = 0
    UNION ALL
    SELECT * FROM "partitions"."unpack_with"(c.late, coalesce(c."start", c."from"), c."step", c."count", c."high", c."low",
        c."base", c."unit", c."small", c."wide", c."numbers", c."json", c."several")
    WHERE cardinality(c.late) > 0
) u;

CREATE OR REPLACE VIEW "PropertyReadingView" AS
SELECT d."productKey" || ':' || d."deviceName" AS "device",
       p."identifier",
       coalesce(r."number"::TEXT, r."json"::TEXT, r."several"::TEXT) AS "value",
       r."at"
FROM "partitions"."EveryReading" r
JOIN "DeviceProperty" p ON p."id" = r."seriesId"
JOIN "Device" d ON d."id" = p."deviceId";
