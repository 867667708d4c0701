/** What a process that takes messages says of itself every few seconds. */
export interface ReplicaState {
  readonly inHand: number;
  /** Its spool, when it has one: messages accepted and not stored yet. */
  readonly spool: { readonly id: string; readonly messages: number; readonly bytes: number } | null;
  /** True the last time, when it ends as it should. */
  readonly stopped: boolean;
}

/** Where replicas tell each other what each has in hand. */
export abstract class ReplicaBoard {
  /**
   * Tells this process's state, and removes what processes left behind that are gone and held nothing.
   * @returns how much the count of all replicas is off: received less all outcomes; 0 when it adds up.
   * @throws SinkUnavailable while the store is away.
   */
  abstract beat(state: ReplicaState): Promise<number>;
}

/** Knows up to where a spool has been stored. */
export abstract class SpoolPositions {
  /**
   * @returns 0 for a spool of which nothing was stored yet.
   * @throws SinkUnavailable while the store is away.
   */
  abstract of(spool: string): Promise<number>;
}
