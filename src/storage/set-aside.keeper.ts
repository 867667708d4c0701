import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { HourlyTask } from './hourly-task.js';
import { SetAsideRemover } from './set-aside.remover.js';

const DAY_MS = 86_400_000;

/** Removes set-aside messages older than RETENTION_SET_ASIDE_DAYS; without that setting all are kept. */
@Injectable()
export class SetAsideKeeper extends HourlyTask {
  constructor(
    private readonly remover: SetAsideRemover,
    @Inject(Settings) private readonly settings: { readonly retentionSetAsideDays?: number | undefined },
  ) {
    super('set-aside messages could not be looked after, trying again soon');
  }

  override async work(): Promise<void> {
    const days = this.settings.retentionSetAsideDays;
    if (days === undefined) return;
    const before = new Date(Date.now() - days * DAY_MS);
    const removed = await this.remover.expired(before, () => !this.stopped);
    if (removed > 0)
      this.log.log({ msg: 'removed set-aside messages older than what is kept', messages: removed, before });
  }
}
