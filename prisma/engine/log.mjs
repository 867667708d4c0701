// The native engine's log: one JSON object a line on stderr. The Prisma CLI finds errors there.

import { isKnown } from './known-error.mjs';

/**
 * @param {'INFO' | 'WARN' | 'ERROR'} level
 * @param {string} message
 * @param {Record<string, unknown>} [fields]
 */
export function log(level, message, fields = {}) {
  const line = {
    timestamp: new Date().toISOString(),
    level,
    fields: { message, ...fields },
    target: 'schema_engine::logger',
  };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

/**
 * Says why a command failed, in the shape in which the CLI looks for a P-code.
 * @param {unknown} error
 */
export function logError(error) {
  const message = error instanceof Error ? error.message : String(error);
  log('ERROR', message, { is_panic: false, error_code: isKnown(error) ? error.code : '' });
}
