// Errors with a code of Prisma's own (P1001 and so on), worded as the native engine words them.

/** An error that the Prisma CLI shows by its code. */
export class KnownError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {Record<string, unknown>} [meta]
   */
  constructor(code, message, meta = {}) {
    super(message);
    this.code = code;
    this.meta = meta;
  }
}

/**
 * Whether an error carries one of Prisma's codes; those thrown by the WebAssembly engine do too.
 * @param {unknown} error
 * @returns {error is Error & { code: string, meta?: Record<string, unknown> }}
 */
export function isKnown(error) {
  return error instanceof Error && /^P\d{4}$/.test(String(/** @type {{ code?: unknown }} */ (error).code));
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'ETIMEDOUT',
]);

/**
 * Why a connection could not be opened, as Prisma says it (P1000, P1001, P1003, P1010, P1011).
 * @param {unknown} error what `pg` threw
 * @param {import('./connection-url.mjs').ConnectionUrl} url
 */
export function connectionError(error, url) {
  const { host, port, user, database } = url;
  const { code, message } = /** @type {{ code?: string, message: string }} */ (error);
  if (code === '28P01') {
    return new KnownError(
      'P1000',
      `Authentication failed against database server at \`${host}\`, the provided database credentials for \`${user}\` are not valid.\n\n` +
        `Please make sure to provide valid database credentials for the database server at \`${host}\`.`,
      { database_user: user, database_host: host },
    );
  }
  if (code === '3D000') {
    return new KnownError(
      'P1003',
      `Database \`${database}\` does not exist on the database server at \`${host}:${port}\`.`,
      { database_name: database, database_host: host, database_port: port },
    );
  }
  if (code === '28000' || code === '42501') {
    return new KnownError('P1010', `User \`${user}\` was denied access on the database \`${database}\`: ${message}`, {
      database_user: user,
      database_name: database,
    });
  }
  if (/SSL|TLS|certificate|self-signed/i.test(`${code} ${message}`)) {
    return new KnownError('P1011', `Error opening a TLS connection: ${message}`, { message });
  }
  // A server that is starting or stopping (57P03) or full (53300) is there, and says so itself.
  const reason = code === '57P03' || code === '53300' ? `\n\nThe server says: ${message}` : '';
  if (reason !== '' || (code !== undefined && NETWORK_CODES.has(code)) || /timeout|terminated/i.test(message)) {
    return new KnownError(
      'P1001',
      `Can't reach database server at \`${host}\`:\`${port}\`\n\n` +
        `Please make sure your database server is running at \`${host}\`:\`${port}\`.${reason}`,
      { database_host: host, database_port: port },
    );
  }
  return error instanceof Error ? error : new Error(message);
}
