import { Module } from '@nestjs/common';
import { IngestModule } from '../ingest/ingest.module.js';
import { ReaderModule } from '../storage/reader.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { UserDevicesController } from './user-devices.controller.js';
import { AggregatesController } from './aggregates.controller.js';
import { AsOf } from './as-of.js';
import { BindingsController } from './bindings.controller.js';
import { ChartController } from './chart.controller.js';
import { DevicesController } from './devices.controller.js';
import { ErasuresController } from './erasures.controller.js';
import { EventsController } from './events.controller.js';
import { Exports } from './exports.js';
import { FleetReadingsController } from './fleet-readings.controller.js';
import { HealthController } from './health.controller.js';
import { HistoryController } from './history.controller.js';
import { IngestController } from './ingest.controller.js';
import { ReadingsController } from './readings.controller.js';
import { SetAsideReplaysController } from './set-aside-replays.controller.js';
import { SetAsideController } from './set-aside.controller.js';
import { StreamController } from './stream.controller.js';
import { ChangeFeed } from './stream/change-feed.js';
import { StorageController } from './storage.controller.js';

/** REST. IngestStatus, Replay and Replays, which it knows from the domain, are provided by ingest. */
@Module({
  imports: [ReaderModule, StorageModule, IngestModule],
  controllers: [
    DevicesController,
    HistoryController,
    ReadingsController,
    AggregatesController,
    ChartController,
    BindingsController,
    IngestController,
    SetAsideReplaysController,
    SetAsideController,
    StorageController,
    HealthController,
    ErasuresController,
    EventsController,
    UserDevicesController,
    StreamController,
    FleetReadingsController,
  ],
  providers: [AsOf, Exports, ChangeFeed],
})
export class ApiModule {}
