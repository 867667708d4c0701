// @ts-check
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../plain-error.mjs';
import { isAlive } from '../setup/directory-lock.mjs';

/** What a running server writes into its data directory. @typedef {{ pid: number, port: number, ready: boolean }} Postmaster */

/**
 * The server that holds this data directory, if one does. A file left behind by a crash counts as none.
 * @param {string} directory
 * @returns {Postmaster | undefined}
 */
export function readPostmaster(directory) {
  const text = readFile(path.join(directory, 'postmaster.pid'));
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  const port = Number.parseInt(lines[3] ?? '', 10);
  if (!Number.isInteger(pid) || pid <= 0 || !isServerOf(directory, pid)) return undefined;
  return { pid, port, ready: (lines[7] ?? '').trim() === 'ready' };
}

/**
 * Removes a lock whose process number belongs to somebody else by now (usual in containers, where numbers start at one
 * after each crash): PostgreSQL itself clears only locks of numbers that are free, and refuses to start for others.
 * @param {string} directory
 */
export function clearStaleLock(directory) {
  if (readPostmaster(directory) === undefined) rmSync(path.join(directory, 'postmaster.pid'), { force: true });
}

/**
 * Whether this process is a PostgreSQL of this data directory. PostgreSQL makes the data directory its working
 * directory, which Linux tells; elsewhere the command line must do.
 * @param {string} directory
 * @param {number} pid
 */
function isServerOf(directory, pid) {
  if (!isAlive(pid)) return false;
  if (process.platform === 'linux') {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory);
    } catch (error) {
      // Another user's process, or gone: where it works cannot be seen, what it was started with can.
      if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') return false;
      return (readFile(`/proc/${pid}/cmdline`) ?? '').split('\0').includes(directory);
    }
  }
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).includes('postgres');
  } catch {
    return false;
  }
}

/** @param {string} file */
function readFile(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
