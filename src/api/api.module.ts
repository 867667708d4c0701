import { Module } from '@nestjs/common';
import { ReaderModule } from '../storage/reader.module.js';
import { HealthController } from './health.controller.js';

/** REST. */
@Module({ imports: [ReaderModule], controllers: [HealthController] })
export class ApiModule {}
