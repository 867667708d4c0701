import { type ConnectionStatus, IngestStatus, type ProcessCounts } from '../domain/ingest-status.js';
import type { ConnectionBoard } from './connection-board.js';
import type { Ingestor } from './ingestor.js';

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

  connections(): readonly ConnectionStatus[] {
    return this.board.all();
  }

  lagMs(): number | null {
    return this.ingestor.lagMs();
  }

  bytesInHand(): number {
    return this.ingestor.bytesInHand();
  }
}
