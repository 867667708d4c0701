import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SinkUnavailable } from '../domain/event-sink.js';
import type { ReplicaBoard } from '../domain/replica-board.js';
import type { Spool } from '../spool/spool.js';
import type { Ingestor } from './ingestor.js';

const EVERY_MS = 5_000;

/** Tells the other replicas every few seconds what this one has in hand, and has the count of all of them added up. */
export class Heartbeat implements OnApplicationBootstrap {
  private readonly log = new Logger(Heartbeat.name);
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> = Promise.resolve();
  private busy = false;

  constructor(
    private readonly ingestor: Ingestor,
    private readonly board: ReplicaBoard,
    private readonly spool: Spool | null,
    private readonly everyMs = EVERY_MS,
  ) {}

  onApplicationBootstrap(): void {
    this.ingestor.beforeStopped(async () => {
      clearInterval(this.timer);
      await this.beating;
      await this.beat(true);
    });
    this.timer = setInterval(() => this.next(), this.everyMs);
    this.timer.unref();
    this.next();
  }

  /** One after the other: a database that is slow to answer is asked no second time meanwhile. */
  private next(): void {
    if (this.busy) return;
    this.busy = true;
    this.beating = this.beat(false).finally(() => (this.busy = false));
  }

  private async beat(stopped: boolean): Promise<void> {
    const { ingestor, spool } = this;
    try {
      const difference = await this.board.beat({
        inHand: ingestor.counts().inHand,
        spool: spool && { id: spool.id, messages: spool.messages, bytes: spool.state().bytes },
        stopped,
      });
      ingestor.ledger.checkedReplicas(difference);
    } catch (error) {
      // While the store is away it is said elsewhere.
      if (!(error instanceof SinkUnavailable)) this.log.error({ msg: 'The heartbeat failed', err: error });
    }
  }
}
