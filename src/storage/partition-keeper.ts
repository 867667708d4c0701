import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { HourlyTask } from './hourly-task.js';
import { Partitions } from './partitions.js';
import type { KeepSettings } from './retired-partitions.js';

/** Keeps partitions ahead of need and within retention. */
@Injectable()
export class PartitionKeeper extends HourlyTask {
  constructor(
    private readonly partitions: Partitions,
    @Inject(Settings) private readonly keep: KeepSettings,
  ) {
    super('partitions could not be looked after, trying again soon');
  }

  override async work(): Promise<void> {
    const now = new Date();
    await this.partitions.addAhead(now, this.keep);
    const dropped = await this.partitions.dropExpired(now, this.keep);
    if (dropped.length > 0) this.log.log({ msg: 'dropped partitions older than what is kept', partitions: dropped });
  }
}
