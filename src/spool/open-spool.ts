import type { OnModuleInit } from '@nestjs/common';
import type { Spool } from './spool.js';

/** The spool of this process; null when SPOOL_DIR is not set. */
export class OpenSpool implements OnModuleInit {
  /** @param failure why there is none although one was asked for: then the service must not start. */
  constructor(
    readonly spool: Spool | null,
    private readonly failure: Error | null = null,
  ) {}

  /**
   * Asked before anything starts, so that the reason is told in one line: what fails while Nest puts the parts together is
   * told with a stack.
   * @throws SpoolInUse, SpoolUnusable
   */
  check(): void {
    if (this.failure !== null) throw this.failure;
  }

  onModuleInit(): void {
    this.check();
  }
}
