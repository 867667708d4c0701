import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SinkUnavailable } from '../domain/event-sink.js';
import { type ConnectionStatus, IngestStatus, type ProcessCounts, type SpoolStatus } from '../domain/ingest-status.js';
import { type LedgerCounts, type LedgerPeriod, LedgerReader } from '../storage/ledger.reader.js';
import { ReplicaReader, type ReplicaView } from '../storage/replica.reader.js';
import { QuestionTooLarge } from '../storage/snapshots.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import type { ListAnswer } from './list-answer.js';
import { IngestQuery, LedgerQuery, rangeOf } from './queries.js';
import { IngestSchema, LedgerList } from './schemas.js';

interface TransportView {
  readonly transport: string;
  readonly connections: number;
  readonly connected: number;
}

interface IngestView extends ProcessCounts {
  readonly addsUp: boolean;
  readonly lagMs: number | null;
  readonly bytesInHand: number;
  readonly platformDropsAt: Date | null;
  readonly spool: SpoolStatus | null;
  readonly transports: readonly TransportView[];
  readonly connections: readonly ConnectionStatus[];
  readonly replicas: readonly ReplicaView[] | null;
  readonly totals: LedgerCounts | null;
}

const ledgerCursors = new Cursors('ledger', 'time');

@ApiTags('ingest')
@Controller('v1/ingest')
export class IngestController {
  constructor(
    private readonly status: IngestStatus,
    private readonly ledger: LedgerReader,
    private readonly replicas: ReplicaReader,
  ) {}

  @Get()
  @Answers(
    'How messages are coming in: this process since its start, and `totals` over all replicas, since ever or in a stretch of time',
    IngestSchema,
    [400],
  )
  async now(@Query() { from, to }: IngestQuery): Promise<IngestView> {
    const range = rangeOf({ from, to, order: 'desc' });
    const [totals, replicas] = await Promise.all([
      known(from || to ? this.ledger.between(range) : this.ledger.totals(new Date())),
      known(this.replicas.all()),
    ]);
    const connections = this.status.connections();
    return {
      ...this.status.counts(),
      addsUp: this.status.addsUp(),
      lagMs: this.status.lagMs(),
      bytesInHand: this.status.bytesInHand(),
      platformDropsAt: this.status.platformDropsAt(),
      spool: this.status.spool(),
      transports: transportsOf(connections),
      connections,
      replicas,
      totals,
    };
  }

  @Get('ledger')
  @Answers(
    'What became of the messages received in each minute, hour or day, by transport and replica',
    LedgerList,
    [400],
  )
  async periods(@Query() query: LedgerQuery): Promise<ListAnswer<LedgerPeriod>> {
    const { by, transport, replica } = query;
    const range = rangeOf(query);
    const question = [by, transport, replica, range];
    const [after = null] = ledgerCursors.read(question, query.cursor) ?? [];
    const { items, next } = await this.ledger.periods(by, { transport, replica }, range, { limit: query.limit, after });
    return { items, next: ledgerCursors.write(question, next) };
  }
}

/** Null while the database is away: what this process knows is wanted most just then. */
async function known<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof SinkUnavailable || error instanceof QuestionTooLarge) return null;
    throw error;
  }
}

function transportsOf(connections: readonly ConnectionStatus[]): TransportView[] {
  return [...new Set(connections.map(({ transport }) => transport))].map((transport) => {
    const own = connections.filter((connection) => connection.transport === transport);
    return { transport, connections: own.length, connected: own.filter(({ state }) => state === 'connected').length };
  });
}
