import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { SinkUnavailable } from '../domain/event-sink.js';
import { MigrationReader, problemOf } from './migration.reader.js';
import { QuestionTooLarge } from './snapshots.js';

/** The database is there and is not one that this version may use. */
export class SchemaNotReady extends Error {
  override readonly name = 'SchemaNotReady';
}

const ASK_AGAIN_MS = 2_000;

/** Keeps the service from running on a database that is not migrated. A database that is away gets its time. */
@Injectable()
export class MigrationGate implements OnModuleDestroy {
  private readonly logger = new Logger(MigrationGate.name);
  private timer: NodeJS.Timeout | undefined;
  private passed = false;
  private told = '';

  constructor(private readonly migrations: MigrationReader) {}

  /**
   * Asks once. A database that does not answer is no obstacle.
   * @throws SchemaNotReady
   */
  async pass(): Promise<void> {
    try {
      const problem = problemOf(await this.migrations.state());
      if (problem !== null) throw new SchemaNotReady(problem);
      this.passed = true;
    } catch (error) {
      if (!(error instanceof SinkUnavailable || error instanceof QuestionTooLarge)) throw error;
      if (error.message !== this.told) {
        this.logger.warn('Database does not answer: check DATABASE_URL; trying again until it does', {
          detail: error.message,
        });
      }
      this.told = error.message;
    }
  }

  /** Goes on asking until the database has answered. */
  watch(refuse: (problem: unknown) => void): void {
    if (this.passed) return;
    this.timer = setTimeout(() => {
      this.pass().then(() => this.watch(refuse), refuse);
    }, ASK_AGAIN_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    this.passed = true;
    clearTimeout(this.timer);
  }
}
