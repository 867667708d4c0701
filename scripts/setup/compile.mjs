// @ts-check
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { PlainError, codeOf } from '../plain-error.mjs';
import { fingerprint, isStamped, writeStamp } from './fingerprint.mjs';
import { working } from './progress.mjs';
import { lastLines, runTool } from './run-tool.mjs';

const STAMP = path.join('dist', '.stamp');

/**
 * Whether dist/ was built from today's sources.
 * @param {string} root the checkout
 */
export async function buildIsCurrent(root) {
  return isStamped(path.join(root, STAMP), await inputs(root));
}

/**
 * Compiles src/ to dist/ with `nest build`.
 * @param {string} root the checkout
 */
export async function compile(root) {
  const before = await inputs(root);
  await rm(path.join(root, STAMP), { force: true });
  await removeOrphans(root);
  const cli = path.join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  await working('Compiling', async () => {
    const { code, output } = await runTool(process.execPath, [cli, 'build'], { cwd: root });
    if (code !== 0) throw new PlainError(`The sources do not compile:\n${lastLines(output, 40)}`);
  });
  await writeStamp(path.join(root, STAMP), before);
}

/** @param {string} root */
function inputs(root) {
  return fingerprint(
    root,
    ['src', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
    (file) => !file.endsWith('.spec.ts') && path.basename(file) !== '.stamp',
  );
}

/**
 * The compiler never deletes: what remains of a renamed source would still be there to be imported. Nor does its record
 * of what is up to date notice that an output is missing.
 * @param {string} root
 */
async function removeOrphans(root) {
  const dist = path.join(root, 'dist');
  const compiled = (await namesIn(dist)).filter((name) => name.endsWith('.js')).map((name) => name.slice(0, -3));
  const sources = (await namesIn(path.join(root, 'src')))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts') && !name.endsWith('.d.ts'))
    .map((name) => name.slice(0, -3));
  const orphans = compiled
    .filter((name) => !sources.includes(name))
    .flatMap((name) => [`${name}.js`, `${name}.js.map`]);
  await Promise.all(orphans.map((name) => rm(path.join(dist, name), { force: true })));
  if (sources.some((name) => !compiled.includes(name))) await rm(path.join(dist, '.tsbuildinfo'), { force: true });
}

/**
 * @param {string} folder
 * @returns {Promise<string[]>} everything below, none if it does not exist
 */
async function namesIn(folder) {
  try {
    return await readdir(folder, { recursive: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
