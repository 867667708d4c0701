import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SinkUnavailable } from '../domain/event-sink.js';
import { type ConnectionStatus, IngestStatus, type ProcessCounts } from '../domain/ingest-status.js';
import { IngestCountReader, type IngestTotals } from '../storage/ingest-count.reader.js';
import { QuestionTooLarge } from '../storage/snapshots.js';
import { Answers } from './answers.js';
import { NoQuery } from './queries.js';
import { IngestSchema } from './schemas.js';

interface TransportView {
  readonly transport: string;
  readonly connections: number;
  readonly connected: number;
}

interface IngestView extends ProcessCounts {
  readonly lagMs: number | null;
  readonly bytesInHand: number;
  readonly transports: readonly TransportView[];
  readonly connections: readonly ConnectionStatus[];
  readonly totals: IngestTotals | null;
}

@ApiTags('ingest')
@Controller('v1/ingest')
export class IngestController {
  constructor(
    private readonly status: IngestStatus,
    private readonly counts: IngestCountReader,
  ) {}

  @Get()
  @Answers(
    'How messages are coming in: this process since its start, and `totals` over all replicas since ever',
    IngestSchema,
  )
  async now(@Query() _: NoQuery): Promise<IngestView> {
    const totals = await this.totals();
    const connections = this.status.connections();
    return {
      ...this.status.counts(),
      lagMs: this.status.lagMs(),
      bytesInHand: this.status.bytesInHand(),
      transports: transportsOf(connections),
      connections,
      totals,
    };
  }

  /** Null while the database is away: what this process knows is wanted most just then. */
  private async totals(): Promise<IngestTotals | null> {
    try {
      return await this.counts.totals(new Date());
    } catch (error) {
      if (error instanceof SinkUnavailable || error instanceof QuestionTooLarge) return null;
      throw error;
    }
  }
}

function transportsOf(connections: readonly ConnectionStatus[]): TransportView[] {
  return [...new Set(connections.map(({ transport }) => transport))].map((transport) => {
    const own = connections.filter((connection) => connection.transport === transport);
    return { transport, connections: own.length, connected: own.filter(({ state }) => state === 'connected').length };
  });
}
