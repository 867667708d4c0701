import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { Settings } from '../config/settings.js';
import { connectionPool } from './connection-pool.js';
import { type Prisma, PrismaClient } from './generated/client.js';
import { HURRIED, withPatience, type Patience } from './patience.js';

/** What is open between BEGIN and COMMIT. */
export type Transaction = Prisma.TransactionClient;

/** The database answers or it does not: nobody waits longer for a connection. */
const CONNECT_TIMEOUT_MS = 5_000;
const CONNECTIONS = 10;

/** What the pool needs of the settings. */
export interface DatabaseSettings {
  readonly databaseUrl: string;
  /** How long work may take that says nothing else; given by tests only. */
  readonly patience?: Patience;
}

/** The one connection pool of this process. */
@Injectable()
export class PrismaService extends PrismaClient implements OnApplicationShutdown {
  private readonly usual: Patience;

  constructor(@Inject(Settings) { databaseUrl, patience = HURRIED }: DatabaseSettings) {
    const pool = connectionPool({
      connectionString: databaseUrl,
      connections: CONNECTIONS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      patience,
    });
    super({
      adapter: new PrismaPg(pool, {
        disposeExternalPool: true,
        // A connection that breaks while idle is replaced by the pool on its next use; without a listener it ends the process.
        onPoolError: () => undefined,
        onConnectionError: () => undefined,
      }),
      transactionOptions: { maxWait: CONNECT_TIMEOUT_MS, timeout: patience.transactionMs },
    });
    this.usual = patience;
  }

  /** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
  async inTransaction<T>(work: (tx: Transaction) => Promise<T>, patience: Patience = this.usual): Promise<T> {
    return withPatience(patience, () =>
      this.$transaction(
        async (tx) => {
          if (patience !== this.usual) await beLike(tx, patience);
          return work(tx);
        },
        { timeout: patience.transactionMs },
      ),
    );
  }

  /** Last of all: until then transports still have messages stored, and requests are still answered. */
  async onApplicationShutdown(): Promise<void> {
    await this.$disconnect();
  }
}

async function beLike(tx: Transaction, { statementMs, lockMs, transactionMs }: Patience): Promise<void> {
  await tx.$queryRawUnsafe(
    `SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),
       set_config('idle_in_transaction_session_timeout', $3, true)`,
    String(statementMs),
    String(lockMs),
    String(transactionMs),
  );
}
