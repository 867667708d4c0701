// @ts-check
import pg from 'pg';
import { withBar } from './bar.mjs';
import { DAY_MS, DAYS, DENSE_PRODUCT, PROPERTIES } from './fleet.mjs';

/** @typedef {import('./fleet.mjs').Fleet} Fleet */

/**
 * Fills an empty, migrated database with a fleet and its history, as if it had come in over the last sixty days: rows lie in the
 * order of time, as they do when they arrive.
 * @param {string} url
 * @param {Fleet} fleet
 * @param {AbortSignal} signal
 */
export async function generate(url, fleet, signal) {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC -c maintenance_work_mem=512MB' });
  await client.connect();
  try {
    await client.query(`SELECT setseed(0.42)`);
    for (const statement of state(fleet)) await client.query(statement);
    await readings(client, fleet, signal);
    for (const statement of current(fleet)) await client.query(statement);
    await client.query('VACUUM (FREEZE, ANALYZE)');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}

/**
 * Devices, series, tags, bindings and the log.
 * @param {Fleet} fleet
 */
function state({ devices, dense, end }) {
  const now = `TIMESTAMPTZ '${end.toISOString()}'`;
  const columns =
    '("productKey", "deviceName", "iotId", "iotIdAt", "deviceType", "deviceTypeAt", "online", "since", "presenceOrder", "firstSeen", "lastSeen")';
  const rest = `${now} - INTERVAL '60 days', 'CustomCategory', ${now} - INTERVAL '60 days', n % 5 <> 0,
    ${now} - (n % 86400) * INTERVAL '1 second', ${now} - (n % 86400) * INTERVAL '1 second',
    ${now} - INTERVAL '${DAYS} days', ${now} - (n % 3600) * INTERVAL '1 second'`;
  return [
    `INSERT INTO "Device" ${columns}
     SELECT '${DENSE_PRODUCT}', 'dense-' || lpad(n::text, 6, '0'), 'dense' || md5(n::text), ${rest} FROM generate_series(1, ${dense}) n`,
    `INSERT INTO "Device" ${columns}
     SELECT 'a1Product' || n % 7, 'device-' || lpad(n::text, 7, '0'), md5(n::text), ${rest} FROM generate_series(1, ${devices - dense}) n`,
    `INSERT INTO "DeviceProperty" ("deviceId", "identifier")
     SELECT d."id", p FROM "Device" d, unnest(ARRAY['${PROPERTIES.join("','")}']) p ORDER BY d."id"`,
    `INSERT INTO "DeviceTag" SELECT d."id", t.key, t.value, ${now} - INTERVAL '50 days' FROM "Device" d,
       LATERAL (VALUES ('floor', (d."id" % 40)::text), ('site', 'site-' || d."id" % 500)) t(key, value)`,
    `INSERT INTO "UserBinding" ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned", "from")
     SELECT d."id", 'user-' || d."id" % ${Math.ceil(devices / 2)}, 's', 't', ${now} - INTERVAL '55 days', TRUE, TRUE, ${now} - INTERVAL '55 days' FROM "Device" d`,
    `INSERT INTO "EventLog" ("at", "hash", "deviceId", "kind", "type", "value", "receivedAt")
     SELECT e.at, gen_random_uuid(), d."id", 'presence-changed', CASE WHEN k % 2 = 0 THEN 'online' ELSE 'offline' END,
       jsonb_build_object('online', k % 2 = 0, 'reason', CASE WHEN k % 2 = 1 THEN 427 END,
         'orderedBy', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'detail', '{}'::jsonb), e.at
     FROM generate_series(0, 19) k, "Device" d,
       LATERAL (SELECT date_trunc('milliseconds', ${now} - (20 - k) * INTERVAL '3 days' + (d."id" % 86400) * INTERVAL '1 second') AS at) e
     WHERE e.at < ${now} ORDER BY e.at`,
    `INSERT INTO "EventLog" ("at", "hash", "deviceId", "kind", "identifier", "type", "value", "receivedAt")
     SELECT e.at, gen_random_uuid(), d."id", 'event-raised', 'Alarm', CASE WHEN k = 3 THEN 'alert' ELSE 'info' END, '{"Code": 7}', e.at
     FROM generate_series(0, 4) k, "Device" d,
       LATERAL (SELECT date_trunc('milliseconds', ${now} - (k + 1) * INTERVAL '10 days' + (d."id" % 80000) * INTERVAL '1 second') AS at) e
     ORDER BY e.at`,
  ];
}

/**
 * The readings, day by day into tables that become partitions when they are full: building their keys at the end takes a
 * fraction of the time.
 * @param {pg.Client} client
 * @param {Fleet} fleet
 * @param {AbortSignal} signal
 */
async function readings(client, { devices, dense, denseReadings, sparseReadings, end }, signal) {
  const first = Math.floor((end.getTime() - DAYS * DAY_MS) / DAY_MS) * DAY_MS;
  /** @type {number[]} */
  const days = [];
  for (let day = first; day < end.getTime(); day += DAY_MS) days.push(day);
  const series = (devices - dense) * PROPERTIES.length;
  const { rows: bounds } = await client.query(
    `SELECT min("id")::int AS first, max("id")::int AS last, (SELECT count(*)::int FROM "Device" d WHERE d."productKey" = '${DENSE_PRODUCT}') AS dense FROM "DeviceProperty"`,
  );
  const firstSparse = bounds[0].first + bounds[0].dense * PROPERTIES.length;
  const aDay = Math.round(sparseReadings / days.length);
  const expected = aDay * days.length + denseReadings;
  await withBar(`${expected.toLocaleString('en')} readings`, expected, async (advance) => {
    let month = '';
    for (const day of days) {
      signal.throwIfAborted();
      const date = new Date(day).toISOString();
      const name = `PropertyReading_${date.slice(0, 7).replace('-', '_')}`;
      if (name !== month) {
        if (month !== '') await close(client, month);
        month = name;
        await client.query(`CREATE TABLE "partitions"."new_${name}" (LIKE "PropertyReading" INCLUDING DEFAULTS)`);
      }
      const denseFrom = Math.max(day, end.getTime() - DAYS * DAY_MS);
      const to = Math.min(day + DAY_MS, end.getTime());
      const { rowCount } = await client.query(
        `INSERT INTO "partitions"."new_${name}" ("at", "seriesId", "number", "json")
         SELECT x.at, x.series, v.number, v.json FROM (
           SELECT t.minute + (p."id" * 37 % 900) * INTERVAL '1 millisecond' AS at, p."id" AS series, p."identifier", t.minute
           FROM generate_series(to_timestamp($1::float8 / 1000), to_timestamp($2::float8 / 1000) - INTERVAL '1 minute', INTERVAL '1 minute') AS t(minute),
             "DeviceProperty" p WHERE p."id" < $3::int AND p."identifier" <> 'Mode'
           UNION ALL
           SELECT to_timestamp($4::float8 / 1000) + (n::float8 * $5::float8 / $6::float8) * INTERVAL '1 millisecond' AS at,
             p."id", p."identifier", to_timestamp($4::float8 / 1000)
           FROM generate_series(0, $6::int - 1) n
           JOIN "DeviceProperty" p ON p."id" = $3::int + (n::bigint * 7919 + $7::bigint * 104729) % $8::bigint
         ) x CROSS JOIN LATERAL (SELECT
           CASE x."identifier"
             WHEN 'Temperature' THEN round((22 + 6 * sin(extract(epoch FROM x.at) / 13750) + random() - 0.5)::numeric, 1)
             WHEN 'Humidity' THEN round((50 + 20 * sin(extract(epoch FROM x.at) / 43200) + 2 * random())::numeric)
             WHEN 'Power' THEN round((extract(epoch FROM x.at) / 1000 + x.series)::numeric, 2)
             WHEN 'Battery' THEN 100 - floor(extract(epoch FROM x.at) / 86400)::numeric % 60
             WHEN 'PowerSwitch' THEN (extract(epoch FROM x.at)::bigint / 7200 % 2)::numeric
           END AS number,
           CASE WHEN x."identifier" = 'Mode' THEN to_jsonb((ARRAY['auto', 'sleep', 'boost'])[1 + x.series % 3]) END AS json
         ) v ORDER BY x.at`,
        [denseFrom, to, firstSparse, day, to - day, aDay, (day - first) / DAY_MS, series],
      );
      advance(rowCount ?? 0);
    }
    await close(client, month);
  });
}

/**
 * Makes a filled table the partition of its month.
 * @param {pg.Client} client
 * @param {string} name
 */
async function close(client, name) {
  const { rows } = await client.query(
    `SELECT pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_class c WHERE c.oid = format('"partitions".%I', $1::text)::regclass`,
    [name],
  );
  await client.query(`
    DROP TABLE "partitions"."${name}";
    ALTER TABLE "partitions"."new_${name}" RENAME TO "${name}";
    ALTER TABLE "PropertyReading" ATTACH PARTITION "partitions"."${name}" ${rows[0].bound}`);
}

/**
 * What the readings come to as the current state: each series has its last one.
 * @param {Fleet} fleet
 */
function current({ end }) {
  const from = new Date(end.getTime() - (DAYS + 1) * DAY_MS).toISOString();
  return [
    `UPDATE "DeviceProperty" p SET "at" = r."at", "number" = r."number", "json" = r."json"
     FROM (SELECT DISTINCT ON (r."seriesId") r.* FROM "PropertyReading" r WHERE r."at" >= '${from}' ORDER BY r."seriesId", r."at" DESC) r
     WHERE r."seriesId" = p."id"`,
    `UPDATE "Device" d SET "lastSeen" = GREATEST(d."lastSeen", p.at), "firstSeen" = LEAST(d."firstSeen", p.first)
     FROM (SELECT "deviceId", max("at") AS at, TIMESTAMPTZ '${from}' AS first FROM "DeviceProperty" GROUP BY 1) p WHERE p."deviceId" = d."id"`,
  ];
}
