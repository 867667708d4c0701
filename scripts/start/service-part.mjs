// @ts-check
import path from 'node:path';
import { PlainError } from '../plain-error.mjs';
import { isFree } from '../postgres/free-port.mjs';
import { startPart } from './part.mjs';
import { getPage, until } from './wait.mjs';

/** @typedef {import('./environment.mjs').Environment} Environment */

/** A service that runs but is not ready by then waits for something outside: people should hear what. */
const READY_WITHIN_MS = 30_000;

/**
 * Where the service can be asked from this machine.
 * @param {string} host the one it listens on
 * @param {number} port
 */
export function localUrl(host, port) {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/**
 * Checked before anything is started, and before somebody else's service could be mistaken for ours.
 * @param {string} host
 * @param {number} port
 */
export async function refuseTakenPort(host, port) {
  if ((await isFree(port, host)) || (await getPage(`${localUrl(host, port)}/health/live`)) === undefined) {
    // Not free, yet nobody speaks HTTP there: the service itself finds the right words (another kind of server, an
    // address that is not this machine's, a port that needs privileges).
    return;
  }
  throw new PlainError(
    `Port ${port} on ${host} is taken by another web server (perhaps living-mirror runs already): stop it, or set HTTP_PORT to a free one.`,
  );
}

/**
 * Starts the service and waits until it is ready.
 * @param {object} options
 * @param {readonly string[]} options.command
 * @param {string} options.root
 * @param {string} options.dataDirectory
 * @param {Environment} options.environment
 * @param {string} options.url
 * @param {import('./supervisor.mjs').Supervisor} options.supervisor
 * @param {(line: string) => void} options.onLine
 * @returns {Promise<{ ready: boolean, body: string }>} `ready: false`: it runs and says in `body` what it waits for
 */
export async function startService({ command, root, dataDirectory, environment, url, supervisor, onLine }) {
  const [program = '', ...args] = command;
  supervisor.add(
    startPart({
      name: 'the service',
      program,
      args,
      cwd: root,
      env: environment,
      logFile: path.join(dataDirectory, 'logs', 'service.log'),
      onLine,
    }),
  );
  const deadline = performance.now() + READY_WITHIN_MS;
  return until(async () => {
    const page = await getPage(`${url}/health/ready`);
    if (page?.status === 200) return { ready: true, body: page.body };
    if (page !== undefined && performance.now() > deadline) return { ready: false, body: page.body };
    return undefined;
  }, supervisor.signal);
}
