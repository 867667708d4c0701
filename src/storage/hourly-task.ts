import { PeriodicTask } from './periodic-task.js';

const HOUR_MS = 3_600_000;

/** Something to be done at the start, then every hour, on its own pace beside the ingest. */
export abstract class HourlyTask extends PeriodicTask {
  /** @param trouble what to say in the log when it fails; it is tried again soon. */
  constructor(trouble: string) {
    super(HOUR_MS, trouble);
  }
}
