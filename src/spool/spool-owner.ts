import { readFileSync, utimesSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Another process uses the folder. */
export class SpoolInUse extends Error {
  override readonly name = 'SpoolInUse';
}

/** How often an owner shows that it is alive, and when one on another machine counts as gone. */
const SHOWN_EVERY_MS = 5_000;
const GONE_AFTER_MS = 30_000;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process started, by the system's own clock ticks; null where that cannot be told. */
  readonly started: string | null;
}

/**
 * Makes this process the only user of a folder. On the same machine the system tells whether an earlier owner still runs;
 * one on another machine (or in another container) counts as gone when it has shown nothing for half a minute.
 * @returns a function that gives the folder up.
 * @throws SpoolInUse
 */
export async function ownFolder(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, 'owner.json');
  const other = await ownerIn(file);
  if (other !== null) {
    throw new SpoolInUse(
      `SPOOL_DIR ${folder} is used by process ${other.pid} on ${other.host}; each replica needs a folder of its own`,
    );
  }
  const self: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  await writeFile(file, JSON.stringify(self));
  const timer = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(file, now, now);
    } catch {
      // A folder that is gone is told by the next write to the spool.
    }
  }, SHOWN_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await rm(file, { force: true });
  };
}

async function ownerIn(file: string): Promise<Owner | null> {
  let owner: Owner;
  let shownAt: number;
  try {
    owner = JSON.parse(await readFile(file, 'utf8')) as Owner;
    shownAt = (await stat(file)).mtimeMs;
  } catch {
    return null; // none, or one that a crash cut off in the middle of writing it
  }
  if (owner.host === hostname()) {
    if (owner.pid === process.pid) return null; // a container: the process before had the same number
    return isRunning(owner) ? owner : null;
  }
  return Date.now() - shownAt < GONE_AFTER_MS ? owner : null;
}

function isRunning({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return started === null || startOf(pid) === started;
}

/** The 22nd field of the process's status; its second, the name, may hold anything, so counting begins behind it. */
function startOf(pid: number): string | null {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
