// @ts-check
import pg from 'pg';
import { PlainError, codeOf } from '../plain-error.mjs';

const ATTEMPTS = 5;

/**
 * Makes sure that the server at this address is the one of this data directory and that it has the database.
 * @param {string} url address of the database
 * @param {string} database
 * @param {string} directory
 * @returns {Promise<{ version: string } | 'leaving'>} `leaving`: it does not take connections (any more, or not yet)
 */
export async function ensureDatabase(url, database, directory) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { rows } = await query(
        url,
        "SELECT current_setting('server_version') AS version, current_setting('data_directory') AS directory",
      );
      const [found] = rows;
      if (found.directory === directory) return { version: String(found.version).split(' ')[0] ?? '' };
      throw new PlainError(
        `Port ${new URL(url).port} belongs to a PostgreSQL on ${found.directory}, not on ${directory}.`,
      );
    } catch (error) {
      const code = codeOf(error);
      if (code === '3D000' && attempt < ATTEMPTS) {
        await createDatabase(url, database);
        continue;
      }
      if (code === '28P01') {
        throw new PlainError(
          `The embedded PostgreSQL refuses the password in ${directory}.json: stop it, delete that file (a new password is set), then try again.`,
          { cause: error },
        );
      }
      // starting up, shutting down, or already gone
      if (code === '57P03' || code === '57P01' || code === 'ECONNREFUSED' || code === 'ECONNRESET') return 'leaving';
      throw error;
    }
  }
}

/**
 * One statement (or, without values, several) on a connection of its own.
 * @param {string} url
 * @param {string} text
 * @param {unknown[]} [values]
 */
export async function query(url, text, values) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {}); // a connection lost while it is being closed
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}

/**
 * The address of another database of the same server.
 * @param {string} url
 * @param {string} database
 */
export function sibling(url, database) {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return changed.href;
}

/**
 * @param {string} url
 * @param {string} database
 */
async function createDatabase(url, database) {
  try {
    await query(sibling(url, 'postgres'), `CREATE DATABASE ${pg.escapeIdentifier(database)}`);
  } catch (error) {
    if (codeOf(error) !== '42P04') throw error; // somebody else made it meanwhile
  }
}
