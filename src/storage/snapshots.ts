import { Injectable } from '@nestjs/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import { SinkUnavailable } from '../domain/event-sink.js';
import { Abandoned, currentAsker } from './asker.js';
import { cancellable } from './cancellable.js';
import { describe, sqlState } from './database-fault.js';
import { withPatience } from './patience.js';
import { PrismaService } from './prisma.service.js';
import { Turns } from './turns.js';

/** Asks one question of a snapshot. Parameters are `$1`, `$2`, … in the SQL. */
export type Query = <Row>(sql: string, ...parameters: readonly unknown[]) => Promise<Row[]>;

/** The question was too large to be answered in time; a narrower one may be answered. */
export class QuestionTooLarge extends Error {
  override readonly name = 'QuestionTooLarge';
}

/** No question may keep the database busy for longer, where whoever asks says nothing else. */
const TIMEOUT_MS = 10_000;

/** How many questions are asked at once; the other connections of the pool belong to the ingest. */
const AT_ONCE = 4;

/** Whoever would have to wait behind more than this many is told to come back later. */
const QUEUE = 200;

/** How a look differs from the usual. */
export interface LookOptions {
  /** Milliseconds that each query may take. */
  readonly timeoutMs?: number;
  /** Does not wait for its turn: for probes, which must tell the database's troubles from ours. */
  readonly urgent?: boolean;
}

/** Read-only looks at the database: all queries of one look see the same moment. */
@Injectable()
export class Snapshots {
  private readonly turns = new Turns(AT_ONCE, QUEUE);
  private readonly current = new AsyncLocalStorage<Query>();

  constructor(private readonly prisma: PrismaService) {}

  /**
   * A look within a look is a part of it: it sees the same moment.
   * @throws SinkUnavailable when the database cannot be reached, or too many are asking.
   * @throws QuestionTooLarge when it takes longer than `timeoutMs`.
   * @throws Abandoned when whoever asked went away: its query is cancelled, and its turn is another's.
   */
  async read<T>(work: (query: Query) => Promise<T>, options: LookOptions = {}): Promise<T> {
    const outer = this.current.getStore();
    if (outer) return work(outer);
    const asker = currentAsker();
    const { timeoutMs = asker?.timeoutMs ?? TIMEOUT_MS, urgent = false } = options;
    if (urgent) return this.look(work, timeoutMs, undefined);
    await this.turns.begin(asker?.origin ?? '', asker?.signal);
    try {
      return await this.look(work, timeoutMs, asker?.signal);
    } finally {
      this.turns.end();
    }
  }

  private async look<T>(
    work: (query: Query) => Promise<T>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    try {
      const patience = { statementMs: timeoutMs, transactionMs: timeoutMs * 2 };
      return await withPatience(patience, () =>
        this.prisma.$transaction(
          async (tx) => {
            // A partition that is empty is read in no time, and in no order: were it scanned, those beside it would be read whole to
            // be sorted, since nobody can guess how many readings one of a million series has.
            const [backend] = await tx.$queryRawUnsafe<{ pid: number }[]>(
              `SELECT pg_backend_pid() AS "pid", set_config('statement_timeout', $1, true),
                 set_config('transaction_read_only', 'on', true), set_config('jit', 'off', true),
                 set_config('enable_seqscan', 'off', true)`,
              String(timeoutMs),
            );
            const query = async <Row>(sql: string, ...parameters: readonly unknown[]): Promise<Row[]> => {
              if (signal?.aborted) throw new Abandoned();
              return tx.$queryRawUnsafe<Row[]>(sql, ...parameters);
            };
            return cancellable(
              signal,
              () => this.prisma.$queryRawUnsafe('SELECT pg_cancel_backend($1::int)', backend?.pid),
              () => this.current.run(query, () => work(query)),
            );
          },
          { isolationLevel: 'RepeatableRead', timeout: patience.transactionMs },
        ),
      );
    } catch (error) {
      throw signal?.aborted ? new Abandoned() : asReadError(error);
    }
  }
}

/** What went wrong, in words that the API understands; our own mistakes pass unchanged. */
function asReadError(error: unknown): unknown {
  const state = sqlState(error);
  if (state === '57014') return new QuestionTooLarge('the database took too long to answer', { cause: error });
  // 08 connection, 25 in recovery, 40 a standby in conflict, 53 no resources, 55 a table is locked for long, 57 shut down, 58 system error, 3D no such database, 28 refused login.
  if (state !== null) {
    return /^(08|25|28|3D|40|53|55|57|58)/.test(state) ? new SinkUnavailable(describe(error), { cause: error }) : error;
  }
  return isPrismaError(error) || isLostConnection(error)
    ? new SinkUnavailable(describe(error), { cause: error })
    : error;
}

/** Errors without a SQLSTATE that come from Prisma's client: connection refused, pool exhausted, transaction expired. */
function isPrismaError(error: unknown): boolean {
  return (
    error instanceof Error &&
    (/^P[12]\d{3}$/.test(codeOf(error)) ||
      (error.name.startsWith('PrismaClient') && error.name !== 'PrismaClientValidationError'))
  );
}

/** What pg and Node say of a connection that broke under a question, which Prisma's adapter passes on as it is. */
function isLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const words =
    /^(Connection terminated|Client has encountered a connection error|The database did not answer in time)/;
  return words.test(error.message) || 'syscall' in error;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
