import { Injectable } from '@nestjs/common';
import { instant, type Instant } from './read-columns.js';
import { type LookOptions, Snapshots } from './snapshots.js';

/** A process that takes messages, as it told last. */
export interface ReplicaView {
  readonly replica: string;
  readonly version: string;
  readonly startedAt: Instant;
  readonly heartbeatAt: Instant;
  /** `gone`: it has not told anything for a while, and did not say that it ends. */
  readonly state: 'running' | 'stopped' | 'gone';
  readonly inHand: number;
  /** Messages that it accepted and that are on its own disk, not in the database; null when it is gone without having told. */
  readonly spooled: number | null;
  readonly spoolBytes: number;
}

/** Three heartbeats. */
const GONE_AFTER = '15 seconds';

/** Answers who is at work. */
@Injectable()
export class ReplicaReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** Those heard of within the hour, and all whose spool is not empty, or may not be. */
  async all(options?: LookOptions): Promise<ReplicaView[]> {
    return this.snapshots.read(
      (query) =>
        query<ReplicaView>(
          `SELECT r."replica", r."version", ${instant('r."startedAt"')} AS "startedAt",
             ${instant('r."heartbeatAt"')} AS "heartbeatAt",
             s."state", r."inHand", r."spoolBytes"::float8 AS "spoolBytes",
             CASE WHEN s."state" = 'gone' AND r."spool" IS NOT NULL AND r."spooled" = 0 THEN NULL ELSE r."spooled"::float8 END AS "spooled"
           FROM "IngestReplica" r, LATERAL (SELECT CASE WHEN r."stopped" THEN 'stopped'
             WHEN r."heartbeatAt" < now() - INTERVAL '${GONE_AFTER}' THEN 'gone' ELSE 'running' END AS "state") s
           ORDER BY r."replica", r."startedAt" DESC`,
        ),
      options,
    );
  }
}
