// @ts-check
import path from 'node:path';
import { startPostgres } from '../postgres/embedded-postgres.mjs';
import { working } from '../setup/progress.mjs';
import { Supervisor } from './supervisor.mjs';

/**
 * Runs the embedded PostgreSQL until it is interrupted.
 * @param {{ root: string, directory: string }} options
 * @returns {Promise<number>} exit code
 */
export async function runDatabase({ root, directory }) {
  const logFile = path.join(path.dirname(directory), 'logs', 'postgres.log');
  const supervisor = new Supervisor();
  return supervisor.run(async () => {
    const postgres = await working('Starting PostgreSQL', () => startPostgres({ root, directory, logFile }));
    supervisor.addPostgres(postgres, logFile);
    const how = postgres.started
      ? 'Ctrl-C stops it.'
      : 'It was running already (another command started it); Ctrl-C leaves it running.';
    console.log(
      `PostgreSQL ${postgres.version} answers at\n\n  ${postgres.url}\n\nIts data is in ${postgres.directory}. ${how}`,
    );
  });
}
