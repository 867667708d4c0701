import { type DynamicModule, Module } from '@nestjs/common';
import { ApiModule } from './api/api.module.js';
import type { Environment } from './config/read-settings.js';
import { SettingsModule } from './config/settings.module.js';
import { IngestModule } from './ingest/ingest.module.js';
import { ReaderModule } from './storage/reader.module.js';
import { StorageModule } from './storage/storage.module.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';
import { AmqpModule } from './transports/amqp/amqp.module.js';

/** The parts that run. */
@Module({})
export class AppModule {
  /**
   * Settings come from the process's environment and `.env`, or only from `given`.
   * @throws BadSettings
   */
  static async from(given?: Environment): Promise<DynamicModule> {
    return {
      module: AppModule,
      imports: [
        await SettingsModule.read(given),
        TelemetryModule,
        StorageModule,
        ReaderModule,
        IngestModule,
        AmqpModule,
        ApiModule,
      ],
    };
  }
}
