// @ts-check
import { sha256 } from './texts.mjs';

// How a row is written down, expected and actual alike: surrogate keys replaced by natural ones, times as UTC.

const LONG_BYTES = 200;

/** A value, short enough to be kept by the hundred thousand. The database is asked for the same form. @param {string} text */
export const brief = (text) =>
  text.length > LONG_BYTES / 4 && Buffer.byteLength(text) > LONG_BYTES ? `sha256 ${sha256(text)}` : text;

/** @param {string} column SQL of a text */
export const briefSql = (column) =>
  `CASE WHEN octet_length(${column}) > ${LONG_BYTES} THEN 'sha256 ' || encode(sha256(convert_to(${column}, 'UTF8')), 'hex') ELSE ${column} END`;

/** @param {number} at */
export const time = (at) => new Date(at).toISOString();

/** @param {string} column SQL of a timestamp */
export const timeSql = (column) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** What no one but the receiver knows stands as this. */
export const RECEIPT = 'receipt';

/**
 * A row under its natural key, or under the same with a number where there are several.
 * @param {Map<string, string>} rows
 * @param {string} key
 * @param {string} text
 */
export function put(rows, key, text) {
  let free = key;
  for (let more = 2; rows.has(free); more++) free = `${key} #${more}`;
  rows.set(free, text);
}

/** @param {Readonly<Record<string, string | number | boolean | null>>} columns */
export const columns = (columns) => JSON.stringify(columns);

/** @typedef {Map<string, Map<string, string>>} Tables rows by table and natural key */

/** Facts first, what follows from them after it. */
export const TABLES = /** @type {const} */ ([
  'SetAsideMessage',
  'SeenMessage',
  'EventLog',
  'PropertyReading',
  'UserBinding',
  'DeviceTag',
  'DeviceProperty',
  'Device',
]);
