// The stock PostgreSQL adapter, with what migrations need and it has not: whole scripts, the "char" type, a shadow
// database, the advisory lock's own switch and patience.

import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, DriverAdapterError } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { parseConnectionUrl } from './connection-url.mjs';
import { connect } from './database-commands.mjs';
import { KnownError } from './known-error.mjs';
import { ScriptFailure } from './script-failure.mjs';

const TEXT_OID = 25;
const CHAR_OID = 18;
const LOCK_SQL = 'SELECT pg_advisory_lock(72707369)';

/**
 * @typedef {import('@prisma/driver-adapter-utils').SqlDriverAdapter} Adapter
 * @typedef {import('@prisma/driver-adapter-utils').SqlMigrationAwareDriverAdapterFactory} AdapterFactory
 * @typedef {import('@prisma/driver-adapter-utils').SqlQuery} SqlQuery
 * @typedef {import('./arguments.mjs').Datasource} Datasource
 * @typedef {Awaited<ReturnType<PrismaPg['connect']>>} StockAdapter
 */

/**
 * Connects Prisma's schema engine to a database and to shadow databases beside it.
 * @implements {AdapterFactory}
 */
export class MigrationAdapterFactory {
  provider = /** @type {const} */ ('postgres');
  adapterName = '@prisma/adapter-pg';

  /** The last error of ours behind an error of the engine's, which keeps little more than "external connector error". */
  lastFailure = /** @type {Error | undefined} */ (undefined);

  /** Shadow databases that are there now: to be dropped whatever happens. */
  #shadows = /** @type {Set<string>} */ (new Set());

  /** Adapters to close at the end. @type {Set<MigrationAdapter>} */
  #open = new Set();

  #url;
  #shadowUrl;

  /** @param {Datasource} datasource */
  constructor({ url, shadowDatabaseUrl }) {
    this.#url = parseConnectionUrl(url);
    this.#shadowUrl = shadowDatabaseUrl ? parseConnectionUrl(shadowDatabaseUrl) : undefined;
  }

  /** @returns {Promise<Adapter>} */
  async connect() {
    return this.#adapterOn(this.#url.text, this.#url.schema);
  }

  /**
   * A database to replay the migrations in: empty now, gone when the engine disposes of it. The stock adapter, given a URL,
   * would hand out the main database here.
   * @returns {Promise<Adapter>}
   */
  async connectToShadowDb() {
    if (this.#shadowUrl) return this.#emptied(this.#shadowUrl);
    const name = `prisma_migrate_shadow_db_${randomUUID()}`;
    try {
      await this.#administer(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    } catch (error) {
      throw this.#remember(
        new KnownError(
          'P3014',
          'Prisma Migrate could not create the shadow database. Please make sure the database user has permission to create databases. ' +
            'Read more about the shadow database (and workarounds) at https://pris.ly/d/migrate-shadow\n\n' +
            `Original error:\n${error instanceof Error ? error.message : String(error)}`,
        ),
      );
    }
    this.#shadows.add(name);
    return this.#adapterOn(this.#url.withDatabase(name), this.#url.schema, () => this.#dropShadow(name));
  }

  /**
   * Closes what is open and drops what is left of shadow databases, also in the middle of an operation: without their
   * backends ended, a long statement or the wait for a lock would go on.
   */
  async dispose() {
    const backends = [...this.#open].flatMap((adapter) => adapter.busyBackend() ?? []);
    await Promise.allSettled(backends.map((pid) => this.#administer(`SELECT pg_terminate_backend(${pid})`)));
    await Promise.allSettled([...this.#open].map((adapter) => adapter.dispose()));
    await Promise.allSettled([...this.#shadows].map((name) => this.#dropShadow(name)));
  }

  /** @param {string} name */
  async #dropShadow(name) {
    if (!this.#shadows.delete(name)) return;
    await this.#administer(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  }

  /** @param {string} sql */
  async #administer(sql) {
    const client = await connect(this.#url.text);
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  /**
   * The shadow database that the user provides: everything in it goes, as Prisma's documentation says it will.
   * @param {import('./connection-url.mjs').ConnectionUrl} shadow
   */
  async #emptied(shadow) {
    const main = this.#url;
    if (
      shadow.host === main.host &&
      shadow.port === main.port &&
      shadow.database === main.database &&
      shadow.schema === main.schema
    ) {
      throw this.#remember(
        new Error(
          'The shadow database you configured appears to be the same as the main database. Please specify another shadow database.',
        ),
      );
    }
    const client = await connect(shadow.text).catch((error) => {
      throw this.#remember(error);
    });
    try {
      const { rows } = await client.query(
        `SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`,
      );
      for (const { nspname } of rows) await client.query(`DROP SCHEMA ${pg.escapeIdentifier(nspname)} CASCADE`);
      await client.query(`CREATE SCHEMA ${pg.escapeIdentifier(shadow.schema)}`);
    } finally {
      await client.end();
    }
    return this.#adapterOn(shadow.text, shadow.schema);
  }

  /**
   * @param {string} url
   * @param {string} schema
   * @param {() => Promise<void>} [afterwards]
   */
  async #adapterOn(url, schema, afterwards = async () => {}) {
    // Only so are refusals told apart: the engine knows no host and no user.
    const probe = await connect(url).catch((error) => {
      throw this.#remember(error);
    });
    await probe.end();
    // One connection that is never let go: the advisory lock and the search path live in it.
    const stock = await new PrismaPg({ connectionString: url, max: 1, idleTimeoutMillis: 0 }, { schema }).connect();
    const adapter = new MigrationAdapter(stock, (error) => this.#remember(error));
    await adapter.useSchema(schema);
    const { dispose } = adapter;
    adapter.dispose = async () => {
      if (!this.#open.delete(adapter)) return;
      await dispose.call(adapter);
      await afterwards();
    };
    this.#open.add(adapter);
    return adapter;
  }

  /**
   * @template {Error} T
   * @param {T} error
   * @returns {T}
   */
  #remember(error) {
    this.lastFailure = error;
    return error;
  }
}

/**
 * One connection of the engine's.
 * @implements {Adapter}
 */
class MigrationAdapter {
  provider = /** @type {const} */ ('postgres');
  adapterName = '@prisma/adapter-pg';

  #stock;
  #pool;
  #remember;

  /** @type {number | undefined} */
  #backend;

  /**
   * @param {StockAdapter} stock
   * @param {(error: Error) => Error} remember
   */
  constructor(stock, remember) {
    this.#stock = withCharColumns(stock);
    this.#pool = stock.underlyingDriver();
    this.#remember = remember;
    this.#pool.on('connect', (client) => (this.#backend = /** @type {{ processID?: number }} */ (client).processID));
  }

  /** PostgreSQL's process for this connection, if it is at work. */
  busyBackend() {
    return this.#pool.totalCount > this.#pool.idleCount ? this.#backend : undefined;
  }

  /** @param {string} schema what unqualified names mean; it need not be there yet */
  async useSchema(schema) {
    await this.#pool.query(`SET search_path = ${pg.escapeIdentifier(schema)}`);
  }

  /** @param {SqlQuery} query */
  async queryRaw(query) {
    return this.#stock.queryRaw(query).catch((error) => {
      throw this.#remember(error);
    });
  }

  /** @param {SqlQuery} query */
  async executeRaw(query) {
    if (query.sql === LOCK_SQL && lockIsDisabled()) return 0;
    // What has no arguments may be several statements (`prisma db execute`), which only a plain query can be.
    if (query.args.length === 0) return this.#send(query.sql);
    return this.#stock.executeRaw(query).catch((error) => {
      throw this.#remember(error);
    });
  }

  /**
   * Sends the script as it is, so that function bodies keep their semicolons and PostgreSQL runs it as one transaction,
   * unless it says otherwise itself. The stock adapter splits at every semicolon.
   * @param {string} script
   */
  async executeScript(script) {
    await this.#send(script);
  }

  /** @param {Parameters<Adapter['startTransaction']>} args */
  startTransaction(...args) {
    return this.#stock.startTransaction(...args);
  }

  getConnectionInfo() {
    return this.#stock.getConnectionInfo();
  }

  async dispose() {
    await this.#stock.dispose();
  }

  /**
   * @param {string} script
   * @returns {Promise<number>} rows touched by the last statement
   */
  async #send(script) {
    const client = await this.#pool.connect();
    let done = 0;
    const { connection } = /** @type {{ connection: import('node:events').EventEmitter }} */ (
      /** @type {unknown} */ (client)
    );
    const count = () => (done += 1);
    connection.on('commandComplete', count);
    try {
      const result = /** @type {pg.QueryResult | pg.QueryResult[]} */ (await client.query(script));
      return (Array.isArray(result) ? result.at(-1) : result)?.rowCount ?? 0;
    } catch (error) {
      const refused = this.#refused(script, error, done);
      // After a BEGIN of its own: or the engine could not write down that the migration failed.
      await client.query('ROLLBACK').catch(() => {});
      throw refused;
    } finally {
      connection.off('commandComplete', count);
      client.release();
    }
  }

  /**
   * @param {string} script
   * @param {unknown} error
   * @param {number} done
   */
  #refused(script, error, done) {
    const failure = new ScriptFailure(script, /** @type {pg.DatabaseError} */ (error), done);
    this.#remember(failure);
    return new DriverAdapterError({
      kind: 'postgres',
      code: failure.sqlState,
      severity: 'ERROR',
      message: failure.message.replace(/^ERROR: /, ''),
      detail: undefined,
      column: undefined,
      hint: undefined,
    });
  }
}

/** The engine's own switch: in WebAssembly it sees no environment. It waits 10 s for the lock, as the native one does. */
function lockIsDisabled() {
  return !['', '0'].includes(process.env['PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK'] ?? '');
}

/**
 * Teaches the stock adapter PostgreSQL's internal one-byte "char", which the system catalogues are full of.
 * @param {StockAdapter} stock
 */
function withCharColumns(stock) {
  const inner = /** @type {{ performIO(query: SqlQuery): Promise<pg.QueryArrayResult> }} */ (
    /** @type {unknown} */ (stock)
  );
  /** @type {WeakMap<SqlQuery, number[]>} */
  const charColumns = new WeakMap();
  const performIO = inner.performIO.bind(stock);
  inner.performIO = async (query) => {
    const result = await performIO(query);
    const columns = result.fields.flatMap((field, index) => (field.dataTypeID === CHAR_OID ? [index] : []));
    charColumns.set(query, columns);
    for (const index of columns) Object.assign(result.fields[index] ?? {}, { dataTypeID: TEXT_OID });
    return result;
  };
  const queryRaw = stock.queryRaw.bind(stock);
  stock.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const index of charColumns.get(query) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
    return result;
  };
  return stock;
}
