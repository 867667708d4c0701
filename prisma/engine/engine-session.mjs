// The engine's methods, by the names the Prisma CLI calls them, on an engine that is made when the first one needs it.

import { createDatabase } from './database-commands.mjs';
import { MigrationAdapterFactory } from './migration-adapter.mjs';
import { noDatabase } from './no-database.mjs';
import { newEngine } from './wasm-engine.mjs';

/**
 * @typedef {import('./wasm-engine.mjs').SchemaEngine} SchemaEngine
 * @typedef {import('@prisma/schema-engine-wasm').DiffParams} DiffParams
 * @typedef {import('./arguments.mjs').Datasource} Datasource
 * @typedef {{ datasource: Datasource, datamodels: [string, string][] }} Options
 * @typedef {Record<(typeof SAME)[number], (params: Record<string, unknown>) => Promise<unknown>>} AnyEngine
 */

const NEEDS_SHADOW_DATABASE = 'shadow DB must be provided through an external factory';

/** Methods that are the WebAssembly engine's own, called as they are. */
const SAME = /** @type {const} */ ([
  'applyMigrations',
  'createMigration',
  'dbExecute',
  'devDiagnostic',
  'diagnoseMigrationHistory',
  'ensureConnectionValidity',
  'evaluateDataLoss',
  'introspect',
  'introspectSql',
  'markMigrationApplied',
  'markMigrationRolledBack',
  'reset',
  'schemaPush',
]);

/**
 * One run of the Prisma CLI.
 * @param {Options & { print: (content: string) => Promise<void> }} options
 */
export function newEngineSession({ datasource, datamodels, print }) {
  /** @type {MigrationAdapterFactory | undefined} */
  let factory;
  /** @type {Promise<SchemaEngine> | undefined} */
  let engine;

  const connected = () => {
    factory ??= new MigrationAdapterFactory(datasource);
    factory.lastFailure = undefined;
    return (engine ??= newEngine(factory, datamodels));
  };

  /**
   * @param {string} method
   * @param {Record<string, unknown>} params
   * @returns {Promise<unknown>}
   */
  async function call(method, params) {
    const same = SAME.find((name) => name === method);
    if (same !== undefined) return (await knowingMigrations(same, params)) ?? null;
    switch (method) {
      case 'diff':
        return diff(/** @type {DiffParams} */ (/** @type {unknown} */ (params)));
      case 'getDatabaseVersion':
        return (await connected()).version();
      case 'createDatabase':
        return { databaseName: await createDatabase(datasource.url) };
      case 'debugPanic':
        return (await connected()).debugPanic();
      default:
        throw new Error(`Prisma's WebAssembly schema engine has no ${method}.`);
    }
  }

  /**
   * Calls a method of the engine's. Two of them find out what the migrations make of a schema only from what an earlier
   * call has left behind, and there is none when `migrate dev` has just applied the first migrations: a diagnosis leaves it.
   * @param {(typeof SAME)[number]} method
   * @param {Record<string, unknown>} params
   */
  async function knowingMigrations(method, params) {
    const engine = /** @type {AnyEngine} */ (/** @type {unknown} */ (await connected()));
    try {
      return await engine[method](params);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes(NEEDS_SHADOW_DATABASE))) throw error;
      const { migrationsList, filters } = params;
      await engine.diagnoseMigrationHistory({ migrationsList, filters, optInToShadowDatabase: true });
      return engine[method](params);
    }
  }

  /** @param {DiffParams} params */
  async function diff(params) {
    const offline = [params.from, params.to].every(({ tag }) => tag === 'empty' || tag === 'schemaDatamodel');
    const differ = offline ? await newEngine(noDatabase, datamodels) : await connected();
    const { exitCode, stdout } = await differ.diff(params);
    if (stdout) await print(stdout.replace(/\n$/, ''));
    return { exitCode, stdout: null };
  }

  return {
    call,
    lastFailure: () => factory?.lastFailure,
    dispose: async () => factory?.dispose(),
  };
}
