// @ts-check
import pg from 'pg';
/** @typedef {import('./actions.mjs').Action} Action */

/** More than PostgreSQL has. */
const TOO_MANY_CONNECTIONS = 80;

/** What is done to PostgreSQL. @type {Record<string, Action>} */
export const DATABASE_ACTIONS = {
  'kill-postgres': async ({ scene: { database }, tally }) => {
    tally.kills++;
    await database.kill();
    return () => database.start();
  },
  'kill-both': async ({ scene: { database }, replica, tally }) => {
    tally.kills += 2;
    await Promise.all([database.kill(), replica().kill()]);
    return async () => {
      await Promise.all([database.start(), replica().start()]);
    };
  },
  'kill-while-away': async ({ scene: { database }, replica, tally, after }) => {
    tally.kills += 2;
    await database.kill();
    // Long enough for a spool to be in use; then it is killed twice, the second time with what it found on its disk.
    after(0.7, async () => {
      await replica().kill();
      await replica().start();
    });
    return async () => {
      await replica().kill();
      await Promise.all([database.start(), replica().start()]);
    };
  },
  'restart-postgres': async ({ scene: { database } }) => {
    await database.stop();
    return () => database.start();
  },
  'stop-postgres': async ({ scene: { database } }) => {
    const goOn = database.freeze();
    return async () => goOn();
  },
  failover: async ({ scene: { database }, tally }) => {
    const goOver = await database.prepareFailover();
    return async () => {
      tally.kills++;
      await goOver();
    };
  },
  'read-only': async ({ scene: { database } }) => {
    await database.ask('ALTER SYSTEM SET default_transaction_read_only = on');
    await database.ask('SELECT pg_reload_conf()');
    return async () => {
      await database.ask('ALTER SYSTEM RESET default_transaction_read_only');
      await database.ask('SELECT pg_reload_conf()');
    };
  },
  'connections-exhausted': async ({ scene: { database } }) => {
    /** @type {pg.Client[]} */
    const clients = [];
    let open = true;
    // Whoever else loses a connection does not get it back: as soon as one is free it is taken.
    const take = async () => {
      while (open) {
        const client = new pg.Client({ connectionString: database.url, connectionTimeoutMillis: 2_000 });
        client.on('error', () => {});
        try {
          await client.connect();
          clients.push(client);
          if (clients.length === TOO_MANY_CONNECTIONS / 2) {
            await client.query(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'living-mirror'",
            );
          }
        } catch {
          await client.end().catch(() => {});
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    };
    const taking = Promise.all([take(), take(), take(), take()]);
    return async () => {
      open = false;
      await taking;
      await Promise.all(clients.map((client) => client.end().catch(() => {})));
    };
  },
  lock: async ({ scene: { database } }) => {
    const client = new pg.Client({ connectionString: database.url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    await client.connect();
    await client.query('BEGIN');
    await client.query("SET LOCAL lock_timeout = '10s'");
    await client.query('LOCK TABLE "SeenMessage" IN ACCESS EXCLUSIVE MODE');
    return () => client.end();
  },
  'disk-full': async ({ scene: { database, disk } }) => {
    database.expectEnd(); // where its log has no room either, it gives up
    disk?.fill();
    return async () => {
      disk?.empty();
      await database.ensure();
    };
  },
  'spool-disk-full': async ({ scene: { database, spoolDisk }, tally }) => {
    tally.kills++;
    spoolDisk?.fill();
    await database.kill();
    return async () => {
      await database.start();
      spoolDisk?.empty();
    };
  },
};
