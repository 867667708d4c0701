import { Module } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { EventSink } from '../domain/event-sink.js';
import { IngestStatus } from '../domain/ingest-status.js';
import { ReplicaBoard, SpoolPositions } from '../domain/replica-board.js';
import { Replay, Replays } from '../domain/replay.js';
import { ReplayJobs } from '../domain/replay-jobs.js';
import { SetAsideStore } from '../domain/set-aside-store.js';
import { OpenSpool } from '../spool/open-spool.js';
import { SpoolModule } from '../spool/spool.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { Metrics } from '../telemetry/metrics.js';
import { ConnectionBoard } from './connection-board.js';
import { Heartbeat } from './heartbeat.js';
import { Ingestor } from './ingestor.js';
import { ProcessIngestStatus } from './process-ingest-status.js';
import { ReplayRunner } from './replay-runner.js';
import { Replayer } from './replayer.js';

/** One is written while the other is prepared. More only wait for each other in the database. */
const BATCHES_AT_ONCE = 2;

/** Takes deliveries, has them stored, accepts each one; and answers what the API asks of it. */
@Module({
  imports: [StorageModule, SpoolModule],
  providers: [
    ConnectionBoard,
    {
      provide: Ingestor,
      inject: [EventSink, Settings, Metrics, OpenSpool, SpoolPositions],
      useFactory: (
        sink: EventSink,
        settings: Settings,
        metrics: Metrics,
        { spool }: OpenSpool,
        positions: SpoolPositions,
      ) =>
        new Ingestor(
          sink,
          {
            bodyIdentity: settings.bodyIdentity,
            spoolAfterMs: settings.spoolAfterSeconds * 1000,
            batchesAtOnce: BATCHES_AT_ONCE,
          },
          metrics,
          spool && { spool, positions },
        ),
    },
    {
      provide: Heartbeat,
      inject: [Ingestor, ReplicaBoard, OpenSpool],
      useFactory: (ingestor: Ingestor, board: ReplicaBoard, { spool }: OpenSpool) =>
        new Heartbeat(ingestor, board, spool),
    },
    {
      provide: IngestStatus,
      inject: [Ingestor, ConnectionBoard],
      useFactory: (ingestor: Ingestor, board: ConnectionBoard) => new ProcessIngestStatus(ingestor, board),
    },
    {
      provide: Replay,
      inject: [SetAsideStore, Settings, Metrics],
      useFactory: (store: SetAsideStore, settings: Settings, metrics: Metrics) =>
        new Replayer(store, settings, metrics),
    },
    {
      provide: Replays,
      inject: [ReplayJobs, Settings, Metrics],
      useFactory: (jobs: ReplayJobs, settings: Settings, metrics: Metrics) => new ReplayRunner(jobs, settings, metrics),
    },
  ],
  exports: [ConnectionBoard, Ingestor, IngestStatus, Replay, Replays],
})
export class IngestModule {}
