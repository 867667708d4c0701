// @ts-check
import pg from 'pg';

/**
 * @typedef {object} PackedTable
 * @property {string} name
 * @property {number} readings
 * @property {number} bytes with its indexes
 */

/**
 * What is packed, month by month; that of the devices which report every minute is in tables of its own.
 * @param {string} url
 * @returns {Promise<readonly PackedTable[]>}
 */
export async function packedTables(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    /** @type {PackedTable[]} */
    const tables = [];
    const { rows } = await client.query(
      `SELECT relname AS name, pg_total_relation_size(oid)::float8 AS bytes FROM pg_class
       WHERE relnamespace = 'partitions'::regnamespace AND relkind = 'r' AND relname LIKE 'ReadingChunk%' AND pg_relation_size(oid) > 0
       ORDER BY relname`,
    );
    for (const { name, bytes } of rows) {
      const counted = await client.query(`SELECT sum("count")::float8 AS readings FROM "partitions"."${name}"`);
      tables.push({ name, bytes, readings: counted.rows[0].readings });
    }
    return tables;
  } finally {
    await client.end();
  }
}
