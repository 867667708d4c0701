import { Module } from '@nestjs/common';
import { IngestModule } from '../ingest/ingest.module.js';
import { ReaderModule } from '../storage/reader.module.js';
import { BindingsController } from './bindings.controller.js';
import { DevicesController } from './devices.controller.js';
import { HealthController } from './health.controller.js';
import { HistoryController } from './history.controller.js';
import { IngestController } from './ingest.controller.js';
import { SetAsideController } from './set-aside.controller.js';

/** REST. IngestStatus and Replay, which it knows from the domain, are provided by ingest. */
@Module({
  imports: [ReaderModule, IngestModule],
  controllers: [
    DevicesController,
    HistoryController,
    BindingsController,
    IngestController,
    SetAsideController,
    HealthController,
  ],
})
export class ApiModule {}
