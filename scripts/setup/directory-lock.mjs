// @ts-check
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { PlainError, codeOf } from '../plain-error.mjs';

const HEARTBEAT_MS = 2_000;
/** A holder that has not touched its lock for so long is gone, even if its process number is in use again. */
const SILENT_MS = 30_000;
const RETRY_MS = 100;

/**
 * Does some work while holding a lock that other processes respect. The lock is a directory (made or not made, never
 * half) with its holder's process number in it; one left behind by a killed process is taken over.
 * @template T
 * @param {string} lock path of the directory
 * @param {() => Promise<T>} work
 * @param {{ onWait?: (pid: number | undefined) => void }} [options] `onWait` is called once if somebody else holds it
 * @returns {Promise<T>}
 */
export async function withLock(lock, work, { onWait } = {}) {
  await makeParent(lock);
  let told = false;
  while (!(await tryTake(lock))) {
    const holder = await readHolder(lock);
    if (holder === 'gone') continue;
    if (holder.stale) {
      await removeStale(lock, holder.text);
      continue;
    }
    if (!told) onWait?.(holder.pid);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    void utimes(lock, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { recursive: true, force: true });
  }
}

/** @param {string} lock */
async function makeParent(lock) {
  try {
    await mkdir(path.dirname(lock), { recursive: true });
  } catch (error) {
    throw new PlainError(`Cannot write to ${path.dirname(lock)} (${codeOf(error)}): check its owner and permissions.`, {
      cause: error,
    });
  }
}

/** @param {string} lock */
async function tryTake(lock) {
  try {
    await mkdir(lock);
    await writeFile(path.join(lock, 'pid'), `${process.pid} ${randomUUID()}`);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    await rm(lock, { recursive: true, force: true }).catch(() => {}); // made, but no room for the number
    const where = path.dirname(lock);
    throw new PlainError(`Cannot write to ${where} (${codeOf(error)}): check its owner, permissions and space.`, {
      cause: error,
    });
  }
}

/**
 * @param {string} lock
 * @returns {Promise<'gone' | { pid: number | undefined, text: string, stale: boolean }>}
 */
async function readHolder(lock) {
  try {
    const { mtimeMs } = await stat(lock);
    const text = await readFile(path.join(lock, 'pid'), 'utf8').catch(() => '');
    const pid = Number.parseInt(text, 10);
    const silent = Date.now() - mtimeMs > SILENT_MS;
    // Made but without a number yet: its holder is between two system calls, unless it has been so for long.
    if (!Number.isInteger(pid)) return { pid: undefined, text, stale: silent };
    return { pid, text, stale: silent || !isAlive(pid) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/**
 * Moves a dead holder's lock away. If another process was quicker and this is already its fresh lock, puts it back.
 * @param {string} lock
 * @param {string} judged the holder's text when it was found dead
 */
async function removeStale(lock, judged) {
  const aside = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const text = await readFile(path.join(aside, 'pid'), 'utf8').catch(() => '');
  if (text !== judged) {
    await rename(aside, lock).catch(() => {});
    return;
  }
  await rm(aside, { recursive: true, force: true });
}

/**
 * Whether a process of this number exists, ours or not.
 * @param {number} pid
 */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
