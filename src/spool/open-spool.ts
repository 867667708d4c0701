import type { Spool } from './spool.js';

/** The spool of this process; null when SPOOL_DIR is not set. */
export class OpenSpool {
  constructor(readonly spool: Spool | null) {}
}
