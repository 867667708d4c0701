/**
 * Why a link that seemed open was given up and built anew:
 * - half-open: nothing was heard of the peer any more, not even an answer to a question;
 * - credit-lost: the peer has forgotten that messages may come;
 * - held-back: the peer says that messages wait and may come, and sends none;
 * - silence: nothing came for so long that a new link is the only way to know that nothing is wrong.
 */
export const REBUILD_CAUSES = ['half-open', 'credit-lost', 'held-back', 'silence'] as const;
export type RebuildCause = (typeof REBUILD_CAUSES)[number];

/** What a transport says about one of its connections. */
export interface ConnectionStatus {
  readonly transport: string;
  /** 1, 2, ... among the parallel connections of this process. */
  readonly connection: number;
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  /** Host and port, never credentials. */
  readonly peer: string;
  /** When the state last changed. */
  readonly since: Date;
  /** What ended the previous connection or attempt, in one line; null while all is well. */
  readonly lastError: string | null;
  /** Connection attempts since the process started. */
  readonly attempts: number;
  /** Credit granted and not used yet. */
  readonly credit: number;
  /** How often since the process started a link was given up that seemed open, and the last time of these. */
  readonly rebuilds: number;
  readonly lastRebuild: { readonly at: Date; readonly cause: RebuildCause } | null;
}

/** Promise 5 for one process: received = stored + duplicate + setAside + spooled + inHand, at every batch boundary. */
export interface ProcessCounts {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly setAside: number;
  /** Accepted and in the spool, without an outcome yet. */
  readonly spooled: number;
  readonly inHand: number;
}

/** What a process has on its own disk while the database is away. */
export interface SpoolStatus {
  readonly messages: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /**
   * - `empty`: nothing waits.
   * - `filling`: the database is away, and what comes goes here.
   * - `draining`: what waits goes into the database.
   * - `full`: nothing more fits (or the disk takes nothing): messages stay at the platform.
   */
  readonly state: 'empty' | 'filling' | 'draining' | 'full';
  /** How many messages a second went into the database lately; null while none did. */
  readonly drainPerSecond: number | null;
  /** Until it is empty, at that pace; null when that cannot be told. */
  readonly drainMs: number | null;
  /** When it will be full if it goes on filling as it does. */
  readonly fullAt: Date | null;
  /** Bytes that could not be read. */
  readonly damagedBytes: number;
  readonly lastError: string | null;
}

/** What this process knows of its own ingest. The API asks; ingest and the transports answer. */
export abstract class IngestStatus {
  abstract counts(): ProcessCounts;
  /** False while what was received and what became of it differ, here or over all replicas. */
  abstract addsUp(): boolean;
  /** Null when there is none. */
  abstract spool(): SpoolStatus | null;
  /** When the platform begins to drop messages if nothing changes; null while it has no reason to. */
  abstract platformDropsAt(): Date | null;
  abstract connections(): readonly ConnectionStatus[];
  /** How long the oldest message in hand has waited, in milliseconds; null when nothing is in hand. */
  abstract lagMs(): number | null;
  /** Bytes of the messages in hand. */
  abstract bytesInHand(): number;
}
