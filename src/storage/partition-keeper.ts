import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { describe } from './database-fault.js';
import { Partitions, type KeepDays } from './partitions.js';

const HOUR_MS = 3_600_000;
/** How soon to look again when the database did not answer, or somebody held a table that was to go. */
const RETRY_MS = 30_000;

/** Keeps partitions ahead of need and within retention: at the start, then every hour, on its own pace beside the ingest. */
@Injectable()
export class PartitionKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(PartitionKeeper.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly partitions: Partitions,
    @Inject(Settings) private readonly keep: KeepDays,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.keepOnce();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async keepOnce(): Promise<void> {
    let next = HOUR_MS;
    try {
      const now = new Date();
      await this.partitions.addAhead(now, this.keep);
      const dropped = await this.partitions.dropExpired(now, this.keep);
      if (dropped.length > 0) this.log.log({ msg: 'dropped partitions older than what is kept', partitions: dropped });
    } catch (error) {
      next = RETRY_MS;
      this.log.warn({ msg: 'partitions could not be looked after, trying again soon', reason: describe(error) });
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.keepOnce();
    }, next);
    this.timer.unref();
  }
}
