import { epochMs } from './read-columns.js';
import { NUMBER_OF_READING, readingsOf } from './reading-source.js';

/**
 * The SQL that makes roll-ups. They are always computed from the readings and never added to, so that neither the order nor the
 * repetition of what comes can matter.
 */

/** A day of fewer readings is read as quickly from the readings as from a row about it. */
const LEAST_OF_DAY = 24;
/** From so many on, the row of a day also tells each of its hours, which makes it as large as a dozen readings. */
const LEAST_FOR_HOURS = 144;
/** The row of an hour tells each of its minutes from so many readings on. Such rows stay; others go when their day has its row. */
const LEAST_FOR_MINUTES = 600;
/** Fewer readings of an hour are not rolled up before their day is over. */
const LEAST_OF_HOUR = 20;
/** A series that had a day of so many readings lately has its hours rolled up as soon as they are over. */
const BUSY_DAY = 720;

/** What a row, or a line of its `parts`, tells, in this order. */
export const TOLD = [
  'count',
  'sum',
  'min',
  'max',
  'first',
  'firstAt',
  'last',
  'lastAt',
  'area',
  'minAt',
  'maxAt',
] as const;

type Step = '1 minute' | '1 hour' | '1 day';

function bucketOf(step: Step, at: string): string {
  return `date_bin(INTERVAL '${step}', ${at}, TIMESTAMPTZ '2000-01-01Z')`;
}

/** The length of a stretch of time in milliseconds. */
function ms(from: string, to: string): string {
  return `(extract(epoch FROM ${to} - ${from}) * 1000)`;
}

/** $1 series, $2 from, $3 to: readings that know their neighbours. */
const READINGS = `
  SELECT s."id" AS "seriesId", n.* FROM unnest($1::text::int4[]) AS s("id")
  CROSS JOIN LATERAL (
    SELECT r."at", ${NUMBER_OF_READING} AS "number", lag(r."at") OVER w AS "before", lead(r."at") OVER w AS "after"
    FROM (${readingsOf('s."id"', '$2::timestamptz', '$3::timestamptz')}) r WINDOW w AS (ORDER BY r."at")
  ) n`;

/** What the readings of each series come to in each bucket. Right only where `others` is 0: neighbours may be no numbers. */
function summedUp(step: Step, readings: string): string {
  const first = 'b."before" IS NULL OR b."before" < b."bucket"';
  const last = `b."after" IS NULL OR b."after" >= b."bucket" + INTERVAL '${step}'`;
  const at = ms('b."bucket"', 'b."at"');
  // A number and its time compared as one: the earliest of its size. PostgreSQL computes the same aggregate once.
  const lowest = `(min(ARRAY[b."number", ${at}]) FILTER (WHERE b."number" IS NOT NULL))`;
  const highest = `(max(ARRAY[b."number", -${at}]) FILTER (WHERE b."number" IS NOT NULL))`;
  return `
  SELECT b."seriesId", b."bucket", count(b."number")::int AS "count", count(*) - count(b."number") AS "others",
    trim_scale(sum(b."number")) AS "sum", ${lowest}[1] AS "min", ${highest}[1] AS "max",
    max(b."number") FILTER (WHERE ${first}) AS "first", max(b."number") FILTER (WHERE ${last}) AS "last",
    max(${at}) FILTER (WHERE ${first})::int AS "firstAt", max(${at}) FILTER (WHERE ${last})::int AS "lastAt",
    coalesce(trim_scale(sum(b."number" * ${ms('b."at"', 'b."after"')}) FILTER (WHERE NOT (${last}))), 0) AS "area",
    ${lowest}[2]::int AS "minAt", -${highest}[2]::int AS "maxAt"
  FROM (SELECT n.*, ${bucketOf(step, 'n."at"')} AS "bucket" FROM ${readings} n) b GROUP BY b."seriesId", b."bucket"`;
}

interface LevelRows {
  /** The buckets that the rows are of, and the smaller ones that each tells. */
  readonly step: '1 hour' | '1 day';
  readonly buckets: 'hours' | 'days';
  readonly parts: 'minutes' | 'hours';
  readonly partStep: Step;
  readonly least: number;
  readonly leastForParts: number;
}

function rowsOf({ step, buckets, parts, partStep, least, leastForParts }: LevelRows): string {
  const told = (alias: string): string => TOLD.map((name) => `${alias}."${name}"`).join(', ');
  const place = `(extract(epoch FROM i."bucket" - ${bucketOf(step, 'i."bucket"')}) / extract(epoch FROM INTERVAL '${partStep}'))::int`;
  return `
  SELECT o."bucket", o."seriesId", ${step === '1 day' ? 24 : 1}, ${told('o')}, l."parts"
  FROM ${buckets} o LEFT JOIN (
    SELECT i."seriesId", ${bucketOf(step, 'i."bucket"')} AS "bucket",
      string_agg(concat_ws(' ', ${place}, ${told('i')}), E'\\n' ORDER BY i."bucket") AS "parts"
    FROM ${parts} i GROUP BY 1, 2
  ) l ON l."seriesId" = o."seriesId" AND l."bucket" = o."bucket" AND o."count" >= ${leastForParts}
  WHERE o."others" = 0 AND o."count" >= ${least}`;
}

const OF_FULL_HOURS = `(
    SELECT n.* FROM readings n JOIN hours h ON h."seriesId" = n."seriesId" AND h."bucket" = ${bucketOf('1 hour', 'n."at"')}
    WHERE h."others" = 0 AND h."count" >= ${LEAST_FOR_MINUTES}
  )`;

const INSERT = `INSERT INTO "ReadingRollup" ("at", "seriesId", "hours", ${TOLD.map((name) => `"${name}"`).join(', ')}, "parts")`;

const HOURS_AND_MINUTES = `
WITH readings AS MATERIALIZED (${READINGS}),
hours AS MATERIALIZED (${summedUp('1 hour', 'readings')}),
minutes AS (${summedUp('1 minute', OF_FULL_HOURS)})`;

const OF_HOURS = { step: '1 hour', buckets: 'hours', parts: 'minutes', partStep: '1 minute' } as const;

/** $1 series, $2 from, $3 to (whole hours): makes the rows of these hours, which must not be there. */
export const ROLL_UP_HOURS = `${HOURS_AND_MINUTES}
${INSERT}${rowsOf({ ...OF_HOURS, least: LEAST_OF_HOUR, leastForParts: LEAST_FOR_MINUTES })}`;

/** $1 series, $2 from, $3 to (whole days): makes the rows of these days, which must not be there, and of hours that tell their minutes. */
export const ROLL_UP_DAYS = `${HOURS_AND_MINUTES},
days AS (${summedUp('1 day', 'readings')})
${INSERT}${rowsOf({ ...OF_HOURS, least: LEAST_FOR_MINUTES, leastForParts: LEAST_FOR_MINUTES })}
UNION ALL${rowsOf({
  step: '1 day',
  buckets: 'days',
  parts: 'hours',
  partStep: '1 hour',
  least: LEAST_OF_DAY,
  leastForParts: LEAST_FOR_HOURS,
})}`;

/** $1 series, $2 from, $3 to: forgets what was made before. */
export const FORGET_ROLLUPS = `
DELETE FROM "ReadingRollup" u
WHERE u."seriesId" = ANY($1::text::int4[]) AND u."at" >= $2::timestamptz AND u."at" < $3::timestamptz`;

/** $1 how many at most. Takes marks away; answers whose days they were. */
export const TAKE_MARKS = `
DELETE FROM "RollupMark" m USING (SELECT "seriesId", "day", "id" FROM "RollupMark" LIMIT $1::int) t
WHERE m."seriesId" = t."seriesId" AND m."day" = t."day" AND m."id" = t."id"
RETURNING m."seriesId", ${epochMs('m."day"')} AS "day"`;

/** The series as one row, to be handed to the next statement as they are: thousands of rows cost more on their way than their roll-ups. */
function asOne(series: string): string {
  return `SELECT coalesce(array_agg(i."id" ORDER BY i."id"), '{}')::text AS "ids", count(*)::int AS "count", max(i."id") AS "last" FROM (${series}) i`;
}

/**
 * $1 from, $2 to, $3 the last one done, $4 how many at most. Series of devices that were heard in this time: what a device was heard
 * first and last encloses all of its readings.
 */
export const SERIES_HEARD = asOne(`
SELECT p."id" FROM "DeviceProperty" p JOIN "Device" d ON d."id" = p."deviceId"
WHERE p."id" > $3::int AND d."firstSeen" < $2::timestamptz AND d."lastSeen" >= $1::timestamptz
ORDER BY p."id" LIMIT $4::int`);

/** As above, but series that had many readings a day lately. */
export const SERIES_BUSY = asOne(`
SELECT DISTINCT u."seriesId" AS "id" FROM "ReadingRollup" u
WHERE u."hours" = 24 AND u."count" >= ${BUSY_DAY} AND u."at" >= $1::timestamptz - INTERVAL '3 days' AND u."at" < $2::timestamptz
  AND u."seriesId" > $3::int
ORDER BY 1 LIMIT $4::int`);

/** $1 a time: a device that was heard before it. */
export const HEARD_BEFORE = `SELECT "id" FROM "Device" WHERE "firstSeen" < $1::timestamptz LIMIT 1`;
