// @ts-check
import { rmSync } from 'node:fs';
import path from 'node:path';
import { PlainError } from '../plain-error.mjs';
import { query, sibling } from '../postgres/connection.mjs';
import { startPostgres } from '../postgres/embedded-postgres.mjs';
import { applyMigrations, readMigrations } from '../postgres/migrations.mjs';
import { quietPrisma } from '../setup/prisma-client.mjs';
import { lastLines, runTool } from '../setup/run-tool.mjs';

/**
 * The PostgreSQL of a benchmark: the embedded one on a folder of its own, durable, with the settings that it has out of the
 * box. Each peer gets a fresh database.
 * @param {{ root: string, folder: string, keep?: boolean }} options
 */
export async function startDatabases({ root, folder, keep = false }) {
  const directory = path.join(folder, 'postgres');
  const postgres = await startPostgres({ root, directory, logFile: path.join(folder, 'postgres.log'), port: 0 });
  const admin = sibling(postgres.url, 'postgres');
  /** @param {string} name */
  const make = async (name) => {
    await query(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await query(admin, `CREATE DATABASE ${name}`);
    return sibling(postgres.url, name);
  };
  return {
    pid: postgres.pid,
    version: postgres.version,
    /** @param {string} name */
    async migrated(name) {
      const url = await make(name);
      await applyMigrations(url, readMigrations(root));
      await query(admin, 'CHECKPOINT'); // everybody starts with a quiet disk
      return url;
    },
    /**
     * The database of an earlier run that was kept, and what it was noted to be; null when there is none.
     * @param {string} name
     */
    async kept(name) {
      const { rows } = await query(
        admin,
        "SELECT shobj_description(oid, 'pg_database') AS note FROM pg_database WHERE datname = $1",
        [name],
      );
      const note = rows[0]?.note;
      return typeof note === 'string' ? { url: sibling(postgres.url, name), note } : null;
    },
    /**
     * Notes what a database is, for a later run.
     * @param {string} name
     * @param {string} note without quotes
     */
    async note(name, note) {
      await query(admin, `COMMENT ON DATABASE ${name} IS '${note}'`);
    },
    /**
     * Filled as it was before the migrations from `from` on, which then find what they would find at people's: years of data.
     * @param {string} name
     * @param {string} from
     * @param {(url: string) => Promise<void>} fill
     */
    async migratedWithData(name, from, fill) {
      const url = await make(name);
      const migrations = readMigrations(root);
      await applyMigrations(
        url,
        migrations.filter((migration) => migration.name < from),
      );
      await fill(url);
      await applyMigrations(
        url,
        migrations.filter((migration) => migration.name >= from),
      );
      return url;
    },
    /**
     * The tables of the naive models, made by Prisma itself.
     * @param {string} name
     * @param {string} schema
     */
    async naive(name, schema) {
      const url = await make(name);
      const { sql } = await naiveSql(root, schema);
      await query(url, sql);
      await query(admin, 'CHECKPOINT');
      return url;
    },
    /** How far the write-ahead log is, in bytes. */
    async walBytes() {
      const { rows } = await query(admin, "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 AS bytes");
      return Number(rows[0].bytes);
    },
    async settings() {
      const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size'];
      const { rows } = await query(
        admin,
        'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name',
        [names],
      );
      return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    },
    async stop() {
      await postgres.stop();
      if (keep) return;
      rmSync(postgres.directory, { recursive: true, force: true });
      rmSync(`${directory}.json`, { force: true });
    },
  };
}

/**
 * What `prisma migrate` would do for the naive models, and their client.
 * @param {string} root
 * @param {string} schema
 */
async function naiveSql(root, schema) {
  const { output } = await prisma(root, ['migrate', 'diff', '--from-empty', '--to-schema', schema, '--script']);
  return { sql: output.slice(output.indexOf('-- Create')) };
}

/**
 * Generates the client of the naive models.
 * @param {string} root
 * @param {string} schema
 */
export async function generateNaiveClient(root, schema) {
  await prisma(root, ['generate', '--schema', schema]);
}

/**
 * @param {string} root
 * @param {string[]} args
 */
async function prisma(root, args) {
  const cli = path.join(root, 'node_modules', 'prisma', 'build', 'index.js');
  const env = { ...quietPrisma(), DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' }; // asked for, never used here
  const { code, output } = await runTool(process.execPath, [cli, ...args], { cwd: root, env });
  if (code !== 0) throw new PlainError(`prisma ${args[0]} failed:\n${lastLines(output)}`);
  return { output };
}

/**
 * Bytes a row of a table with its indexes, over the partitions that hold rows.
 * @param {string} url
 * @param {string} table
 * @returns {Promise<{ rows: number, bytesPerRow: number, heap: number, index: number }>}
 */
export async function sizeOf(url, table) {
  const { rows } = await query(
    url,
    `SELECT coalesce(sum(pg_table_size(c.oid)), 0)::float8 AS heap, coalesce(sum(pg_indexes_size(c.oid)), 0)::float8 AS index
     FROM pg_class c
     WHERE c.relkind = 'r' AND pg_relation_size(c.oid) > 0
       AND (c.oid = $1::regclass OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::regclass))`,
    [`"${table}"`],
  );
  const counted = await query(url, `SELECT count(*)::float8 AS count FROM "${table}"`);
  const { heap, index } = rows[0];
  const { count } = counted.rows[0];
  return { rows: count, bytesPerRow: (heap + index) / count, heap: heap / count, index: index / count };
}
