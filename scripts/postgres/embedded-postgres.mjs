// @ts-check
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { guardProcess } from '../guard.mjs';
import { PlainError, codeOf } from '../plain-error.mjs';
import { isAlive, withLock } from '../setup/directory-lock.mjs';
import { nativeFolder } from './binaries.mjs';
import { ROLE, createCluster, explain, plainEnvironment, resetPassword } from './cluster.mjs';
import { ensureDatabase } from './connection.mjs';
import { readAddress, writeAddress } from './address.mjs';
import { freePort } from './free-port.mjs';
import {
  canDieWithParent,
  canWrite,
  commandLine,
  findIdentity,
  makeOwnFolder,
  reachableBinaries,
} from './identity.mjs';
import { clearStaleLock, readPostmaster } from './postmaster-pid.mjs';

/** @typedef {import('./cluster.mjs').Place} Place */

/**
 * A PostgreSQL that answers.
 * @typedef {object} EmbeddedPostgres
 * @property {string} url with the password in it
 * @property {number} port
 * @property {number} pid
 * @property {string} version e.g. "18.4"
 * @property {string} directory where the data really is
 * @property {boolean} started false if it was running already: then it is somebody else's to stop
 * @property {Promise<{ code: number | null, signal: string | null }>} exited
 * @property {(timeoutMs?: number) => Promise<void>} stop ends it cleanly, or at once after so long; does nothing if it is somebody else's
 */

/**
 * @typedef {object} Options
 * @property {string} root the checkout, whose node_modules has the binaries
 * @property {string} directory the data directory; beside it, `<directory>.json` says how to reach the server
 * @property {string} logFile
 * @property {string} [database] made if it is missing
 * @property {number} [port] tried first, unless an earlier start settled on another; 0 for any
 * @property {boolean} [durable] false only for tests: what is committed may be lost when the machine fails
 * @property {readonly string[]} [settings] further `name=value`
 * @property {import('./identity.mjs').Identity} [identity] only to test what other machines allow
 */

const DEFAULT_PORT = 15_432;
const POLL_MS = 20;
/** How long a server that is coming or going may take to make up its mind, and old processes to let go. */
const PATIENCE_MS = 60_000;
const LOG_LIMIT_BYTES = 10_000_000;

/**
 * Starts the PostgreSQL of a data directory, or joins the one that runs there already.
 * @param {Options} options
 * @returns {Promise<EmbeddedPostgres>}
 */
export async function startPostgres(options) {
  const wanted = options.directory;
  return withLock(`${wanted}.lock`, async () => {
    const place = findPlace(options);
    const running = await joinRunning(place, options);
    return running ?? (await startNew(place, options));
  });
}

/**
 * @param {Options} options
 * @returns {Place}
 */
function findPlace({ root, directory, identity: forced }) {
  const folder = nativeFolder(root);
  const identity = forced ?? findIdentity(path.join(folder, 'bin', 'postgres'), directory);
  if (identity.kind !== 'other') return { identity, binaries: folder, directory };
  const binaries = reachableBinaries(identity, folder);
  const probe = `${directory}.draft-probe`;
  makeOwnFolder(identity, probe);
  const reachable = canWrite(identity, probe);
  rmSync(probe, { recursive: true, force: true });
  if (reachable) return { identity, binaries, directory };
  // Nobody cannot get at our folder (a home directory, say): the data has to live where everybody can go.
  const key = createHash('sha256').update(directory).digest('hex').slice(0, 12);
  const home = path.join(os.tmpdir(), `living-mirror-${key}`);
  mkdirSync(home, { recursive: true, mode: 0o711 });
  if (lstatSync(home).uid !== process.getuid?.()) {
    throw new PlainError(`${home} belongs to somebody else: remove it, then try again.`);
  }
  chmodSync(home, 0o711);
  return { identity, binaries, directory: path.join(home, 'postgres') };
}

/**
 * @param {Place} place
 * @param {Options} options
 * @returns {Promise<EmbeddedPostgres | undefined>} undefined if none runs
 */
async function joinRunning({ directory }, { directory: wanted, database = 'living_mirror' }) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const server = readPostmaster(directory);
    if (!server) return undefined;
    if (server.ready) {
      const address = readAddress(wanted);
      if (!address) {
        throw new PlainError(
          `A PostgreSQL (process ${server.pid}) runs on ${directory}, but ${wanted}.json with its password is gone: stop it (kill -INT ${server.pid}), then try again.`,
        );
      }
      const url = withPort(address.url, server.port);
      const state = await ensureDatabase(url, database, directory);
      if (state !== 'leaving') {
        return {
          url,
          port: server.port,
          pid: server.pid,
          version: state.version,
          directory,
          started: false,
          exited: goneOf(server.pid),
          stop: async () => {},
        };
      }
    }
    if (Date.now() > deadline) {
      throw new PlainError(
        `A PostgreSQL (process ${server.pid}) holds ${directory} but does not answer: stop it (kill -INT ${server.pid}), then try again.`,
      );
    }
    await pause();
  }
}

/**
 * @param {Place} place
 * @param {Options} options
 * @returns {Promise<EmbeddedPostgres>}
 */
async function startNew(place, options) {
  const { directory: wanted, database = 'living_mirror', durable = true } = options;
  const { directory } = place;
  const fresh = !existsSync(path.join(directory, 'PG_VERSION'));
  const known = fresh ? undefined : readAddress(wanted);
  const password = known?.password ?? randomBytes(24).toString('hex');
  await createCluster(place, { password, durable });
  clearStaleLock(directory);
  if (!fresh && known?.password === undefined) await resetPassword(place, password);
  const preferred = known?.port ?? options.port ?? DEFAULT_PORT;
  const { child, port, release } = await launch(place, options, preferred);
  const pid = child.pid ?? 0;
  const url = `postgresql://${ROLE}:${password}@127.0.0.1:${port}/${database}`;
  /** @type {Promise<{ code: number | null, signal: string | null }>} */
  const exited = new Promise((resolve) => {
    const done = () => {
      release();
      resolve({ code: child.exitCode, signal: child.signalCode });
    };
    if (hasExited(child)) done();
    else child.once('exit', done);
  });
  const stop = async (timeoutMs = PATIENCE_MS) => {
    if (hasExited(child)) return;
    child.kill('SIGINT'); // a fast, clean shutdown
    if (await within(exited, timeoutMs)) return;
    child.kill('SIGQUIT'); // at once: the next start recovers
    if (await within(exited, 500)) return;
    child.kill('SIGKILL');
    await exited;
  };
  try {
    writeAddress(wanted, { url, port, pid });
    const state = await ensureDatabase(url, database, directory);
    if (state === 'leaving') throw new PlainError('PostgreSQL was stopped while it started.');
    return { url, port, pid, version: state.version, directory, started: true, exited, stop };
  } catch (error) {
    await stop(2_000);
    throw error;
  }
}

/**
 * Starts the server on the first port it gets.
 * @param {Place} place
 * @param {Options} options
 * @param {number} preferred
 */
async function launch(place, options, preferred) {
  const { directory } = place;
  const deadline = Date.now() + PATIENCE_MS;
  const tied = canDieWithParent();
  for (let first = preferred; ;) {
    const port = await freePort(first);
    const log = openLog(options.logFile);
    const [program = '', ...args] = commandLine(place.identity, serverCommand(place, options, port), {
      dieWithParent: tied,
    });
    const child = spawn(program, args, {
      cwd: '/', // ours may be closed to whoever it runs as
      env: plainEnvironment,
      stdio: ['ignore', log.descriptor, log.descriptor],
      detached: true, // Ctrl-C is for us; the server goes last
    });
    child.once('error', () => {}); // seen as an exit without a code below
    closeSync(log.descriptor);
    const release = tied || child.pid === undefined ? () => {} : guardProcess(child.pid, 'INT');
    while (!hasExited(child) && child.pid !== undefined) {
      const server = readPostmaster(directory);
      if (server?.ready && server.pid === child.pid) return { child, port, release };
      await pause();
    }
    release();
    const said = readFileSync(options.logFile, 'utf8').slice(log.offset);
    const portTaken = /could not bind|could not create any TCP\/IP sockets/.test(said);
    // Processes of a server that was killed a moment ago hold its shared memory until they notice.
    const stillLeaving = /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(said);
    if (Date.now() > deadline || !(portTaken || stillLeaving)) {
      throw new PlainError(`${explain('PostgreSQL did not start', said)}\nIts log is ${options.logFile}.`);
    }
    if (portTaken && first !== 0) first = port + 1;
    if (stillLeaving) await pause(200);
  }
}

/**
 * @param {Place} place
 * @param {Options} options
 * @param {number} port
 */
function serverCommand({ binaries, directory }, { durable = true, settings = [] }, port) {
  const all = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=', // their paths have a short limit, and nobody needs them
    'log_timezone=UTC',
    'timezone=UTC',
    ...(durable ? [] : ['fsync=off', 'full_page_writes=off']),
    ...settings,
  ];
  return [path.join(binaries, 'bin', 'postgres'), '-D', directory, ...all.flatMap((each) => ['-c', each])];
}

/**
 * Opens the log at its end; one that has grown large starts anew.
 * @param {string} file
 */
function openLog(file) {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const offset = size > LOG_LIMIT_BYTES ? 0 : size;
    return { descriptor: openSync(file, offset === 0 ? 'w' : 'a', 0o600), offset };
  } catch (error) {
    throw new PlainError(`Cannot write ${file} (${codeOf(error)}): check its owner, permissions and space.`, {
      cause: error,
    });
  }
}

/**
 * @param {string} url
 * @param {number} port
 */
function withPort(url, port) {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

/**
 * A server that is not our child can only be watched.
 * @param {number} pid
 * @returns {Promise<{ code: null, signal: null }>}
 */
function goneOf(pid) {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isAlive(pid)) return;
      clearInterval(timer);
      resolve({ code: null, signal: null });
    }, 500);
    timer.unref();
  });
}

/** @param {import('node:child_process').ChildProcess} child */
function hasExited(child) {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Whether a promise settles within a time.
 * @param {Promise<unknown>} promise
 * @param {number} timeoutMs
 */
async function within(promise, timeoutMs) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const result = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return result === true;
}

/** @param {number} [ms] */
function pause(ms = POLL_MS) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
