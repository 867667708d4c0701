// @ts-check
import pg from 'pg';
import { besideText } from './event-log.mjs';
import { asideKey } from './referee.mjs';
import { briefSql, columns, put, TABLES, timeSql } from './shown.mjs';

/** @import { Tables } from './shown.mjs' */

const AT_ONCE = 20_000;

/** @typedef {Record<string, string | null>} Row columns as text */

/**
 * Every row of the database, written down as the referee does it, of one moment.
 * @param {string} databaseUrl
 * @returns {Promise<Tables>}
 */
export async function actualRows(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    /** @type {Tables} */
    const tables = new Map();
    for (const name of TABLES) {
      const { sql, row } = QUERIES[name];
      /** @type {Map<string, string>} */
      const rows = new Map();
      await client.query(`DECLARE of_table NO SCROLL CURSOR FOR ${sql}`);
      for (let some = [{}]; some.length > 0;) {
        some = (await client.query(`FETCH ${AT_ONCE} FROM of_table`)).rows;
        for (const each of some) put(rows, ...row(each));
      }
      await client.query('CLOSE of_table');
      tables.set(name, rows);
    }
    return tables;
  } finally {
    await client.end();
  }
}

const OF_DEVICE = `d."productKey" || ':' || d."deviceName"`;
const VALUE = (/** @type {string} */ row) =>
  `coalesce(${row}."number"::text, 'json ' || ${briefSql(`${row}."json"::text`)})`;
const TIMES_OF_DEVICE = ['iotIdAt', 'deviceTypeAt', 'since', 'presenceOrder', 'lifecycleAt', 'createdAt', 'gatewayAt'];
const DEVICE_COLUMNS = [
  ...[
    'iotId',
    'iotIdAt',
    'deviceType',
    'deviceTypeAt',
    'online',
    'since',
    'presenceOrder',
    'offlineReason',
    'lifecycle',
  ],
  ...['lifecycleAt', 'createdAt', 'gatewayProductKey', 'gatewayDeviceName', 'gatewayAt', 'firstSeen', 'lastSeen'],
];

/** @type {Record<(typeof TABLES)[number], { sql: string, row: (row: Row) => [key: string, text: string] }>} */
const QUERIES = {
  Device: {
    sql: `SELECT ${OF_DEVICE} AS key, ${DEVICE_COLUMNS.map((name) => (isTime(name) ? `${timeSql(`d."${name}"`)} AS "${name}"` : `d."${name}"`)).join(', ')}
      FROM "Device" d`,
    row: (row) => [
      text(row, 'key'),
      columns(Object.fromEntries(DEVICE_COLUMNS.map((name) => [name, row[name] ?? null]))),
    ],
  },
  DeviceTag: {
    sql: `SELECT ${OF_DEVICE} || ' ' || t."key" AS key, ${briefSql('t."value"')} AS value, ${timeSql('t."at"')} AS at
      FROM "DeviceTag" t LEFT JOIN "Device" d ON d."id" = t."deviceId"`,
    row: (row) => [text(row, 'key'), columns({ value: text(row, 'value'), at: text(row, 'at') })],
  },
  DeviceProperty: {
    sql: `SELECT ${OF_DEVICE} || ' ' || p."identifier" AS key, coalesce(${timeSql('p."at"')} || ' ' || ${VALUE('p')}, 'none') AS value
      FROM "DeviceProperty" p LEFT JOIN "Device" d ON d."id" = p."deviceId"`,
    row: (row) => [text(row, 'key'), text(row, 'value')],
  },
  PropertyReading: {
    sql: `SELECT ${OF_DEVICE} || ' ' || p."identifier" || ' ' || ${timeSql('r."at"')} AS key,
        CASE WHEN r."several" IS NULL THEN ${VALUE('r')} ELSE 'several ' || ${briefSql('r."several"::text')} END AS value
      FROM "partitions"."EveryReading" r LEFT JOIN "DeviceProperty" p ON p."id" = r."seriesId" LEFT JOIN "Device" d ON d."id" = p."deviceId"`,
    row: (row) => [text(row, 'key'), text(row, 'value')],
  },
  EventLog: {
    sql: `SELECT ${timeSql('e."at"')} || ' ' || coalesce(${OF_DEVICE}, e."productKey") || ' ' || e."kind" || ' '
          || coalesce(e."identifier", '-') || ' ' || ${briefSql('e."value"::text')} AS key, e."name", e."type", e."requestId"
      FROM "EventLog" e LEFT JOIN "Device" d ON d."id" = e."deviceId"`,
    row: (row) => [text(row, 'key'), besideText(row['name'] ?? null, row['type'] ?? null, row['requestId'] ?? null)],
  },
  UserBinding: {
    sql: `SELECT ${OF_DEVICE} AS device, b."identityId", b."scopeId", b."tenantId", ${timeSql('b."at"')} AS at,
        CASE WHEN b."bound" THEN 'bound' ELSE 'unbound' END AS bound, CASE WHEN b."owned" THEN 'owner' ELSE 'shared' END AS owned,
        ${timeSql('b."from"')} AS from, ${timeSql('b."until"')} AS until
      FROM "UserBinding" b LEFT JOIN "Device" d ON d."id" = b."deviceId"`,
    row: (row) => {
      const user = JSON.stringify([row['identityId'], row['scopeId'], row['tenantId']]);
      const key = ['at', 'bound', 'owned'].map((name) => text(row, name)).join(' ');
      return [
        `${text(row, 'device')} ${user} ${key}`,
        columns({ from: row['from'] ?? null, until: row['until'] ?? null }),
      ];
    },
  },
  SetAsideMessage: {
    sql: `SELECT m."messageId", m."topic", encode(sha256(m."body"), 'hex') AS body, m."reason", m."generateTime" FROM "SetAsideMessage" m`,
    row: (row) => [
      asideKey(row['messageId'] ?? null, row['topic'] ?? null, text(row, 'body')),
      columns({ reason: text(row, 'reason'), generateTime: row['generateTime'] ?? null }),
    ],
  },
  SeenMessage: {
    sql: `SELECT count(DISTINCT "key")::text AS count FROM "SeenMessage"`,
    row: (row) => ['distinct keys', text(row, 'count')],
  },
};

/** @param {string} name */
function isTime(name) {
  return TIMES_OF_DEVICE.includes(name) || name.endsWith('Seen');
}

/**
 * A column that is never null, or whose device is gone.
 * @param {Row} row
 * @param {string} name
 */
function text(row, name) {
  return row[name] ?? '(null)';
}
