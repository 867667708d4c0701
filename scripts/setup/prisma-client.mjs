// @ts-check
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { PlainError } from '../plain-error.mjs';
import { fingerprint, isStamped, writeStamp } from './fingerprint.mjs';
import { working } from './progress.mjs';
import { lastLines, runTool } from './run-tool.mjs';

/** Where `prisma generate` puts the client (see the generator in prisma/schema.prisma); not in git. */
const OUTPUT = path.join('src', 'storage', 'generated');

/**
 * Whether the generated Prisma client belongs to today's schema and Prisma version.
 * @param {string} root the checkout
 */
export async function clientIsCurrent(root) {
  if (!(await hasSchema(root))) return true;
  return isStamped(path.join(root, OUTPUT, '.stamp'), await inputs(root));
}

/**
 * Generates the Prisma client.
 * @param {string} root the checkout
 */
export async function generateClient(root) {
  const before = await inputs(root);
  const cli = path.join(root, 'node_modules', 'prisma', 'build', 'index.js');
  await working('Generating the Prisma client', async () => {
    const { code, output } = await runTool(process.execPath, [cli, 'generate'], { cwd: root, env: quietPrisma() });
    if (code !== 0) throw new PlainError(`prisma generate failed:\n${lastLines(output)}`);
  });
  await writeStamp(path.join(root, OUTPUT, '.stamp'), before);
}

/** The environment for Prisma's command line when we run it: no advertisements, no looking for newer versions. */
export function quietPrisma() {
  return { ...process.env, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1', NO_COLOR: '1' };
}

/** @param {string} root */
async function inputs(root) {
  const { version } = JSON.parse(await readFile(path.join(root, 'node_modules', 'prisma', 'package.json'), 'utf8'));
  const schema = await fingerprint(root, ['prisma'], (file) => file.endsWith('.prisma'));
  return `${version} ${schema}`;
}

/** @param {string} root */
async function hasSchema(root) {
  return stat(path.join(root, 'prisma', 'schema.prisma')).then(
    () => true,
    () => false,
  );
}
