import { Module } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { ConnectionBoard } from '../../ingest/connection-board.js';
import { IngestModule } from '../../ingest/ingest.module.js';
import { Ingestor } from '../../ingest/ingestor.js';
import { Metrics } from '../../telemetry/metrics.js';
import { AmqpTransport } from './amqp-transport.js';

/** AMQP 1.0, from the platform or from any broker. */
@Module({
  imports: [IngestModule],
  providers: [
    {
      provide: AmqpTransport,
      inject: [Settings, Ingestor, ConnectionBoard, Metrics],
      useFactory: (settings: Settings, ingestor: Ingestor, board: ConnectionBoard, metrics: Metrics) =>
        new AmqpTransport(settings, ingestor, board, metrics),
    },
  ],
})
export class AmqpModule {}
