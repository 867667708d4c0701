import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { ChangeLogHours } from './change-log-hours.js';
import { HourlyTask } from './hourly-task.js';

/** Keeps the hours of the change log ahead of need and within what is kept. */
@Injectable()
export class ChangeLogKeeper extends HourlyTask {
  constructor(
    private readonly hours: ChangeLogHours,
    @Inject(Settings) private readonly settings: Pick<Settings, 'streamKeepHours'>,
  ) {
    super('the hours of the change log could not be looked after, trying again soon');
  }

  override async work(): Promise<void> {
    const { streamKeepHours } = this.settings;
    await this.hours.addAhead();
    const dropped = await this.hours.drop(streamKeepHours);
    if (streamKeepHours === 0) await this.hours.break();
    if (dropped.length > 0) this.log.log({ msg: 'dropped hours of the change log', partitions: dropped });
  }
}
