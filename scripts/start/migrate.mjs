// @ts-check
import path from 'node:path';
import { PlainError, codeOf, messageOf } from '../plain-error.mjs';
import { isMigrated, readMigrations } from '../postgres/migrations.mjs';
import { quietPrisma } from '../setup/prisma-client.mjs';
import { working } from '../setup/progress.mjs';
import { lastLines, runTool } from '../setup/run-tool.mjs';

/**
 * Brings a database up to date with `prisma migrate deploy`, unless it is already.
 * @param {{ root: string, url: string, database: string, signal: AbortSignal }} options `database`: how to call it
 */
export async function migrate({ root, url, database, signal }) {
  if (await isUpToDate(root, url, database)) return;
  const cli = path.join(root, 'node_modules', 'prisma', 'build', 'index.js');
  await working(`Applying migrations to ${database} (prisma migrate deploy)`, async () => {
    const env = { ...quietPrisma(), DATABASE_URL: url };
    const { code, output } = await runTool(process.execPath, [cli, 'migrate', 'deploy'], { cwd: root, env, signal });
    if (code !== 0) throw new PlainError(`prisma migrate deploy failed on ${database}:\n${lastLines(output, 25)}`);
  });
}

/**
 * @param {string} root
 * @param {string} url
 * @param {string} database
 */
async function isUpToDate(root, url, database) {
  try {
    return await isMigrated(url, readMigrations(root));
  } catch (error) {
    const code = codeOf(error);
    const reason = code === undefined ? messageOf(error) : `${code}, ${messageOf(error) || 'no connection'}`;
    throw new PlainError(
      `Cannot use the database ${database} (${reason}): check DATABASE_URL and that it is running.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * An address as it can be shown: without its password and parameters.
 * @param {string} url
 */
export function withoutPassword(url) {
  const shown = new URL(url);
  shown.password = '';
  shown.search = '';
  return shown.href;
}
