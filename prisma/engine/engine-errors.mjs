// Errors as the native engine puts them into its JSON-RPC answers.

import { isKnown } from './known-error.mjs';
import { ScriptFailure } from './script-failure.mjs';
import { panicMessage } from './wasm-engine.mjs';

/** JSON-RPC's code of every error of the native engine. */
const ENGINE_ERROR = 4466;
const ENGINE_ERROR_MESSAGE = 'An error happened. Check the data field for details.';

/**
 * @typedef {import('./rpc-server.mjs').Request} Request
 * @typedef {{ migrationDirectories: { path: string, migrationFile: { content: { tag: string, value: string } } }[] }} MigrationList
 */

/**
 * The answer to a request that failed.
 * @param {Request} request
 * @param {unknown} error what the engine threw
 * @param {Error | undefined} failure what happened below it, if something did
 */
export function errorResponse(request, error, failure) {
  if (error instanceof WebAssembly.RuntimeError) return panicResponse(request, error);
  const { code, message, meta } = explain(request, error, failure);
  return response(request, { is_panic: false, message, meta, error_code: code });
}

/**
 * The answer to a request that broke the engine; the engine must not be used again.
 * @param {Request} request
 * @param {Error} error
 */
export function panicResponse(request, error) {
  const reason = panicMessage() || error.message;
  return response(request, { is_panic: true, message: `${reason}\n${error.stack ?? ''}`, error: { message: reason } });
}

/**
 * @param {Request} request
 * @param {Record<string, unknown>} data
 */
function response(request, data) {
  return { jsonrpc: '2.0', id: request.id, error: { code: ENGINE_ERROR, message: ENGINE_ERROR_MESSAGE, data } };
}

/**
 * The engine sees errors of a foreign connection as "external connector error" and nothing else; we know better.
 * @param {Request} request
 * @param {unknown} error
 * @param {Error | undefined} failure
 * @returns {{ code?: string, message: string, meta?: unknown }}
 */
function explain(request, error, failure) {
  const said = error instanceof Error ? error.message : String(error);
  if (failure instanceof ScriptFailure) {
    const migration = migrationOf(request, failure.script);
    if (migration !== undefined && request.method === 'applyMigrations') return notApplied(migration, failure);
    if (migration !== undefined) return notReplayed(migration, failure);
    if (!isKnown(error)) return { message: `${failure.message}\n` };
  }
  if (isKnown(error)) return { code: error.code, message: withoutTrace(said), meta: error.meta };
  if (isKnown(failure)) return { code: failure.code, message: failure.message, meta: failure.meta };
  return { message: failure ? failure.message : withoutTrace(said) };
}

/**
 * @param {string} migration
 * @param {ScriptFailure} failure
 */
function notApplied(migration, failure) {
  return {
    code: 'P3018',
    message:
      'A migration failed to apply. New migrations cannot be applied before the error is recovered from. ' +
      'Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve\n\n' +
      `Migration name: ${migration}\n\nDatabase error code: ${failure.sqlState}\n\nDatabase error:\n${failure.message}\n`,
    meta: { migration_name: migration, database_error_code: failure.sqlState, database_error: failure.message },
  };
}

/**
 * @param {string} migration
 * @param {ScriptFailure} failure
 */
function notReplayed(migration, failure) {
  return {
    code: 'P3006',
    message:
      `Migration \`${migration}\` failed to apply cleanly to the shadow database. \n` +
      `Database error code: ${failure.sqlState}\nError:\n${failure.message}\n`,
    meta: { migration_name: migration },
  };
}

/**
 * The migration of a request that has this text.
 * @param {Request} request
 * @param {string} script
 */
function migrationOf({ params }, script) {
  const lists = [params?.['migrationsList'], params?.['from'], params?.['to']];
  for (const list of /** @type {(Partial<MigrationList> | undefined)[]} */ (lists)) {
    const found = list?.migrationDirectories?.find(({ migrationFile }) => migrationFile.content.value === script);
    if (found) return found.path;
  }
  return undefined;
}

/**
 * Takes off the trace of the engine's own functions that follows an error's text.
 * @param {string} message
 */
function withoutTrace(message) {
  return message.replace(/\n {3}0: [^]*$/, '');
}
