import type { DeviceKey } from './device-key.js';

/** Which set-aside messages are meant: those of which all of this is true. What is undefined (or a null time) does not matter. */
export interface SetAsideFilter {
  readonly reason?: string | undefined;
  /** The kind that the message seems to be of, such as `property-post`. */
  readonly kind?: string | undefined;
  readonly productKey?: string | undefined;
  readonly device?: DeviceKey | undefined;
  readonly topic?: string | undefined;
  readonly topicPrefix?: string | undefined;
  /** Received from this time on, and before that one. */
  readonly from: Date | null;
  readonly to: Date | null;
  /** Whether a replay has made events of it. */
  readonly replayed?: boolean | undefined;
  /** The version of the service that refused it, or one that did not. */
  readonly refusedBy?: string | undefined;
  readonly notRefusedBy?: string | undefined;
}

/** All of them. */
export const EVERY_SET_ASIDE: SetAsideFilter = { from: null, to: null };
