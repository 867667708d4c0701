// @ts-check
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../plain-error.mjs';

/**
 * A hash over the names and contents of files; folders count with everything in them, what does not exist is left out.
 * Contents and not times, because git sets times anew at every checkout.
 * @param {string} root names are taken relative to it
 * @param {readonly string[]} entries files and folders
 * @param {(file: string) => boolean} [include] files of folders that count
 */
export async function fingerprint(root, entries, include = () => true) {
  const files = (await Promise.all(entries.map((entry) => filesOf(path.join(root, entry))))).flat().filter(include);
  const contents = await Promise.all(files.map((file) => readFile(file)));
  const hash = createHash('sha256');
  files.forEach((file, index) => {
    hash.update(`${path.relative(root, file)}\n${contents[index]?.length}\n`);
    hash.update(contents[index] ?? '');
  });
  return hash.digest('hex');
}

/**
 * @param {string} entry
 * @returns {Promise<string[]>} sorted
 */
async function filesOf(entry) {
  try {
    if (!(await stat(entry)).isDirectory()) return [entry];
    const found = await readdir(entry, { recursive: true, withFileTypes: true });
    return found
      .filter((each) => each.isFile())
      .map((each) => path.join(each.parentPath, each.name))
      .sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Whether an output was made from inputs of this fingerprint. The stamp lies within the output, so that deleting the
 * one deletes the other.
 * @param {string} stamp
 * @param {string} expected
 */
export async function isStamped(stamp, expected) {
  return (await readFile(stamp, 'utf8').catch(() => '')) === expected;
}

/**
 * @param {string} stamp
 * @param {string} value
 */
export async function writeStamp(stamp, value) {
  await mkdir(path.dirname(stamp), { recursive: true });
  await writeFile(stamp, value);
}
