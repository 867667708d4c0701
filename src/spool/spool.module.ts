import { Module } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { Metrics } from '../telemetry/metrics.js';
import { OpenSpool } from './open-spool.js';
import { Spool } from './spool.js';

/** Messages on this replica's own disk while the database is away, if SPOOL_DIR asks for it. */
@Module({
  providers: [
    {
      provide: OpenSpool,
      inject: [Settings, Metrics],
      useFactory: async ({ spoolDir, spoolMaxBytes }: Settings, metrics: Metrics) => {
        if (spoolDir === undefined) return new OpenSpool(null);
        try {
          return new OpenSpool(await Spool.open({ folder: spoolDir, maxBytes: spoolMaxBytes }, metrics));
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          return new OpenSpool(null, error);
        }
      },
    },
  ],
  exports: [OpenSpool],
})
export class SpoolModule {}
