import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { Settings } from '../config/settings.js';
import { type Prisma, PrismaClient } from './generated/client.js';

/** What is open between BEGIN and COMMIT. */
export type Transaction = Prisma.TransactionClient;

/** The database answers or it does not: nobody waits longer for a connection. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A statement that takes longer hangs; it is cancelled, and the batch is tried again. */
const STATEMENT_TIMEOUT_MS = 20_000;
const TRANSACTION_TIMEOUT_MS = 60_000;
const CONNECTIONS = 10;

/** The one connection pool of this process. */
@Injectable()
export class PrismaService extends PrismaClient implements OnApplicationShutdown {
  constructor(@Inject(Settings) settings: { readonly databaseUrl: string }) {
    super({
      adapter: new PrismaPg(
        {
          connectionString: settings.databaseUrl,
          max: CONNECTIONS,
          connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
          statement_timeout: STATEMENT_TIMEOUT_MS,
          idle_in_transaction_session_timeout: TRANSACTION_TIMEOUT_MS,
          application_name: 'living-mirror',
          keepAlive: true,
        },
        // A connection that breaks while idle is replaced by the pool on its next use; without a listener it ends the process.
        { onPoolError: () => undefined, onConnectionError: () => undefined },
      ),
      transactionOptions: { maxWait: CONNECT_TIMEOUT_MS, timeout: TRANSACTION_TIMEOUT_MS },
    });
  }

  /** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
  async inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.$transaction(work);
  }

  /** Last of all: until then transports still have messages stored, and requests are still answered. */
  async onApplicationShutdown(): Promise<void> {
    await this.$disconnect();
  }
}
