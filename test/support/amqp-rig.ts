import { Logger } from '@nestjs/common';
import type { ConnectionStatus } from '../../src/domain/ingest-status.js';
import { ConnectionBoard } from '../../src/ingest/connection-board.js';
import { Ingestor, type IngestorOptions } from '../../src/ingest/ingestor.js';
import type { AmqpSettings, AmqpTiming } from '../../src/transports/amqp/amqp-consumer.js';
import { AmqpTransport } from '../../src/transports/amqp/amqp-transport.js';
import { AttemptBudget } from '../../src/transports/amqp/attempt-budget.js';
import type { Metrics } from '../../src/telemetry/metrics.js';
import { MemorySink } from './memory-sink.js';

Logger.overrideLogger(false);

/** The transport and ingest of this process, on a store in memory. */
export interface AmqpRig {
  readonly transport: AmqpTransport;
  readonly ingestor: Ingestor;
  readonly sink: MemorySink;
  readonly connection: () => ConnectionStatus;
  readonly connections: () => readonly ConnectionStatus[];
  stop(): Promise<void>;
}

const quick: AmqpTiming = {
  idleTimeOutMs: 60_000,
  openWithinMs: 5_000,
  firstPauseMs: 1,
  longestPauseMs: 4,
  stableAfterMs: 10_000,
  closeWithinMs: 1_000,
  // The watch stays out of tests of other things.
  askAfterMs: 3_600_000,
  answerWithinMs: 3_600_000,
  heldBackMs: 3_600_000,
};

/** Starts consuming at once. Everything not given is a broker without passwords, one connection and quick pauses. */
export function startRig(given: {
  readonly settings: Partial<AmqpSettings> & { readonly amqpUrl: string };
  readonly timing?: Partial<AmqpTiming>;
  readonly ingest?: Partial<IngestorOptions>;
  readonly sink?: MemorySink;
  /** Stands in for one of the rig's own on `sink`. */
  readonly ingestor?: Ingestor;
  readonly metrics?: Metrics;
  /** Stands in for the Ingestor's own take(). */
  readonly take?: Ingestor['take'];
}): AmqpRig {
  const sink = given.sink ?? new MemorySink();
  const ingestor =
    given.ingestor ??
    new Ingestor(sink, { bodyIdentity: 'topic', firstPauseMs: 1, longestPauseMs: 2, ...given.ingest });
  if (given.take) ingestor.take = given.take;
  const board = new ConnectionBoard();
  const settings: AmqpSettings = {
    amqpAuthMode: 'plain',
    amqpUsername: 'user',
    amqpPassword: 'pass',
    amqpAddress: 'default',
    amqpConnections: 1,
    amqpCredit: 500,
    amqpSilenceMinutes: 0,
    amqpClientId: 'rig',
    ...given.settings,
  };
  const budget = new AttemptBudget(1_000_000, 0);
  const transport = new AmqpTransport(
    settings,
    ingestor,
    board,
    given.metrics ?? null,
    { ...quick, ...given.timing },
    budget,
  );
  transport.onApplicationBootstrap();
  return {
    transport,
    ingestor,
    sink,
    connections: () => board.all(),
    connection: () => {
      const [first] = board.all();
      if (first === undefined) throw new Error('no connection');
      return first;
    },
    stop: () => transport.beforeApplicationShutdown(),
  };
}

/** The settings of the simulator's demo accounts. */
export const livingSettings = {
  amqpAuthMode: 'appkey',
  amqpAppKey: '90001234',
  amqpAppSecret: 'demoAppSecret-7f3a',
} as const;
export const enterpriseSettings = {
  amqpAuthMode: 'aksign',
  amqpSignMethod: 'hmacsha256',
  amqpAccessKeyId: 'demoAccessKeyId01',
  amqpAccessKeySecret: 'demoAccessKeySecret-9c1d',
  amqpIotInstanceId: 'iot-demo0001',
  amqpConsumerGroupId: 'demoGroup000100',
} as const;

/** A property report as it goes over the wire; its id is its messageId too. */
export function aWireReport(id: string, body: Record<string, unknown> = {}): { topic: string; body: string } {
  const device = { productKey: 'a1TestLock1', deviceName: 'lock-1' };
  return {
    topic: `/${device.productKey}/${device.deviceName}/thing/event/property/post`,
    body: JSON.stringify({ ...device, items: { Serial: { value: id, time: 1_700_000_000_000 } }, ...body }),
  };
}
