// @ts-check
import { chownSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PlainError, codeOf } from '../plain-error.mjs';

/** How to reach the server of a data directory; also read by prisma.config.ts. @typedef {{ url: string, port: number, pid: number }} Address */

/**
 * @param {string} directory the data directory
 * @returns {(Address & { password: string }) | undefined} undefined if there is none, or none that can be used
 */
export function readAddress(directory) {
  try {
    const { url, port, pid } = JSON.parse(readFileSync(`${directory}.json`, 'utf8'));
    const { password } = new URL(url);
    return password === '' ? undefined : { url, port, pid, password };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ERR_INVALID_URL' || error instanceof SyntaxError)
      return undefined;
    throw new PlainError(`Cannot read ${directory}.json (${codeOf(error)}): check its owner and permissions.`, {
      cause: error,
    });
  }
}

/**
 * Written in one step, readable by its owner only: it holds the password.
 * @param {string} directory the data directory
 * @param {Address} address
 */
export function writeAddress(directory, { url, port, pid }) {
  const file = `${directory}.json`;
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify({ url, port, pid }, undefined, 2)}\n`, { mode: 0o600 });
    // Root leaves it to whoever the folder belongs to, or they could not start what is theirs any more.
    const { uid, gid } = statSync(path.dirname(file));
    if (process.getuid?.() === 0) chownSync(draft, uid, gid);
    renameSync(draft, file);
  } catch (error) {
    throw new PlainError(`Cannot write ${file} (${codeOf(error)}): check its owner, permissions and space.`, {
      cause: error,
    });
  }
}
