// The two things the Prisma CLI asks of a server before it migrates: does this database answer, and make it if it is missing.

import pg from 'pg';
import { connectionError, isKnown, KnownError } from './known-error.mjs';
import { parseConnectionUrl } from './connection-url.mjs';

/** Databases that are there on most servers, from which another one can be made. The last one is DigitalOcean's. */
const ADMIN_DATABASES = ['postgres', 'template1', 'defaultdb'];

/**
 * An open connection. Throws with Prisma's code if there can be none.
 * @param {string | undefined} text
 * @returns {Promise<pg.Client>}
 */
export async function connect(text) {
  const url = parseConnectionUrl(text);
  const client = new pg.Client({ connectionString: url.text, connectionTimeoutMillis: url.connectTimeoutMs });
  client.on('error', () => {}); // Said again by the query that finds the connection gone.
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw connectionError(error, url);
  }
}

/**
 * Finds out whether the database answers.
 * @param {string | undefined} url
 */
export async function canConnect(url) {
  const client = await connect(url);
  await client.end();
  return 'Connection successful';
}

/**
 * Makes the database of a URL, and its schema.
 * @param {string | undefined} text
 */
export async function createDatabase(text) {
  const { database, schema } = parseConnectionUrl(text);
  await asAdmin(text, async (admin) => {
    try {
      await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
    } catch (error) {
      throw new KnownError(
        'P3000',
        `Failed to create database: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  });
  const client = await connect(text);
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
  } finally {
    await client.end();
  }
  return `Database '${database}' was successfully created.`;
}

/**
 * Runs work on a database of the same server that is not the one of the URL.
 * @param {string | undefined} text
 * @param {(client: pg.Client) => Promise<void>} work
 */
async function asAdmin(text, work) {
  const url = parseConnectionUrl(text);
  for (const name of ADMIN_DATABASES) {
    /** @type {pg.Client} */
    let client;
    try {
      client = await connect(url.withDatabase(name));
    } catch (error) {
      if (isKnown(error) && (error.code === 'P1003' || error.code === 'P1010')) continue;
      throw error;
    }
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
  throw new KnownError(
    'P3000',
    'Failed to create database: Prisma could not connect to a default database (`postgres` or `template1`), it cannot create the specified database.',
  );
}
