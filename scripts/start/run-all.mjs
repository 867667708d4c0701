// @ts-check
import path from 'node:path';
import { startPostgres } from '../postgres/embedded-postgres.mjs';
import { say, working } from '../setup/progress.mjs';
import { migrate, withoutPassword } from './migrate.mjs';
import { screen } from './screen.mjs';
import { localUrl, startService } from './service-part.mjs';
import { simulatorSettings, startSimulator } from './simulator-part.mjs';
import { Supervisor } from './supervisor.mjs';
import { showWarnings } from './warnings.mjs';

/**
 * How the parts are started.
 * @typedef {{ service: readonly string[], simulator: readonly string[] }} Commands
 */

/**
 * Runs everything until it is interrupted or a part ends: database, migrations, simulator, service, in this order.
 * @param {object} options
 * @param {string} options.root the checkout
 * @param {string} options.dataDirectory
 * @param {import('./environment.mjs').Environment} options.environment with `.env` in it
 * @param {import('./environment.mjs').Wishes} options.wishes
 * @param {Commands} options.commands
 * @param {boolean} [options.verbose] shows everything the service says, for development
 * @param {number} options.startedAt by `performance.now()`
 * @returns {Promise<number>} exit code
 */
export function runAll({ root, dataDirectory, environment, wishes, commands, verbose = false, startedAt }) {
  const supervisor = new Supervisor();
  const logs = path.join(dataDirectory, 'logs');
  return supervisor.run(async () => {
    const database = await startDatabase({ root, dataDirectory, wishes, supervisor });
    await migrate({ root, url: database.url, database: database.address, signal: supervisor.signal });
    const simulator = wishes.simulator
      ? await working('Starting the platform simulator', () =>
          startSimulator({
            command: commands.simulator,
            root,
            dataDirectory,
            environment,
            supervisor,
            onLine: showWarnings('simulator', say),
          }),
        )
      : undefined;
    const url = localUrl(wishes.httpHost, wishes.httpPort);
    // What it warns of before it runs is held back: if it ends then, its last words say all that is needed.
    /** @type {string[]} */
    const held = [];
    /** @type {(line: string) => void} */
    let show = (line) => {
      held.push(line);
    };
    const service = await working('Starting the service', () =>
      startService({
        command: commands.service,
        root,
        dataDirectory,
        environment: {
          ...(verbose && process.stderr.isTTY ? { LOG_FORMAT: 'pretty' } : {}),
          ...environment,
          ...(simulator ? simulatorSettings(simulator, environment) : {}),
          DATABASE_URL: database.url,
        },
        url,
        supervisor,
        onLine: verbose ? say : showWarnings('service', (line) => show(line)),
      }),
    );
    const facts = { url, service, database, simulator, logs, platform: environment['AMQP_URL'] ?? '' };
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(screen({ ...facts, token: environment['HTTP_TOKEN'] !== undefined, seconds }));
    held.forEach(say);
    show = say;
  });
}

/**
 * @param {object} options
 * @param {string} options.root
 * @param {string} options.dataDirectory
 * @param {import('./environment.mjs').Wishes} options.wishes
 * @param {Supervisor} options.supervisor
 * @returns {Promise<{ url: string, address: string, embedded: string | undefined }>}
 */
async function startDatabase({ root, dataDirectory, wishes, supervisor }) {
  if (wishes.databaseUrl !== undefined) {
    return { url: wishes.databaseUrl, address: withoutPassword(wishes.databaseUrl), embedded: undefined };
  }
  const logFile = path.join(dataDirectory, 'logs', 'postgres.log');
  const directory = path.join(dataDirectory, 'postgres');
  const postgres = await working('Starting PostgreSQL', () => startPostgres({ root, directory, logFile }));
  supervisor.addPostgres(postgres, logFile);
  return { url: postgres.url, address: withoutPassword(postgres.url), embedded: postgres.version };
}
