import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';

/** Metrics, for anyone. */
@Global()
@Module({ providers: [Metrics], exports: [Metrics] })
export class TelemetryModule {}
