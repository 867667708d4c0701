import { Module } from '@nestjs/common';
import { EventSink } from '../domain/event-sink.js';
import { ReplicaBoard, SpoolPositions } from '../domain/replica-board.js';
import { ReplayJobs } from '../domain/replay-jobs.js';
import { SetAsideStore } from '../domain/set-aside-store.js';
import { ChangeLogHours } from './change-log-hours.js';
import { ChangeLogKeeper } from './change-log.keeper.js';
import { DeviceEventWriter } from './device-event.writer.js';
import { ErasedFacts } from './erased-facts.js';
import { ErasureKeys } from './erasure-keys.js';
import { ErasureRunner } from './erasure-runner.js';
import { ErasureWriter } from './erasure.writer.js';
import { PartitionKeeper } from './partition-keeper.js';
import { Partitions } from './partitions.js';
import { PresenceCounter } from './presence-counter.js';
import { PrismaService } from './prisma.service.js';
import { ProcessRun } from './process-run.js';
import { ReplayJobWriter } from './replay-job.writer.js';
import { ReplicaBoardWriter } from './replica-board.writer.js';
import { RollupKeeper } from './rollup.keeper.js';
import { RollupProgress } from './rollup-progress.js';
import { Rollups } from './rollups.js';
import { SetAsideKeeper } from './set-aside.keeper.js';
import { SetAsideRemover } from './set-aside.remover.js';
import { SetAsideWriter } from './set-aside.writer.js';
import { SpoolPositionReader } from './spool-position.reader.js';
import { StorageKeeper } from './storage.keeper.js';

/** PostgreSQL through Prisma: one writer for events, readers for questions. */
@Module({
  providers: [
    PrismaService,
    ProcessRun,
    Partitions,
    PartitionKeeper,
    ChangeLogHours,
    ChangeLogKeeper,
    { provide: EventSink, useClass: DeviceEventWriter },
    { provide: SetAsideStore, useClass: SetAsideWriter },
    { provide: ReplayJobs, useClass: ReplayJobWriter },
    { provide: ReplicaBoard, useClass: ReplicaBoardWriter },
    { provide: SpoolPositions, useClass: SpoolPositionReader },
    SetAsideRemover,
    SetAsideKeeper,
    PresenceCounter,
    ErasureKeys,
    ErasedFacts,
    ErasureWriter,
    ErasureRunner,
    StorageKeeper,
    Rollups,
    RollupProgress,
    RollupKeeper,
  ],
  exports: [
    PrismaService,
    EventSink,
    SetAsideStore,
    ReplayJobs,
    ReplicaBoard,
    SpoolPositions,
    SetAsideRemover,
    ErasureRunner,
    RollupProgress,
  ],
})
export class StorageModule {}
