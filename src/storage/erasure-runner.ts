import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SinkUnavailable } from '../domain/event-sink.js';
import { ErasureWriter } from './erasure.writer.js';
import type { UserReference } from './user-windows.js';

/** How often to look for what another replica left unfinished, and whether spools are empty by now. */
const LOOK_EVERY_MS = 15_000;
/** How long stopping may take. */
const STOP_WITHIN_MS = 3_000;

/**
 * Erases users step by step, for as long as there is anything to do. How far it has come stands in the database, written with what
 * was done: whoever crashes, any replica goes on from there.
 */
@Injectable()
export class ErasureRunner implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(ErasureRunner.name);
  private running: Promise<void> | null = null;
  private wanted = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly erasures: ErasureWriter) {}

  /**
   * Begins to erase a user. From its return on nothing that was known until now can be written again.
   * @returns the id of the erasure.
   * @throws SinkUnavailable while the database is away.
   */
  async start(user: UserReference): Promise<string> {
    const id = await this.erasures.add(user);
    this.wake();
    return id;
  }

  onApplicationBootstrap(): void {
    this.wake();
  }

  /** The step under way is finished, unless the database hangs: then it is rolled back some day, and another replica goes on. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    const enough = new Promise<void>((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref());
    await Promise.race([this.running, enough]);
  }

  /** Sees to it that somebody looks for work from now on. */
  private wake(): void {
    this.wanted = true;
    if (this.stopped || this.running !== null) return;
    clearTimeout(this.timer);
    this.running = this.run().then(() => {
      this.running = null;
      if (this.stopped) return;
      this.timer = setTimeout(() => this.wake(), LOOK_EVERY_MS);
      this.timer.unref();
    });
  }

  private async run(): Promise<void> {
    while (this.wanted && !this.stopped) {
      this.wanted = false;
      try {
        while (!this.stopped && (await this.erasures.advance()) === 'stepped');
      } catch (error) {
        if (error instanceof SinkUnavailable) {
          this.log.debug({ msg: 'Erasing waits until the database can be written to', reason: error.message });
        } else {
          this.log.error({ msg: 'Erasing failed; this is a fault of ours, and it is tried again', err: error });
        }
      }
    }
  }
}
