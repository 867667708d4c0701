// @ts-check
import pg from 'pg';
import { working } from '../setup/progress.mjs';
import { until } from '../start/wait.mjs';

/**
 * Waits until the service has done what it does by the way: rolled up all history, and packed the months that are over.
 * @param {{ url: string, signal: AbortSignal }} options
 */
export async function settle({ url, signal }) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await working('Waiting for the roll-ups', () =>
      until(async () => {
        const { rows } = await client.query(
          `SELECT "pastDone" AND NOT EXISTS (SELECT FROM "RollupMark") AS done FROM "RollupState"`,
        );
        return rows[0]?.done === true || undefined;
      }, signal),
    );
    await working('Waiting for months to be packed', () =>
      until(async () => {
        const { rows } = await client.query(
          `SELECT EXISTS (SELECT FROM "StorageMonth" WHERE "table" = 'PropertyReading' AND "packedAt" IS NOT NULL
             AND "month" = date_trunc('month', (now() - INTERVAL '1 day') AT TIME ZONE 'UTC') - INTERVAL '1 month') AS done`,
        );
        return rows[0]?.done === true || undefined;
      }, signal),
    );
    await client.query('VACUUM ANALYZE'); // as autovacuum would by now
  } finally {
    await client.end();
  }
}
