import pg from 'pg';
import { MessageCondemned, SinkUnavailable } from '../domain/event-sink.js';

/**
 * Whose fault it is, by SQLSTATE:
 * - `condemned`: classes 22, 23 and 54 speak of the data, so some message of the batch can never be stored;
 * - `missing-partition`: 23514 (there are no check constraints; rows without a partition end here);
 * - `conflict`: 40001 and 40P01, two writers in each other's way; the same transaction will do on its next try;
 * - `away`: everything else, also errors without a SQLSTATE: the world is not there, and no message is to blame.
 */
export type DatabaseFault = 'condemned' | 'missing-partition' | 'conflict' | 'away';

/** Classifies what Prisma threw. */
export function databaseFault(error: unknown): DatabaseFault {
  const state = sqlState(error);
  if (state === '23514') return 'missing-partition';
  if (state === '40001' || state === '40P01') return 'conflict';
  if (state !== null && /^(22|23|54)/.test(state)) return 'condemned';
  return 'away';
}

/** The error that the ingest understands, without values: those may be secrets. */
export function asSinkError(error: unknown): SinkUnavailable | MessageCondemned {
  const fault = databaseFault(error);
  return fault === 'condemned'
    ? new MessageCondemned(describe(error), { cause: error })
    : new SinkUnavailable(describe(error), { cause: error });
}

/** PostgreSQL's SQLSTATE inside an error of Prisma's, or of pg's own, or null. */
export function sqlState(error: unknown): string | null {
  const code = error instanceof pg.DatabaseError ? error.code : adapterCause(error)?.['originalCode'];
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** One line for people: PostgreSQL's own words where there are any. */
export function describe(error: unknown): string {
  const cause = adapterCause(error);
  const words = cause?.['originalMessage'];
  const state = sqlState(error);
  if (typeof words === 'string') return state ? `${words} (${state})` : words;
  if (cause?.['kind'] === 'DatabaseNotReachable')
    return `no database answers at ${String(cause['host'])}:${String(cause['port'])}`;
  if (!(error instanceof Error)) return String(error);
  return error.message.trim().split('\n').at(-1) ?? error.name;
}

function adapterCause(error: unknown): Record<string, unknown> | null {
  let found: unknown = error;
  for (const step of ['meta', 'driverAdapterError', 'cause']) {
    if (typeof found !== 'object' || found === null) return null;
    found = (found as Record<string, unknown>)[step];
  }
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : null;
}
