import { Module } from '@nestjs/common';
import { EventSink } from '../domain/event-sink.js';
import { SetAsideStore } from '../domain/set-aside-store.js';
import { DeviceEventWriter } from './device-event.writer.js';
import { PartitionKeeper } from './partition-keeper.js';
import { Partitions } from './partitions.js';
import { PrismaService } from './prisma.service.js';
import { SetAsideWriter } from './set-aside.writer.js';

/** PostgreSQL through Prisma: one writer for events, readers for questions. */
@Module({
  providers: [
    PrismaService,
    Partitions,
    PartitionKeeper,
    { provide: EventSink, useClass: DeviceEventWriter },
    { provide: SetAsideStore, useClass: SetAsideWriter },
  ],
  exports: [PrismaService, EventSink, SetAsideStore],
})
export class StorageModule {}
