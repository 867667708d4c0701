import { Injectable } from '@nestjs/common';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LookOptions, Snapshots } from './snapshots.js';

/** The migrations that this version of the service was shipped with, oldest first. */
export class ShippedMigrations {
  constructor(readonly names: readonly string[] = shippedNames()) {}
}

/** How the database's schema stands to the one that the service was built for. */
export interface MigrationState {
  /** Shipped, and not applied. */
  readonly pending: readonly string[];
  /** Begun, and neither finished nor rolled back. */
  readonly failed: readonly string[];
  /** Tables that are not there although their migration is noted as applied. */
  readonly missingTables: readonly string[];
}

const TABLES = [
  'Device',
  'DeviceTag',
  'DeviceProperty',
  'PropertyReading',
  'ReadingChunk',
  'StorageMonth',
  'EventLog',
  'UserBinding',
  'SetAsideMessage',
  'SetAsideReplay',
  'SeenMessage',
  'IngestCount',
  'IngestReplica',
  'SpoolPosition',
  'ChangeLog',
  'ChangeLogState',
  'IngestBatch',
  'DeviceIdentity',
  'DeviceHistory',
  'PresenceHistory',
  'PresenceTouched',
  'PresenceChange',
  'PresenceCount',
  'PresenceDay',
  'ErasureKey',
  'ErasedIdentity',
  'ErasedUnbinding',
  'Erasure',
  'ReadingRollup',
  'RollupMark',
  'RollupState',
];

/** Asks whether the database is migrated. The service itself never migrates. */
@Injectable()
export class MigrationReader {
  constructor(
    private readonly snapshots: Snapshots,
    private readonly shipped: ShippedMigrations,
  ) {}

  /** @throws SinkUnavailable while the database does not answer. */
  async state(options?: LookOptions): Promise<MigrationState> {
    return this.snapshots.read(async (query) => {
      const missing = await query<{ name: string }>(
        `SELECT name FROM unnest($1::text::text[]) AS name WHERE to_regclass(format('%I', name)) IS NULL`,
        `{${[...TABLES, '_prisma_migrations'].join(',')}}`,
      );
      const missingTables = missing.map(({ name }) => name);
      const noted = missingTables.includes('_prisma_migrations')
        ? []
        : await query<{ name: string; finished: boolean; rolledBack: boolean }>(
            `SELECT migration_name AS name, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS "rolledBack"
               FROM _prisma_migrations`,
          );
      const applied = new Set(noted.filter((row) => row.finished && !row.rolledBack).map(({ name }) => name));
      return {
        pending: this.shipped.names.filter((name) => !applied.has(name)),
        failed: noted.filter((row) => !row.finished && !row.rolledBack).map(({ name }) => name),
        missingTables: missingTables.filter((name) => name !== '_prisma_migrations'),
      };
    }, options);
  }
}

/** What to tell people about a database that the service must not use, or null for one that it may. */
export function problemOf(state: MigrationState): string | null {
  if (state.failed.length > 0) {
    return `a migration failed half-way (${state.failed.join(', ')}): look at npx prisma migrate status`;
  }
  if (state.pending.length > 0)
    return `migrations are pending (${state.pending.join(', ')}): run npx prisma migrate deploy`;
  if (state.missingTables.length > 0) {
    return `tables are missing although their migration is noted as applied (${state.missingTables.join(', ')})`;
  }
  return null;
}

/** `prisma/migrations` is shipped beside `dist` (or, in development, beside `src`). */
function shippedNames(): readonly string[] {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const migrations = join(folder, 'prisma', 'migrations');
    if (existsSync(migrations)) {
      return readdirSync(migrations, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort();
    }
    if (folder === dirname(folder)) throw new Error('prisma/migrations is not beside the program: ship it with dist/');
  }
}
