import { Controller, Get, Header, HttpStatus, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { SinkUnavailable } from '../domain/event-sink.js';
import { IngestStatus } from '../domain/ingest-status.js';
import { MigrationReader, problemOf } from '../storage/migration.reader.js';
import { ReplicaReader } from '../storage/replica.reader.js';
import { QuestionTooLarge } from '../storage/snapshots.js';
import { Metrics } from '../telemetry/metrics.js';

/** An answer that takes longer counts as none. */
const ANSWER_WITHIN_MS = 1_000;

interface Check {
  readonly ok: boolean;
  readonly detail: string;
}

/** For whatever restarts, routes to, or measures this process. */
@ApiExcludeController()
@Controller()
export class HealthController {
  constructor(
    private readonly migrations: MigrationReader,
    private readonly ingest: IngestStatus,
    private readonly metrics: Metrics,
    private readonly replicas: ReplicaReader,
  ) {}

  /** The process runs. Nothing outside of it can change that. */
  @Get('health/live')
  live(): { readonly status: 'ok' } {
    return { status: 'ok' };
  }

  /**
   * Questions can be answered: the database is there and migrated. The platform being away changes no answer, and neither
   * do messages that wait in a spool: both are told and do not count.
   */
  @Get('health/ready')
  @Header('Cache-Control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const { database, migrations } = await this.databaseChecks();
    const ready = database.ok && migrations.ok;
    const [platform, spool] = [this.platformCheck(), await this.spoolCheck(ready)];
    void reply.status(ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { status: ready ? 'ready' : 'not-ready', checks: { database, migrations, platform, spool } };
  }

  @Get('metrics')
  async prometheus(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.header('Content-Type', this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }

  private async databaseChecks(): Promise<{ readonly database: Check; readonly migrations: Check }> {
    try {
      const problem = problemOf(
        await within(ANSWER_WITHIN_MS, this.migrations.state({ timeoutMs: ANSWER_WITHIN_MS, urgent: true })),
      );
      return {
        database: { ok: true, detail: 'answers' },
        migrations: { ok: problem === null, detail: problem ?? 'applied' },
      };
    } catch (error) {
      if (!(error instanceof SinkUnavailable || error instanceof QuestionTooLarge)) throw error;
      return { database: { ok: false, detail: 'does not answer' }, migrations: { ok: false, detail: 'not known' } };
    }
  }

  /** Names each replica whose spool holds what the database does not, also one that is gone. */
  private async spoolCheck(askDatabase: boolean): Promise<Check> {
    const own = this.ingest.spool()?.messages ?? 0;
    const known = askDatabase ? await this.spooledReplicas() : null;
    if (known !== null && known.length > 0) return { ok: false, detail: known.join('; ') };
    if (own > 0) return { ok: false, detail: `${own} messages are in the spool of this replica, not in the database` };
    return { ok: true, detail: known === null ? 'empty here; other replicas are not known' : 'empty' };
  }

  private async spooledReplicas(): Promise<string[] | null> {
    try {
      const replicas = await this.replicas.all({ timeoutMs: ANSWER_WITHIN_MS, urgent: true });
      return replicas
        .filter(({ spooled }) => spooled !== 0)
        .map(({ replica, state, spooled }) =>
          spooled === null
            ? `the spool of ${replica} may hold messages (it is gone without having told)`
            : `${spooled} messages are in the spool of ${replica} (${state})`,
        );
    } catch (error) {
      if (!(error instanceof SinkUnavailable || error instanceof QuestionTooLarge)) throw error;
      return null;
    }
  }

  private platformCheck(): Check {
    const connections = this.ingest.connections();
    const connected = connections.filter(({ state }) => state === 'connected').length;
    return { ok: connected > 0, detail: `${connected} of ${connections.length} connections are up` };
  }
}

async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SinkUnavailable('no answer in time')), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
