import type { Instant } from './read-columns.js';

/** A stretch of time in which the presence of a device was one and the same. */
export interface PresenceInterval {
  /** Null where nothing is known: before the first status message, and after the device was made anew. */
  readonly online: boolean | null;
  /** Null: since ever. */
  readonly from: Instant | null;
  /** Null while it lasts. */
  readonly until: Instant | null;
  /** The platform's offlineReasonCode of the status that began it. */
  readonly reason: number | null;
}
