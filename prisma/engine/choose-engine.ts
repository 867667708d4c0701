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

/** Where the Prisma CLI looks for its native engine; to be given in tests only. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** The package `@prisma/engines`, into which npm's install step puts the engine. */
  readonly enginesFolder: string;
  /** The commit of the engines that this Prisma version wants. */
  readonly commit: string;
}

/**
 * Points the Prisma CLI of this very process at the bridge, unless its native engine is there: in `@prisma/engines` or in
 * the download cache, from where the CLI takes it. Without either the CLI would try to download it for every command,
 * `validate` and `format` included, and fail offline.
 * @param bridge path of the bridge
 */
export function chooseSchemaEngine(bridge: string, surroundings = actualSurroundings()): void {
  const { environment, enginesFolder, commit } = surroundings;
  if (USERS_CHOICE.some((name) => environment[name])) return;
  const cache = join(cacheFolder(environment), 'master', commit);
  const platforms = existsSync(cache) ? readdirSync(cache).map((platform) => join(cache, platform)) : [];
  if ([enginesFolder, ...platforms].some(holdsSchemaEngine)) return;
  try {
    accessSync(bridge, constants.X_OK);
  } catch {
    chmodSync(bridge, 0o755); // Some archives and file systems lose the mode.
  }
  environment['PRISMA_SCHEMA_ENGINE_BINARY'] = bridge;
}

function actualSurroundings(): Surroundings {
  const prisma = createRequire(createRequire(import.meta.url).resolve('prisma/package.json'));
  const engines = createRequire(prisma.resolve('@prisma/engines'));
  const { enginesVersion } = engines('@prisma/engines-version') as { enginesVersion: string };
  return {
    environment: process.env,
    enginesFolder: dirname(dirname(prisma.resolve('@prisma/engines'))),
    commit: enginesVersion.slice(enginesVersion.lastIndexOf('.') + 1),
  };
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
