import { UNPACK } from './reading-source.js';

/** At most so many readings in a chunk: with two bytes each for time and value, four rows fill a page and none is put elsewhere. */
export const CHUNK_READINGS = 470;

/**
 * SQL of the product of a series if it has a retention of its own, or nothing. Looked up one by one, like whatever else is asked of a
 * series here: the planner knows little of rows that were just deleted, and a join of them may come to each with each.
 */
const productOf = (series: string): string => `CASE WHEN cardinality($6::text[]) = 0 THEN '' ELSE coalesce((
    SELECT d."productKey" FROM "DeviceProperty" p JOIN "Device" d ON d."id" = p."deviceId"
    WHERE p."id" = ${series} AND d."productKey" = ANY($6::text[])), '') END`;

/**
 * SQL that moves readings from a partition into chunks, in one statement, so that whoever looks sees each of them once. Chunks
 * that lie among what is moved, and the one before it, are packed anew together with it: the chunks of a series never overlap.
 *
 * $1 and $2 the first and the last series, $3 before when, $4 and $5 from when until when the partition lasts, $6 the products
 * with a retention of their own, $7 those of them (and, empty, the rest) of which nothing is kept any more. Answers by how many
 * the packed readings of each product grew, and how many readings were taken from the partition in all.
 */
export function packReadings(partition: string, chunkReadings: number): string {
  return `
WITH taken AS (
  DELETE FROM ${partition} WHERE "seriesId" BETWEEN $1::int AND $2::int AND "at" < $3::timestamptz
  RETURNING "seriesId", "at", "number", "json", "several"
), home AS MATERIALIZED (
  SELECT t."seriesId", t."low", t."high", ${productOf('t."seriesId"')} = ANY($7::text[]) AS "expired"
  FROM (SELECT "seriesId", min("at") AS "low", max("at") AS "high" FROM taken GROUP BY 1) t
), opened AS (
  DELETE FROM "ReadingChunk" c USING home h
  WHERE c."seriesId" = h."seriesId" AND NOT h."expired" AND c."from" >= $4::timestamptz AND c."from" < $5::timestamptz
    AND c."from" <= h."high" AND c."until" >= coalesce((
      SELECT max(b."from") FROM "ReadingChunk" b
      WHERE b."seriesId" = h."seriesId" AND b."from" >= $4::timestamptz AND b."from" < $5::timestamptz
        AND b."from" >= "partitions"."month_of"(h."low") AND b."from" <= h."low"), h."low")
  RETURNING c.*
), known AS (
  SELECT c."seriesId", u.* FROM opened c CROSS JOIN LATERAL ${UNPACK} u
), fresh AS (
  SELECT * FROM taken t WHERE t."seriesId" NOT IN (SELECT h."seriesId" FROM home h WHERE h."expired")
), merged AS (
  SELECT "seriesId", "at",
    CASE WHEN k."seriesId" IS NULL THEN t."number" WHEN u."all" IS NULL THEN k."number" END AS "number",
    CASE WHEN k."seriesId" IS NULL THEN t."json" WHEN u."all" IS NULL THEN k."json" END AS "json",
    CASE WHEN k."seriesId" IS NULL THEN t."several" WHEN u."all" IS NULL THEN k."several" ELSE u."all" END AS "several"
  FROM fresh t FULL JOIN known k USING ("seriesId", "at")
  CROSS JOIN LATERAL (SELECT CASE WHEN k."seriesId" = t."seriesId" THEN "partitions"."united"(
    "partitions"."values_of"(k."number", k."json", k."several"),
    "partitions"."values_of"(t."number", t."json", t."several")) END) u("all")
), placed AS (
  SELECT m.*, (m."place" - 1) * ((m."all" + ${chunkReadings - 1}) / ${chunkReadings}) / m."all" AS "chunk" FROM (
    SELECT m.*, row_number() OVER (PARTITION BY "seriesId", "month" ORDER BY "at") AS "place",
      count(*) OVER (PARTITION BY "seriesId", "month") AS "all"
    FROM (SELECT *, "partitions"."month_of"("at") AS "month" FROM merged) m
  ) m
), gathered AS (
  SELECT "seriesId", min("at") AS "from", max("at") AS "until", count(*)::int2 AS "count",
    array_agg((date_part('epoch', "at") * 1000)::int8 ORDER BY "at") AS "times",
    array_agg("number" ORDER BY "at") AS "numbers", count("number") AS "numbered",
    CASE WHEN count("json") > 0 THEN array_agg("json" ORDER BY "at") END AS "json",
    CASE WHEN count("several") > 0 THEN array_agg("several" ORDER BY "at") END AS "several",
    bool_and(coalesce(scale("number") = min_scale("number"), "number" IS NULL)) AS "plain",
    min("number") AS "least", max("number") AS "most", ('1e' || max(scale("number")))::numeric AS "times_unit",
    ('1e-' || max(scale("number")))::numeric AS "unit"
  FROM placed GROUP BY "seriesId", "month", "chunk"
), stepped AS (
  SELECT g.*, s."step", d.*, w."width"
  FROM gathered g
  CROSS JOIN LATERAL (
    SELECT coalesce(least(percentile_disc(0.5) WITHIN GROUP (ORDER BY x."t"), 2147483647), 0)::int4 AS "step"
    FROM (SELECT t - lag(t) OVER (ORDER BY n) AS "t" FROM unnest(g."times") WITH ORDINALITY AS u(t, n)) x
  ) s
  CROSS JOIN LATERAL (
    SELECT array_agg(x."off" ORDER BY x."n") AS "offs", min(x."off") AS "lowest", max(x."off") AS "highest"
    FROM (SELECT t - g."times"[1] - s."step" * (n - 1) AS "off", n FROM unnest(g."times") WITH ORDINALITY AS u(t, n)) x
  ) d
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN NOT g."plain" OR greatest(abs(g."least"), abs(g."most")) * g."times_unit" > 9e18 THEN NULL
      WHEN (g."most" - g."least") * g."times_unit" <= 65535 THEN 32768
      WHEN (g."most" - g."least") * g."times_unit" <= 4294967295 THEN 2147483648
    END AS "width"
  ) w
), added AS (
  INSERT INTO "ReadingChunk" ("seriesId", "step", "from", "until", "start", "base", "count", "product", "unit", "high", "low",
    "small", "wide", "numbers", "json", "several")
  SELECT g."seriesId", g."step", g."from", g."until",
    CASE WHEN z."shift" <> 0 THEN g."from" + make_interval(secs => z."shift" * 0.001::float8) END,
    b."base", g."count", ${productOf('g."seriesId"')}, CASE WHEN b."base" IS NOT NULL THEN g."unit" END, t."high", t."low",
    v."small", v."wide", CASE WHEN g."width" IS NULL AND g."numbered" > 0 THEN g."numbers" END, g."json", g."several"
  FROM stepped g
  CROSS JOIN LATERAL (
    SELECT CASE WHEN g."lowest" < -2147450880 OR g."highest" > 2147450879 THEN (g."lowest" + g."highest") / 2 ELSE 0 END AS "shift"
  ) z
  CROSS JOIN LATERAL (
    SELECT CASE WHEN bool_or(x."h" <> 0) THEN array_agg(x."h"::int2 ORDER BY x."n") END AS "high",
      array_agg((x."o" - (x."h" << 16))::int2 ORDER BY x."n") AS "low"
    FROM (SELECT o - z."shift" AS "o", (o - z."shift" + 32768) >> 16 AS "h", n FROM unnest(g."offs") WITH ORDINALITY AS u(o, n)) x
  ) t
  CROSS JOIN LATERAL (SELECT (g."least" * g."times_unit" + g."width")::int8 AS "base") b
  CROSS JOIN LATERAL (
    SELECT array_agg((x * g."times_unit" - b."base")::int2 ORDER BY n) FILTER (WHERE g."width" = 32768) AS "small",
      array_agg((x * g."times_unit" - b."base")::int4 ORDER BY n) FILTER (WHERE g."width" > 32768) AS "wide"
    FROM unnest(g."numbers") WITH ORDINALITY AS u(x, n)
  ) v
  ORDER BY g."seriesId", g."from"
  RETURNING "product", "count"
)
SELECT g."product", sum(g."count")::int AS "grown", (SELECT count(*)::int FROM taken) AS "taken"
FROM (SELECT "product", "count" FROM added UNION ALL SELECT "product", -"count" FROM opened UNION ALL SELECT '', 0) g
GROUP BY 1`;
}
