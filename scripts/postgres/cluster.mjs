// @ts-check
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { PlainError } from '../plain-error.mjs';
import { lastLines, runTool } from '../setup/run-tool.mjs';
import { commandLine, makeOwnFolder } from './identity.mjs';

/** @typedef {import('./identity.mjs').Identity} Identity */
/** @typedef {{ identity: Identity, binaries: string, directory: string }} Place where a cluster is and who runs it */

/** The one role; its password is made up at the first start. */
export const ROLE = 'postgres';

/** The environment of every PostgreSQL program: the same everywhere, nothing of the user's `PG*` variables or locale. */
export const plainEnvironment = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };

/**
 * Makes the data directory if there is none yet: complete or not at all, whenever we are killed.
 * @param {Place} place
 * @param {{ password: string, durable: boolean }} options `durable: false` for tests: nothing is flushed to disk
 */
export async function createCluster(place, { password, durable }) {
  const { identity, binaries, directory } = place;
  if (existsSync(path.join(directory, 'PG_VERSION'))) return checkVersion(place);
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new PlainError(`${directory} exists but holds no PostgreSQL database: move it away, then try again.`);
  }
  removeDrafts(directory);
  const draft = `${directory}.draft-${process.pid}`;
  try {
    makeOwnFolder(identity, draft);
    const passwordFile = path.join(draft, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (identity.kind === 'other') chownSync(passwordFile, identity.uid, identity.gid);
    const cluster = path.join(draft, 'cluster');
    const [program = '', ...args] = commandLine(identity, [
      path.join(binaries, 'bin', 'initdb'),
      `--pgdata=${cluster}`,
      `--username=${ROLE}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256', // trust would open it to every user of this machine
      '--encoding=UTF8',
      '--locale=C',
      '--data-checksums',
      '--no-instructions',
      ...(durable ? [] : ['--no-sync']),
    ]);
    const { code, output } = await runTool(program, args, { cwd: '/', env: plainEnvironment });
    if (code !== 0) throw new PlainError(explain(`PostgreSQL could not make its data directory ${directory}`, output));
    mkdirSync(path.dirname(directory), { recursive: true });
    renameSync(cluster, directory);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Sets the role's password without knowing the old one, while no server runs.
 * @param {Place} place
 * @param {string} password letters and digits
 */
export async function resetPassword({ identity, binaries, directory }, password) {
  const [program = '', ...args] = commandLine(identity, [
    path.join(binaries, 'bin', 'postgres'),
    '--single',
    '-D',
    directory,
    'postgres',
  ]);
  const { code, output } = await runTool(program, args, {
    cwd: '/',
    env: plainEnvironment,
    input: `ALTER ROLE ${ROLE} PASSWORD '${password}';\n`,
  });
  if (code !== 0) throw new PlainError(explain(`PostgreSQL could not open its data directory ${directory}`, output));
}

/**
 * One error out of what a PostgreSQL program said when it failed.
 * @param {string} what
 * @param {string} output
 */
export function explain(what, output) {
  if (/No space left on device/.test(output)) return `${what}: the disk is full. Make room, then try again.`;
  if (/Read-only file system/.test(output)) return `${what}: the file system is read-only.`;
  if (/Permission denied/.test(output)) {
    return `${what}: permission denied. Check the owner of the folder.\n${lastLines(output, 5)}`;
  }
  return `${what}:\n${lastLines(output, 10)}`;
}

/** @param {Place} place */
function checkVersion({ binaries, directory }) {
  const made = readFileSync(path.join(directory, 'PG_VERSION'), 'utf8').trim();
  const here = majorVersion(binaries);
  if (here === undefined || made === here) return;
  throw new PlainError(
    `${directory} was made by PostgreSQL ${made}, and this is ${here}: move it away (a new one is made), or go back to the version of living-mirror that made it.`,
  );
}

/**
 * @param {string} binaries
 * @returns {string | undefined} e.g. "18"
 */
function majorVersion(binaries) {
  const manifest = path.join(binaries, 'share', 'postgresql', 'postgres.bki');
  if (!existsSync(manifest)) return undefined;
  return /^# PostgreSQL (\d+)/.exec(readFileSync(manifest, 'utf8').slice(0, 100))?.[1];
}

/**
 * What a killed start left behind. The caller holds the lock of this directory, so nobody is working on one.
 * @param {string} directory
 */
function removeDrafts(directory) {
  const parent = path.dirname(directory);
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`${path.basename(directory)}.draft-`)) {
      rmSync(path.join(parent, name), { recursive: true, force: true });
    }
  }
}
