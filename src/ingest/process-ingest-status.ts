import { type ConnectionStatus, IngestStatus, type ProcessCounts, type SpoolStatus } from '../domain/ingest-status.js';
import type { ConnectionBoard } from './connection-board.js';
import type { Ingestor } from './ingestor.js';

/** How long the platform keeps what nobody takes (protocol 4.2 and 4.3). */
const PLATFORM_KEEPS_MS = 86_400_000;

/** What this process knows of its own ingest, put together for the API. */
export class ProcessIngestStatus extends IngestStatus {
  constructor(
    private readonly ingestor: Ingestor,
    private readonly board: ConnectionBoard,
  ) {
    super();
  }

  counts(): ProcessCounts {
    return this.ingestor.counts();
  }

  addsUp(): boolean {
    return this.ingestor.ledger.addsUp;
  }

  connections(): readonly ConnectionStatus[] {
    return this.board.all();
  }

  lagMs(): number | null {
    return this.ingestor.lagMs();
  }

  bytesInHand(): number {
    return this.ingestor.bytesInHand();
  }

  spool(): SpoolStatus | null {
    return this.ingestor.spoolStatus();
  }

  /**
   * A day after the moment from which on messages stay at the platform: since no connection is up, since nothing in hand is
   * answered, or when the spool will be full.
   */
  platformDropsAt(): Date | null {
    const stays = [this.disconnectedSince(), this.unansweredSince()].filter((since) => since !== null);
    return stays.length === 0 ? null : new Date(Math.min(...stays) + PLATFORM_KEEPS_MS);
  }

  private disconnectedSince(): number | null {
    const connections = this.connections();
    if (connections.length === 0 || connections.some(({ state }) => state === 'connected')) return null;
    return Math.max(...connections.map(({ since }) => since.getTime()));
  }

  private unansweredSince(): number | null {
    const lagMs = this.lagMs();
    if (!this.ingestor.isHolding()) return null;
    const spool = this.spool();
    if (spool?.fullAt && spool.state !== 'full') return spool.fullAt.getTime();
    return lagMs === null ? null : Date.now() - lagMs;
  }
}
