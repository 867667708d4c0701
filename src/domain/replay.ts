import type { MessageKey } from './decoded-message.js';
import type { Refusal } from './raw-message.js';
import type { SetAsideFilter } from './set-aside-filter.js';

/** One row that a write made, changed or removed, named by what identifies it for people. */
export interface RowChange {
  readonly table: string;
  readonly change: 'insert' | 'update' | 'delete';
  readonly key: Readonly<Record<string, unknown>>;
}

/** What a write changed. */
export interface Changes {
  /** Rows inserted, changed or removed, by table. */
  readonly changes: Readonly<Record<string, number>>;
  /** The first of these rows. */
  readonly rows: readonly RowChange[];
  /** How many more there are than `rows` names. */
  readonly rowsLeftOut: number;
}

/** What a replay did, or would do. */
export interface ReplayResult extends Changes {
  readonly id: MessageKey;
  readonly dryRun: boolean;
  /** `replayed`: it is events now. `refused`: it still cannot be understood. */
  readonly result: 'replayed' | 'refused';
  readonly refusal: Refusal | null;
}

/** What became of messages that were replayed. */
export interface ReplayCounts {
  /** Events now. */
  readonly stored: number;
  /** Events before already, by another replay: nothing changed. */
  readonly duplicate: number;
  readonly stillRefused: number;
  /** Not tried to the end, by a fault of the service: as they were. */
  readonly failed: number;
}

/** Tries a message again that was set aside. */
export abstract class Replay {
  /** @returns null when no message of that id was set aside. */
  abstract replay(id: MessageKey, options: { readonly dryRun: boolean }): Promise<ReplayResult | null>;
}

/** Replays of many messages, in the background, by whichever replica has the time. */
export abstract class Replays {
  /**
   * Begins to replay all messages of a filter, the oldest first. Those that a replay made events of are left out unless the
   * filter asks for them. One replay at a time is under way over all replicas; the others wait.
   * @returns the id of the replay.
   * @throws SinkUnavailable while the store is away.
   */
  abstract start(filter: SetAsideFilter): Promise<string>;

  /**
   * Ends a replay where it is; what it has done stays. One that is over stays as it is.
   * @returns false when there is no such replay.
   * @throws SinkUnavailable while the store is away.
   */
  abstract cancel(id: string): Promise<boolean>;
}
