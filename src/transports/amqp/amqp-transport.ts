import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { ConnectionBoard } from '../../ingest/connection-board.js';
import type { Ingestor } from '../../ingest/ingestor.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { AmqpConsumer, type AmqpSettings, type AmqpTiming, usualTiming } from './amqp-consumer.js';
import { AttemptBudget } from './attempt-budget.js';

/**
 * All connections to the platform. They open as soon as the application is up, whether the database answers or not: ingest
 * holds what comes until it does. They end before anything else does, in the one order that loses and doubles nothing.
 */
export class AmqpTransport implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly consumers: readonly AmqpConsumer[];

  constructor(
    settings: AmqpSettings,
    private readonly ingestor: Ingestor,
    private readonly board: ConnectionBoard,
    metrics: Metrics | null = null,
    timing: AmqpTiming = usualTiming,
    budget = new AttemptBudget(),
  ) {
    this.consumers = Array.from(
      { length: settings.amqpConnections },
      (_, index) => new AmqpConsumer(settings, index + 1, ingestor, budget, timing, metrics),
    );
  }

  onApplicationBootstrap(): void {
    for (const consumer of this.consumers) {
      this.board.add(() => consumer.status());
      consumer.start();
    }
  }

  /**
   * Takes nothing new, has ingest finish what is in hand, sends the answers, closes. Messages that were on their way stay
   * unanswered; the platform sends them again.
   */
  async beforeApplicationShutdown(): Promise<void> {
    for (const consumer of this.consumers) consumer.stopTaking();
    await this.ingestor.stop();
    await Promise.all(this.consumers.map((consumer) => consumer.close()));
  }
}
