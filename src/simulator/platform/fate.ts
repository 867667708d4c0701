/** What a client did with a delivery. Everything but `accepted` makes the platform send the message again. */
export type Answer = 'accepted' | 'released' | 'rejected' | 'modified' | 'unanswered' | 'timed-out' | 'lost';

/** What became of a message in a group. */
export interface Fate {
  readonly outcome: 'queued' | 'unsettled' | 'accepted' | 'expired' | 'overflowed' | 'cleared';
  /** How often it was sent. */
  readonly deliveries: number;
  /** The answers it got, oldest first. */
  readonly answers: readonly Answer[];
}
