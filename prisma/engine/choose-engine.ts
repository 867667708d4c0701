// Which schema engine the Prisma CLI runs: its own native one, or our bridge where that one is not to be had.

import { accessSync, chmodSync, constants, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Set by whoever has an engine of their own, or a mirror to fetch one from. The last but one is the first one's old name. */
const USERS_CHOICE = [
  'PRISMA_SCHEMA_ENGINE_BINARY',
  'PRISMA_MIGRATION_ENGINE_BINARY',
  'PRISMA_ENGINES_MIRROR',
  'PRISMA_BINARIES_MIRROR',
];

/**
 * Points the Prisma CLI of this very process at the bridge, unless it has its native engine already: next to
 * `@prisma/engines`, where npm's install step puts it, or in the download cache, from where the CLI takes it.
 * Without either the CLI would try to download it for every command, `validate` and `format` included, and fail offline.
 * @param bridge path of the bridge
 */
export function chooseSchemaEngine(bridge: string, environment: NodeJS.ProcessEnv = process.env): void {
  if (USERS_CHOICE.some((name) => environment[name])) return;
  if (nativeEngineFolders(environment).some(holdsSchemaEngine)) return;
  try {
    accessSync(bridge, constants.X_OK);
  } catch {
    chmodSync(bridge, 0o755); // Some archives and file systems lose the mode.
  }
  environment['PRISMA_SCHEMA_ENGINE_BINARY'] = bridge;
}

/** Where the native engine of this Prisma version lies if it is there: the package, and the cache's folder for each platform. */
function nativeEngineFolders(environment: NodeJS.ProcessEnv): string[] {
  const fromPrisma = createRequire(createRequire(import.meta.url).resolve('prisma/package.json'));
  const enginesEntry = fromPrisma.resolve('@prisma/engines');
  const { enginesVersion } = fromPrisma('@prisma/engines') as { enginesVersion: string };
  const commit = enginesVersion.slice(enginesVersion.lastIndexOf('.') + 1);
  const cache = join(cacheFolder(environment), 'master', commit);
  const platforms = existsSync(cache) ? readdirSync(cache).map((platform) => join(cache, platform)) : [];
  return [dirname(dirname(enginesEntry)), ...platforms];
}

/** The folder of `@prisma/fetch-engine`'s downloads. */
function cacheFolder(environment: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32' && environment['APPDATA']) return join(environment['APPDATA'], 'Prisma');
  if (environment['XDG_CACHE_HOME']) return join(environment['XDG_CACHE_HOME'], 'prisma');
  return join(homedir(), '.cache/prisma');
}

function holdsSchemaEngine(folder: string): boolean {
  return (
    existsSync(folder) &&
    readdirSync(folder).some((name) => /^schema-engine(-[\w.-]+)?$/.test(name) && !/sha256|\.gz|\.tmp/.test(name))
  );
}
