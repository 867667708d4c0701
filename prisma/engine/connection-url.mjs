// Where the database is, read from the URL that both Prisma and `pg` understand.

import { KnownError } from './known-error.mjs';

const DEFAULT_CONNECT_TIMEOUT_S = 5;

/**
 * @typedef {object} ConnectionUrl
 * @property {string} host
 * @property {number} port
 * @property {string} user
 * @property {string} database
 * @property {string} schema the one that unqualified names mean: `?schema=`, else `public`
 * @property {number} connectTimeoutMs `?connect_timeout=` in seconds, 5 by default, 0 for no limit
 * @property {(database: string) => string} withDatabase the same server and login, another database
 * @property {string} text the URL for `pg`
 */

/**
 * Reads a PostgreSQL URL; P1013 if it is none. TLS is `pg`'s (`sslmode` and its files), as in the service itself.
 * @param {string | undefined} text
 * @returns {ConnectionUrl}
 */
export function parseConnectionUrl(text) {
  if (!text) throw new KnownError('P1013', 'The provided database string is invalid. It is empty.');
  /** @type {URL} */
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new KnownError(
      'P1013',
      'The provided database string is invalid. It is not a URL; special characters in it must be percent-encoded.',
    );
  }
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
    throw new KnownError(
      'P1013',
      'The provided database string is invalid. It must start with `postgresql://` or `postgres://`.',
    );
  }
  const query = url.searchParams;
  const database = decodeURIComponent(url.pathname.slice(1)) || 'postgres';
  return {
    host: query.get('host') ?? (decodeURIComponent(url.hostname) || 'localhost'),
    port: Number(url.port || query.get('port') || 5432),
    user: decodeURIComponent(url.username) || query.get('user') || 'postgres',
    database,
    schema: query.get('schema') ?? 'public',
    connectTimeoutMs: Number(query.get('connect_timeout') ?? DEFAULT_CONNECT_TIMEOUT_S) * 1000,
    withDatabase(name) {
      const other = new URL(url);
      other.pathname = `/${encodeURIComponent(name)}`;
      return other.href;
    },
    text: url.href,
  };
}
