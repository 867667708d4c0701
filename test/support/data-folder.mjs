// @ts-check
import { accessSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isAlive } from '../../scripts/setup/directory-lock.mjs';

const FOLDER = 'living-mirror-test-';
/** Linux's file system in memory; containers often make it tiny. */
const MEMORY = '/dev/shm';
/** A whole test run keeps some 500 MB of data at its fullest. */
const ROOM_BYTES = 2 * 1024 ** 3;

/** Whether data in memory leaves plenty of it to everybody else. */
export const inMemory = hasRoomInMemory();

/**
 * A new folder for a PostgreSQL of a test: in memory where there is room, since each database is 1,800 files, and a
 * file system on disk takes ten times as long to make them.
 * @param {string} [name] what its name ends with
 * @returns {string}
 */
export function makeDataFolder(name = '') {
  return mkdtempSync(path.join(inMemory ? MEMORY : os.tmpdir(), `${FOLDER}${process.pid}-${name}`));
}

/** Removes the folders of runs that were killed; their servers died with them. */
export function removeLeftovers() {
  for (const parent of inMemory ? [MEMORY, os.tmpdir()] : [os.tmpdir()]) {
    for (const name of readdirSync(parent)) {
      if (!name.startsWith(FOLDER)) continue;
      const pid = Number.parseInt(name.slice(FOLDER.length), 10);
      if (!Number.isInteger(pid) || isAlive(pid)) continue;
      try {
        rmSync(path.join(parent, name), { recursive: true, force: true });
      } catch {
        // another user's: theirs to remove
      }
    }
  }
}

function hasRoomInMemory() {
  if (process.platform !== 'linux') return false;
  try {
    accessSync(MEMORY, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM_BYTES && process.availableMemory() > 2 * ROOM_BYTES;
  } catch {
    return false; // no such thing here
  }
}
