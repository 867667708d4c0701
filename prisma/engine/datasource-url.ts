// Which database the Prisma CLI works on.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const PROBE_TIMEOUT_MS = 2_000;

/** A database, and where its address was found. */
export interface Datasource {
  readonly url: string;
  readonly embedded: boolean;
}

/**
 * `DATABASE_URL` if it is set, else the embedded PostgreSQL that `npm start` and `npm run db` leave the address of.
 * @param embeddedFile path of `data/postgres.json`
 */
export function findDatasource(
  embeddedFile: string,
  environment: NodeJS.ProcessEnv = process.env,
): Datasource | undefined {
  const url = environment['DATABASE_URL'];
  if (url) return { url, embedded: false };
  try {
    const { url: embeddedUrl } = JSON.parse(readFileSync(embeddedFile, 'utf8')) as { url: string };
    return { url: embeddedUrl, embedded: true };
  } catch {
    return undefined; // Not there, or being written.
  }
}

/**
 * Says why the command cannot work, where all that Prisma could say is "Can't reach database server".
 * @param argv the CLI's arguments
 * @returns one line for people, or nothing if the command needs no database or has one
 */
export async function whyNoDatabase(
  argv: readonly string[],
  datasource: Datasource | undefined,
): Promise<string | undefined> {
  if (!needsDatabase(argv)) return undefined;
  if (datasource === undefined) {
    return 'No database: DATABASE_URL is not set and the embedded PostgreSQL has not been started. Run `npm run db` (or `npm start`), or set DATABASE_URL.';
  }
  if (datasource.embedded && !(await answers(datasource.url))) {
    const { host } = new URL(datasource.url);
    return `No database: nothing answers at ${host}, where the embedded PostgreSQL was last. Run \`npm run db\` (or \`npm start\`), or set DATABASE_URL.`;
  }
  return undefined;
}

function needsDatabase(argv: readonly string[]): boolean {
  if (argv.some((argument) => argument === '--help' || argument === '-h')) return false;
  const [command, verb] = argv.filter((argument) => !argument.startsWith('-'));
  if (command === 'studio') return !argv.some((argument) => argument.startsWith('--url'));
  if (command === 'migrate' && verb === 'diff') {
    return argv.some((argument) => /^--(from|to)-(config-datasource|migrations)/.test(argument));
  }
  return (command === 'migrate' || command === 'db') && verb !== undefined;
}

/** Whether something listens there. */
function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: PROBE_TIMEOUT_MS });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
