// @ts-check
import { spawnSync } from 'node:child_process';
import { chownSync, lchownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { PlainError } from '../plain-error.mjs';
import { copyForEveryone } from './binaries.mjs';

/**
 * As whom PostgreSQL runs, since it refuses to run as root.
 * - `self`: as the user who called us.
 * - `namespace`: root calls. In a user namespace of its own, where root's number is nobody's: it runs in place, and its
 *   files stay root's, even below a home directory that only root may enter.
 * - `other`: root calls, and either user namespaces are forbidden here (as in most containers) or the data belongs to
 *   another user: as that user, or nobody.
 * @typedef {{ kind: 'self' } | { kind: 'namespace' } | { kind: 'other', uid: number, gid: number }} Identity
 */

const NOBODY = 65_534;

/**
 * Finds out as whom PostgreSQL can run here.
 * @param {string} postgres path of a binary to try it with
 * @param {string} directory the data directory, existing or not
 * @returns {Identity}
 */
export function findIdentity(postgres, directory) {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  const owner = statSync(directory, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { kind: 'other', uid: owner.uid, gid: owner.gid };
  const [program = '', ...args] = commandLine({ kind: 'namespace' }, [postgres, '--version']);
  if (spawnSync(program, args, { stdio: 'ignore' }).status === 0) return { kind: 'namespace' };
  return { kind: 'other', uid: NOBODY, gid: NOBODY };
}

/**
 * The command that runs PostgreSQL as this identity.
 * @param {Identity} identity
 * @param {readonly string[]} command
 * @param {{ dieWithParent?: boolean }} [options] `dieWithParent`: the kernel interrupts it (a fast, clean shutdown) when
 *   we die, even by SIGKILL. Last in the chain, as a change of user clears it. Linux only.
 * @returns {string[]}
 */
export function commandLine(identity, command, { dieWithParent = false } = {}) {
  const dies = dieWithParent ? ['--pdeathsig', 'INT'] : [];
  switch (identity.kind) {
    case 'self':
      return dieWithParent ? ['setpriv', ...dies, ...command] : [...command];
    case 'namespace':
      return [
        'unshare',
        '--user',
        `--map-user=${NOBODY}`,
        `--map-group=${NOBODY}`,
        ...(dieWithParent ? ['setpriv', ...dies] : []),
        ...command,
      ];
    case 'other':
      return ['setpriv', `--reuid=${identity.uid}`, `--regid=${identity.gid}`, '--clear-groups', ...dies, ...command];
    default:
      throw new Error(`No such identity: ${JSON.stringify(identity)}`);
  }
}

/** Whether this machine has a `setpriv` that can tie a child's life to ours (util-linux has, BusyBox has not). */
export function canDieWithParent() {
  return (
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'INT', 'true'], { stdio: 'ignore' }).status === 0
  );
}

/**
 * The binaries where this identity can run them: in place, or a copy in the temp directory.
 * @param {Identity} identity
 * @param {string} folder the `native` folder
 */
export function reachableBinaries(identity, folder) {
  if (identity.kind !== 'other') return folder;
  if (runs(identity, [path.join(folder, 'bin', 'postgres'), '--version'])) return folder;
  const copy = copyForEveryone(folder);
  if (runs(identity, [path.join(copy, 'bin', 'postgres'), '--version'])) return copy;
  throw new PlainError(
    'PostgreSQL refuses to run as root, and no other user can be used here: start as an ordinary user, or set DATABASE_URL.',
  );
}

/**
 * Whether this identity can write into a folder.
 * @param {Identity} identity
 * @param {string} folder
 */
export function canWrite(identity, folder) {
  return runs(identity, ['test', '-w', folder]) && runs(identity, ['test', '-x', folder]);
}

/**
 * Makes a folder that only this identity may enter.
 * @param {Identity} identity
 * @param {string} folder
 */
export function makeOwnFolder(identity, folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (identity.kind === 'other') giveAway(identity, folder);
}

/**
 * Hands a folder and what is in it to this identity.
 * @param {{ uid: number, gid: number }} owner
 * @param {string} folder
 */
function giveAway({ uid, gid }, folder) {
  for (const name of readdirSync(folder, { recursive: true })) lchownSync(path.join(folder, String(name)), uid, gid);
  chownSync(folder, uid, gid);
}

/**
 * @param {Identity} identity
 * @param {readonly string[]} command
 */
function runs(identity, command) {
  const [program = '', ...args] = commandLine(identity, command);
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
