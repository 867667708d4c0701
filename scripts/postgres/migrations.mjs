// @ts-check
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../plain-error.mjs';
import { query } from './connection.mjs';

/** One folder of prisma/migrations. @typedef {{ name: string, sql: string, checksum: string }} Migration */

/**
 * The migrations of this checkout, in their order.
 * @param {string} root
 * @returns {Migration[]}
 */
export function readMigrations(root) {
  const folder = path.join(root, 'prisma', 'migrations');
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(path.join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/**
 * Whether a database has exactly these migrations, all complete and unchanged: then `prisma migrate deploy`, which takes
 * seconds to say so, need not be asked. In any doubt it has to be.
 * @param {string} url
 * @param {readonly Migration[]} migrations
 */
export async function isMigrated(url, migrations) {
  let rows;
  try {
    ({ rows } = await query(
      url,
      'SELECT migration_name, checksum, finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE rolled_back_at IS NULL',
    ));
  } catch (error) {
    if (codeOf(error) === '42P01') return false; // the table is missing: nothing was ever applied
    throw error;
  }
  return (
    rows.length === migrations.length &&
    migrations.every(({ name, checksum }) =>
      rows.some((row) => row.migration_name === name && row.checksum === checksum && row.finished === true),
    )
  );
}

/**
 * Applies migrations to a database that is empty, or has those before them, without Prisma's command line (which takes seconds),
 * and leaves the record that it would have left. For tests.
 * @param {string} url
 * @param {readonly Migration[]} migrations
 */
export async function applyMigrations(url, migrations) {
  await query(
    url,
    `CREATE TABLE IF NOT EXISTS _prisma_migrations (
       id varchar(36) PRIMARY KEY NOT NULL,
       checksum varchar(64) NOT NULL,
       finished_at timestamptz,
       migration_name varchar(255) NOT NULL,
       logs text,
       rolled_back_at timestamptz,
       started_at timestamptz NOT NULL DEFAULT now(),
       applied_steps_count integer NOT NULL DEFAULT 0
     )`,
  );
  for (const { name, sql, checksum } of migrations) {
    try {
      await query(url, sql);
    } catch (error) {
      throw new Error(`Migration ${name} failed`, { cause: error });
    }
    await query(
      url,
      `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
       VALUES (gen_random_uuid()::text, $1, now(), $2, 1)`,
      [checksum, name],
    );
  }
}
