import { Logger } from '@nestjs/common';
import type { ConnectionStatus, RebuildCause } from '../../domain/ingest-status.js';
import type { Ingestor } from '../../ingest/ingestor.js';
import { GrowingPause } from '../../ingest/pause.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { AmqpLink } from './amqp-link.js';
import type { AttemptBudget } from './attempt-budget.js';
import { cleanClientId, signIn, type SignInSettings } from './credentials.js';
import { type Endpoint, endpointOf } from './endpoint.js';
import type { WatchTiming } from './link-watch.js';
import { explainLoss, type Loss } from './loss.js';
import { rawMessage } from './raw-message.js';

/** The settings of this transport, as in `config/settings.ts`. */
export interface AmqpSettings extends SignInSettings {
  readonly amqpUrl: string;
  readonly amqpAddress: string;
  readonly amqpCaFile?: string | undefined;
  readonly amqpConnections: number;
  readonly amqpCredit: number;
  readonly amqpSilenceMinutes: number;
}

/** How long things may take, in milliseconds. */
export interface AmqpTiming extends Omit<WatchTiming, 'silenceMs'> {
  readonly idleTimeOutMs: number;
  readonly openWithinMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** A link that held this long was fine: the next pause starts small again. */
  readonly stableAfterMs: number;
  readonly closeWithinMs: number;
}

export const usualTiming: AmqpTiming = {
  idleTimeOutMs: 60_000,
  openWithinMs: 20_000,
  firstPauseMs: 1_000,
  longestPauseMs: 30_000,
  stableAfterMs: 10_000,
  closeWithinMs: 1_000,
  askAfterMs: 30_000,
  answerWithinMs: 10_000,
  // Living sends its backlog every five minutes, and until then it does say that messages wait.
  heldBackMs: 6 * 60_000,
};

/** Connections that opened together must not all be rebuilt in one moment, for which nobody would receive. */
const SILENCE_SPREAD = 0.1;

/** Keeps one connection to the platform: signs anew for every attempt, and after every loss tries again. */
export class AmqpConsumer {
  private readonly log = new Logger(AmqpConsumer.name);
  private readonly endpoint: Endpoint;
  private readonly clientId: string;
  private readonly pauses: GrowingPause;
  private readonly labels: { readonly transport: string; readonly connection: string };
  private link: AmqpLink | null = null;
  private timer: NodeJS.Timeout | null = null;
  private stopping = false;
  private openedAt: number | null = null;
  /** Reason already logged since the link was last open. */
  private loggedReason: string | null = null;

  private state: ConnectionStatus['state'] = 'waiting';
  private since = new Date();
  private lastError: string | null = null;
  private attempts = 0;
  private rebuilds = 0;
  private lastRebuild: ConnectionStatus['lastRebuild'] = null;

  /**
   * @param number 1, 2, ... among the parallel connections of this process.
   * @throws Error when the URL is wrong.
   */
  constructor(
    private readonly settings: AmqpSettings,
    private readonly number: number,
    private readonly ingestor: Pick<Ingestor, 'take' | 'room' | 'ledger'>,
    private readonly budget: AttemptBudget,
    private readonly timing: AmqpTiming = usualTiming,
    private readonly metrics: Metrics | null = null,
  ) {
    this.endpoint = endpointOf(settings.amqpUrl);
    const suffix = settings.amqpConnections > 1 ? `-${number}` : '';
    this.clientId = cleanClientId(settings.amqpClientId ?? '', suffix);
    this.pauses = new GrowingPause(timing.firstPauseMs, timing.longestPauseMs);
    this.labels = { transport: 'amqp', connection: String(number) };
  }

  start(): void {
    this.attemptAfter(this.budget.book(performance.now()));
  }

  status(): ConnectionStatus {
    return {
      transport: 'amqp',
      connection: this.number,
      state: this.state,
      peer: this.endpoint.peer,
      since: this.since,
      lastError: this.lastError,
      attempts: this.attempts,
      credit: this.link?.credit ?? 0,
      rebuilds: this.rebuilds,
      lastRebuild: this.lastRebuild,
    };
  }

  /** Takes nothing new from now on; what is in hand can still be accepted. */
  stopTaking(): void {
    this.stopping = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.link?.stopTaking();
  }

  /** Sends the answers given so far and ends the connection. Call stopTaking() first and let ingest finish. */
  async close(): Promise<void> {
    this.stopTaking();
    await this.link?.close(this.timing.closeWithinMs);
    this.link = null;
    this.become('stopped');
  }

  private attemptAfter(waitMs: number): void {
    this.timer = setTimeout(() => this.attempt(), waitMs);
  }

  private attempt(): void {
    if (this.stopping) return;
    const { settings, timing } = this;
    this.attempts += 1;
    this.metrics?.connectionAttempts.inc(this.labels);
    this.become('connecting');
    const now = Date.now();
    try {
      this.link = new AmqpLink(
        {
          endpoint: this.endpoint,
          caFile: settings.amqpCaFile,
          mode: settings.amqpAuthMode,
          signIn: signIn({ ...settings, amqpClientId: this.clientId }, now, now),
          containerId: this.clientId,
          address: settings.amqpAddress,
          credit: settings.amqpCredit,
          idleTimeOutMs: timing.idleTimeOutMs,
          openWithinMs: timing.openWithinMs,
          watch: { ...timing, silenceMs: this.silenceMs() },
        },
        this.ingestor.room,
        {
          onOpen: () => this.opened(),
          onMessage: (transfer, accept) => {
            this.ingestor.ledger.received('amqp');
            const message = rawMessage(transfer, { encode: settings.amqpEncode, receivedAt: new Date() });
            this.ingestor.take({ message, accept });
          },
          onLost: (loss, rebuild) => (rebuild === null ? this.lost(loss) : this.rebuild(rebuild, loss)),
          onFault: (error) => {
            this.log.error({ msg: 'A message could not be taken and stays unanswered; a fault of ours', err: error });
          },
        },
      );
    } catch (error) {
      this.lost(explainLoss(error, 'connecting', settings.amqpAuthMode));
    }
  }

  private opened(): void {
    this.openedAt = performance.now();
    this.lastError = null;
    this.loggedReason = null;
    this.become('connected');
    this.log.log({ msg: 'Connected to the platform', peer: this.endpoint.peer, connection: this.number });
  }

  private lost({ reason, advice }: Loss): void {
    const wasOpen = this.openedAt !== null;
    if (this.openedAt !== null && performance.now() - this.openedAt >= this.timing.stableAfterMs) this.pauses.reset();
    this.openedAt = null;
    this.link = null;
    if (this.stopping) return;
    this.metrics?.connectionsLost.inc(this.labels);
    this.lastError = advice === null ? reason : `${reason}; ${advice}`;
    this.become('waiting');

    const pauseMs = this.pauses.next();
    const waitMs = pauseMs + this.budget.book(performance.now() + pauseMs);
    const line = {
      msg: wasOpen ? 'Lost the connection to the platform' : 'No connection to the platform',
      peer: this.endpoint.peer,
      connection: this.number,
      reason,
      ...(advice === null ? {} : { advice }),
      nextAttemptInMs: Math.round(waitMs),
    };
    if (reason === this.loggedReason) this.log.debug(line);
    else this.log.warn(line);
    this.loggedReason = reason;
    this.attemptAfter(waitMs);
  }

  /** At once, since the peer is no worse than a link that was open until now; a peer that is gone is found so by the attempt. */
  private rebuild(cause: RebuildCause, { reason }: Loss): void {
    this.openedAt = null;
    this.link = null;
    this.rebuilds += 1;
    this.lastRebuild = { at: new Date(), cause };
    this.metrics?.linkRebuilds.inc({ ...this.labels, cause });
    this.lastError = reason;
    this.pauses.reset();
    this.become('waiting');
    const waitMs = this.budget.book(performance.now());
    const line = {
      msg: 'Nothing came on the link to the platform; building it anew',
      peer: this.endpoint.peer,
      connection: this.number,
      cause,
      reason,
      nextAttemptInMs: Math.round(waitMs),
    };
    if (cause === 'silence') this.log.log(line);
    else this.log.warn(line);
    this.attemptAfter(waitMs);
  }

  private silenceMs(): number {
    return this.settings.amqpSilenceMinutes * 60_000 * (1 + SILENCE_SPREAD * (Math.random() - 0.5));
  }

  private become(state: ConnectionStatus['state']): void {
    if (state !== this.state) this.since = new Date();
    this.metrics?.connectionState.set({ ...this.labels, state: this.state }, 0);
    this.metrics?.connectionState.set({ ...this.labels, state }, 1);
    this.state = state;
  }
}
