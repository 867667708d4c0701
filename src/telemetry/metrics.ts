import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Every number that the service tells Prometheus. Each process has its own; nothing here is shared. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  private readonly reporters: (() => void)[] = [];

  /** Outcomes are `received`, `stored`, `duplicate` and `set-aside`; the first is the sum of the others, the spool and what is in hand. */
  readonly messages = new Counter({
    name: 'living_mirror_messages_total',
    help: 'Messages by transport and by what became of them.',
    labelNames: ['transport', 'outcome'] as const,
    registers: [this.registry],
    collect: () => this.askReporters(),
  });

  /** What the store found out beside the outcome, as it committed it: shares of the counts above. */
  readonly shares = new Counter({
    name: 'living_mirror_message_shares_total',
    help: 'Messages that were late (history only), expired, redelivered, of an id used before (id-reused), or spooled.',
    labelNames: ['transport', 'share'] as const,
    registers: [this.registry],
  });

  readonly ledgerBroken = new Gauge({
    name: 'living_mirror_ledger_broken',
    help: '1 while what was received and what became of it differ, in this process or over all replicas.',
    labelNames: ['scope'] as const,
    registers: [this.registry],
  });

  readonly spoolMessages = new Gauge({
    name: 'living_mirror_spool_messages',
    help: 'Messages accepted and on the disk of this replica, not in the database yet.',
    registers: [this.registry],
    collect: () => this.askReporters(),
  });

  readonly spoolBytes = new Gauge({
    name: 'living_mirror_spool_bytes',
    help: 'Bytes of the files of the spool.',
    registers: [this.registry],
    collect: () => this.askReporters(),
  });

  readonly spoolDamagedBytes = new Counter({
    name: 'living_mirror_spool_damaged_bytes_total',
    help: 'Bytes of the spool that could not be read.',
    registers: [this.registry],
  });

  readonly setAside = new Counter({
    name: 'living_mirror_set_aside_total',
    help: 'Messages set aside, by the reason.',
    labelNames: ['transport', 'reason'] as const,
    registers: [this.registry],
  });

  /** Moves nothing in `messages`: a message that is replayed was received and counted once, when it was set aside. */
  readonly replayed = new Counter({
    name: 'living_mirror_set_aside_replayed_total',
    help: 'Set-aside messages replayed, by what became of them (stored, duplicate, still-refused, failed).',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });

  readonly setAsideRemoved = new Counter({
    name: 'living_mirror_set_aside_removed_total',
    help: 'Set-aside messages removed for good, by request or by retention.',
    labelNames: ['by'] as const,
    registers: [this.registry],
  });

  readonly batchMessages = new Histogram({
    name: 'living_mirror_batch_messages',
    help: 'Messages written in one transaction.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000],
    registers: [this.registry],
  });

  readonly receiveToCommit = new Histogram({
    name: 'living_mirror_receive_to_commit_seconds',
    help: 'From hearing a message to its commit.',
    labelNames: ['transport'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [this.registry],
  });

  readonly inHandMessages = new Gauge({
    name: 'living_mirror_in_hand_messages',
    help: 'Messages heard and not accepted yet.',
    registers: [this.registry],
    collect: () => this.askReporters(),
  });

  readonly inHandBytes = new Gauge({
    name: 'living_mirror_in_hand_bytes',
    help: 'Bytes of the messages in hand.',
    registers: [this.registry],
    collect: () => this.askReporters(),
  });

  /** 1 for the state that a connection is in, 0 for the others. */
  readonly connectionState = new Gauge({
    name: 'living_mirror_connection_state',
    help: '1 for the state that a connection to the platform is in (connecting, connected, waiting, stopped).',
    labelNames: ['transport', 'connection', 'state'] as const,
    registers: [this.registry],
  });

  readonly connectionAttempts = new Counter({
    name: 'living_mirror_connection_attempts_total',
    help: 'Attempts to connect to the platform, the first one included.',
    labelNames: ['transport', 'connection'] as const,
    registers: [this.registry],
  });

  readonly connectionsLost = new Counter({
    name: 'living_mirror_connections_lost_total',
    help: 'Connections and attempts that ended without being asked to.',
    labelNames: ['transport', 'connection'] as const,
    registers: [this.registry],
  });

  readonly linkRebuilds = new Counter({
    name: 'living_mirror_link_rebuilds_total',
    help: 'Links that seemed open and were given up, by the cause (half-open, credit-lost, held-back, silence).',
    labelNames: ['transport', 'connection', 'cause'] as const,
    registers: [this.registry],
  });

  readonly databaseUnavailableSeconds = new Counter({
    name: 'living_mirror_database_unavailable_seconds_total',
    help: 'Time in which messages had to wait for the database to come back.',
    registers: [this.registry],
  });

  readonly rollupLag = new Gauge({
    name: 'living_mirror_rollup_lag_seconds',
    help: 'How long ago the newest readings are that may be rolled up; an hour and a half is as it should be.',
    registers: [this.registry],
  });

  readonly rollupsFrom = new Gauge({
    name: 'living_mirror_rollups_from_seconds',
    help: 'The first day that is rolled up, as a Unix time: it goes back while the past is being rolled up.',
    registers: [this.registry],
  });

  readonly rollupMarkedDays = new Gauge({
    name: 'living_mirror_rollup_marked_days',
    help: 'Days of series that late readings touched and that are to be rolled up again; answered from the readings until then.',
    registers: [this.registry],
  });

  readonly httpRequests = new Histogram({
    name: 'living_mirror_http_request_seconds',
    help: 'REST requests by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [this.registry],
  });

  readonly streams = new Gauge({
    name: 'living_mirror_streams',
    help: 'Streams of changes that are being read.',
    registers: [this.registry],
    collect: () => this.askReporters(),
  });

  readonly streamHeldSeconds = new Gauge({
    name: 'living_mirror_stream_held_seconds',
    help: 'For how long streams have waited for a transaction that wrote changes and has not ended.',
    registers: [this.registry],
  });

  readonly streamBehindSeconds = new Gauge({
    name: 'living_mirror_stream_behind_seconds',
    help: 'How far the slowest reader of a stream is behind the newest change.',
    registers: [this.registry],
  });

  readonly streamEvents = new Counter({
    name: 'living_mirror_stream_events_total',
    help: 'Changes sent to readers of streams.',
    registers: [this.registry],
  });

  readonly streamsEnded = new Counter({
    name: 'living_mirror_streams_ended_total',
    help: 'Streams that ended, by the reason (client, caught-up, gap, stalled, stopped, fault).',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  });

  /** `report` is called before the numbers of messages are read, to add what it has counted since: once a read, not once a message. */
  reportsWhenRead(report: () => void): void {
    this.reporters.push(report);
  }

  private askReporters(): void {
    for (const report of this.reporters) report();
  }

  /** Adds memory, processor time, event loop lag and garbage collection. Once a process is enough. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }
}
