import { Module } from '@nestjs/common';
import { AggregateReader } from './aggregate.reader.js';
import { AsOfReader } from './as-of.reader.js';
import { BindingReader } from './binding.reader.js';
import { ChangeLogReader } from './change-log.reader.js';
import { ChartReader } from './chart.reader.js';
import { DeviceListReader } from './device-list.reader.js';
import { DeviceReader } from './device.reader.js';
import { ErasureReader } from './erasure.reader.js';
import { EventCountReader } from './event-count.reader.js';
import { EventReader } from './event.reader.js';
import { FleetReadingReader } from './fleet-reading.reader.js';
import { LedgerReader } from './ledger.reader.js';
import { MigrationGate } from './migration-gate.js';
import { MigrationReader, ShippedMigrations } from './migration.reader.js';
import { ReadingReader } from './reading.reader.js';
import { ReplayJobReader } from './replay-job.reader.js';
import { ReplicaReader } from './replica.reader.js';
import { ScopedDeviceReader } from './scoped-device.reader.js';
import { SetAsideReader } from './set-aside.reader.js';
import { Snapshots } from './snapshots.js';
import { StorageModule } from './storage.module.js';
import { UserScope } from './user-scope.js';
import { StorageReader } from './storage.reader.js';

const READERS = [
  DeviceReader,
  DeviceListReader,
  ReadingReader,
  AggregateReader,
  ChartReader,
  EventReader,
  BindingReader,
  SetAsideReader,
  ReplayJobReader,
  LedgerReader,
  ReplicaReader,
  ChangeLogReader,
  MigrationReader,
  AsOfReader,
  FleetReadingReader,
  ErasureReader,
  EventCountReader,
  UserScope,
  ScopedDeviceReader,
  StorageReader,
];

/** The questions that can be asked of the database. */
@Module({
  imports: [StorageModule],
  providers: [
    Snapshots,
    { provide: ShippedMigrations, useFactory: () => new ShippedMigrations() },
    ...READERS,
    MigrationGate,
  ],
  exports: [...READERS, MigrationGate],
})
export class ReaderModule {}
