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

/** Promise 5 for one process: received = stored + duplicate + setAside + inHand, at every batch boundary. */
export interface ProcessCounts {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly setAside: number;
  readonly inHand: number;
}

/** What this process knows of its own ingest. The API asks; ingest and the transports answer. */
export abstract class IngestStatus {
  abstract counts(): ProcessCounts;
  abstract connections(): readonly ConnectionStatus[];
  /** How long the oldest message in hand has waited, in milliseconds; null when nothing is in hand. */
  abstract lagMs(): number | null;
  /** Bytes of the messages in hand. */
  abstract bytesInHand(): number;
}
