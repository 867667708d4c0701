import type { DecodedMessage, MessageKey } from './decoded-message.js';
import type { RawMessage } from './raw-message.js';
import type { ReplayCounts } from './replay.js';
import type { SetAsideFilter } from './set-aside-filter.js';

/** What a message is by today's decoder; null when it could not be decoded, by a fault of ours. */
export type DecodeAgain = (id: MessageKey, raw: RawMessage) => Promise<DecodedMessage | null>;

/**
 * - `idle`: no replay has anything left to do.
 * - `busy`: another replica is at it.
 * - `stepped`: some messages were replayed. `finished` is true when they were the last of their replay.
 */
export type ReplayStep =
  | { readonly state: 'idle' | 'busy' }
  | {
      readonly state: 'stepped';
      readonly id: string;
      readonly counts: ReplayCounts;
      readonly finished: boolean;
    };

/** The replays of many messages: each is a row that says how far it has come, so that any replica can go on after a crash. */
export abstract class ReplayJobs {
  /** Notes that the messages of a filter are to be replayed; see Replays. @throws SinkUnavailable */
  abstract add(filter: SetAsideFilter): Promise<string>;

  /** See Replays. @throws SinkUnavailable */
  abstract cancel(id: string): Promise<boolean>;

  /**
   * Replays the next few messages of the oldest unfinished replay, in one transaction with the note of how far it has come:
   * nothing is done twice and nothing left out, whoever crashes. One step at a time over all replicas.
   * @param decode what to make of a message
   * @param limit how many messages at most
   * @throws SinkUnavailable when the store is away: nothing was done.
   * @throws MessageCondemned when a message of these can never be stored: nothing was done, look for it with smaller steps.
   */
  abstract advance(decode: DecodeAgain, limit: number): Promise<ReplayStep>;
}
