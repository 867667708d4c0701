import pg from 'pg';

/** A statement may take so long; its server then ends it, and where no answer comes at all the connection is given up. */
const STATEMENT_MS = 120_000;
const GRACE_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * A connection of its own, beside the pool, for work that goes on for minutes: it may hold a lock of its session all that time,
 * and can do what no transaction can (VACUUM).
 */
export class LongWork {
  private constructor(private readonly client: pg.Client) {}

  /** Does the work on a new connection, which is closed when it is done. */
  static async on<T>(databaseUrl: string, work: (connection: LongWork) => Promise<T>): Promise<T> {
    const client = new pg.Client({
      connectionString: databaseUrl,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_MS,
      application_name: 'living-mirror storage',
      keepAlive: true,
    });
    client.on('error', () => undefined); // whatever is under way hears of it, too
    await client.connect();
    try {
      return await work(new LongWork(client));
    } finally {
      await client.end();
    }
  }

  async query<Row>(sql: string, ...values: readonly unknown[]): Promise<Row[]> {
    return (await this.answered(STATEMENT_MS + GRACE_MS, this.client.query<Row & pg.QueryResultRow>(sql, [...values])))
      .rows;
  }

  /** For a statement that takes as long as it takes and stands in nobody's way. */
  async patiently(sql: string): Promise<void> {
    await this.query(`SET statement_timeout = 0`);
    try {
      await this.client.query(sql);
    } finally {
      await this.query(`SET statement_timeout = ${STATEMENT_MS}`);
    }
  }

  /** Committed when `work` returns, rolled back when it throws. */
  async inTransaction<T>(lockMs: number, work: () => Promise<T>): Promise<T> {
    await this.query('BEGIN');
    try {
      await this.query(`SET LOCAL lock_timeout = ${lockMs}`);
      const result = await work();
      await this.query('COMMIT');
      return result;
    } catch (error) {
      await this.query('ROLLBACK').catch(() => undefined); // a connection that is lost has been rolled back
      throw error;
    }
  }

  /** Ends it at once, whatever is under way. */
  giveUp(): void {
    this.client.connection.stream.destroy(new Error('The work was given up'));
  }

  private async answered<T>(withinMs: number, answer: Promise<T>): Promise<T> {
    const deadline = setTimeout(() => this.giveUp(), withinMs);
    try {
      return await answer;
    } finally {
      clearTimeout(deadline);
    }
  }
}
