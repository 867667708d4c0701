import pg from 'pg';
import { patienceLeftMs, type Patience } from './patience.js';

export interface PoolOptions {
  readonly connectionString: string;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly patience: Patience;
}

/**
 * A pool whose connections give up by themselves. `statement_timeout` is the server's: when a firewall or a dead host swallows
 * what is sent, nobody cancels anything, and the kernel tries again for a quarter of an hour. pg's own `query_timeout` would fail
 * the statement and hand out the same connection again. Here the connection is destroyed, and so are those that lie idle:
 * they lead to the same place, and finding that out one by one would take as many tries.
 */
export function connectionPool({ connectionString, connections, connectTimeoutMs, patience }: PoolOptions): pg.Pool {
  const idle = new Set<pg.Client>();
  const silent = (): void => {
    for (const client of idle) destroy(client);
  };
  const pool = new pg.Pool({
    connectionString,
    max: connections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: patience.statementMs,
    lock_timeout: patience.lockMs,
    idle_in_transaction_session_timeout: patience.transactionMs,
    application_name: 'living-mirror',
    keepAlive: true,
  });
  pool.on('connect', (client) => {
    // Between the hands of the pool and of Prisma nobody listens for a moment, and an error that comes just then ends the process.
    client.on('error', () => undefined);
    if (client instanceof pg.Client) watch(client, patience, silent);
  });
  pool.on('acquire', (client) => {
    if (client instanceof pg.Client) idle.delete(client);
  });
  pool.on('release', (_, client) => {
    if (client instanceof pg.Client) idle.add(client);
  });
  pool.on('remove', (client) => {
    if (client instanceof pg.Client) idle.delete(client);
  });
  return pool;
}

/** Destroys the connection when a statement has no answer in time. */
function watch(client: pg.Client, patience: Patience, silent: () => void): void {
  let deadline: NodeJS.Timeout | undefined;
  /** The statement that waits for its answer, by its number. */
  let waiting: number | null = null;
  let statements = 0;
  const send = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((...args: unknown[]) => {
    const statement = ++statements;
    waiting = statement;
    clearTimeout(deadline);
    deadline = setTimeout(() => {
      // Its answer may be here, unread, if it was this process that stood still: a turn of the event loop reads it.
      setImmediate(() => {
        if (waiting !== statement) return;
        destroy(client);
        silent();
      });
    }, patienceLeftMs(patience));
    deadline.unref();
    return send(...args);
  }) as pg.Client['query'];
  const answered = (): void => {
    waiting = null;
    clearTimeout(deadline);
  };
  client.on('drain', answered);
  client.on('end', answered);
}

function destroy(client: pg.Client): void {
  client.connection.stream.destroy(new Error('The database did not answer in time'));
}
