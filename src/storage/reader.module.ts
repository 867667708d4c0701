import { Module } from '@nestjs/common';
import { MigrationGate } from './migration-gate.js';
import { MigrationReader, ShippedMigrations } from './migration.reader.js';
import { Snapshots } from './snapshots.js';
import { StorageModule } from './storage.module.js';

/** The questions that can be asked of the database. */
@Module({
  imports: [StorageModule],
  providers: [
    Snapshots,
    { provide: ShippedMigrations, useFactory: () => new ShippedMigrations() },
    MigrationReader,
    MigrationGate,
  ],
  exports: [MigrationReader, MigrationGate],
})
export class ReaderModule {}
