import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { describe } from './database-fault.js';

/** How soon to try again when the database did not answer, or somebody held a table. */
const RETRY_MS = 30_000;

/** Something to be done at the start, then every so often, on its own pace beside the ingest. */
export abstract class PeriodicTask implements OnApplicationBootstrap, OnModuleDestroy {
  protected readonly log = new Logger(this.constructor.name);
  /** True once the service is on its way down: a long task ends early. */
  protected stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  /** @param trouble what to say in the log when it fails; it is tried again soon. */
  constructor(
    private readonly everyMs: number,
    private readonly trouble: string,
  ) {}

  /** Does it once. */
  abstract work(): Promise<void>;

  onApplicationBootstrap(): void {
    this.running = this.workOnce();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async workOnce(): Promise<void> {
    let next = this.everyMs;
    try {
      await this.work();
    } catch (error) {
      next = RETRY_MS;
      this.log.warn({ msg: this.trouble, reason: describe(error) });
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.workOnce();
    }, next);
    this.timer.unref();
  }
}
