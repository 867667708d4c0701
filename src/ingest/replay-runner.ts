import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { DecodeOptions } from '../decoding/decode-message.js';
import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import { MessageCondemned, SinkUnavailable } from '../domain/event-sink.js';
import type { RawMessage } from '../domain/raw-message.js';
import { type ReplayCounts, Replays } from '../domain/replay.js';
import type { DecodeAgain, ReplayJobs } from '../domain/replay-jobs.js';
import type { SetAsideFilter } from '../domain/set-aside-filter.js';
import type { Metrics } from '../telemetry/metrics.js';
import { GrowingPause } from './pause.js';
import { decodeAgain } from './replayer.js';
import { setAsideForm } from './set-aside-form.js';

export interface ReplayRunnerOptions extends DecodeOptions {
  /** How often to look for what another replica left unfinished; 15 s when left out. */
  readonly lookEveryMs?: number;
  /** How many messages a step takes at most; 200 when left out. */
  readonly stepMessages?: number;
  /** How bytes become events; given by tests only. */
  readonly decode?: (id: MessageKey, raw: RawMessage) => Promise<DecodedMessage>;
}

/** How long stopping may take. */
const STOP_WITHIN_MS = 3_000;

/** What to do with a message that the store condemned, standing alone: keep it aside, or else leave it as it is. */
type Doubt = { readonly detail: string } | 'leave';

/**
 * Replays many messages step by step, for as long as there are any. How far a replay has come stands in the store, written
 * with the messages themselves: whoever crashes, any replica goes on from there.
 */
export class ReplayRunner extends Replays implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(ReplayRunner.name);
  private readonly pauses = new GrowingPause(500, 15_000);
  private readonly lookEveryMs: number;
  private readonly stepMessages: number;
  private readonly decode: (id: MessageKey, raw: RawMessage) => Promise<DecodedMessage>;

  private running: Promise<void> | null = null;
  private wanted = false;
  private stopped = false;
  private troubled = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly jobs: ReplayJobs,
    options: ReplayRunnerOptions,
    private readonly metrics: Metrics | null = null,
  ) {
    super();
    this.lookEveryMs = options.lookEveryMs ?? 15_000;
    this.stepMessages = options.stepMessages ?? 200;
    this.decode = options.decode ?? ((id, raw) => decodeAgain(id, raw, options));
  }

  override async start(filter: SetAsideFilter): Promise<string> {
    const id = await this.jobs.add(filter);
    this.wake();
    return id;
  }

  override cancel(id: string): Promise<boolean> {
    return this.jobs.cancel(id);
  }

  onApplicationBootstrap(): void {
    this.wake();
  }

  /** The step under way is finished, unless the store hangs: then it is rolled back some day, and another replica goes on. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    const enough = new Promise<void>((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref());
    await Promise.race([this.running, enough]);
  }

  /** Sees to it that somebody looks for work from now on. */
  private wake(): void {
    this.wanted = true;
    if (this.stopped || this.running !== null) return;
    clearTimeout(this.timer);
    this.running = this.run().then((pauseMs) => {
      this.running = null;
      if (this.stopped) return;
      this.timer = setTimeout(() => this.wake(), this.wanted ? 0 : pauseMs);
      this.timer.unref();
    });
  }

  /** @returns how long to wait before the next look, in milliseconds. */
  private async run(): Promise<number> {
    let limit = this.stepMessages;
    let doubt: Doubt | null = null;
    while (!this.stopped) {
      this.wanted = false;
      try {
        const step = await this.jobs.advance(this.decodeFor(doubt), limit);
        this.healed();
        if (step.state !== 'stepped') {
          if (this.wanted) continue;
          return this.lookEveryMs;
        }
        this.count(step.counts);
        if (step.finished) this.log.log({ msg: 'A replay of set-aside messages is done', replay: step.id });
        doubt = null;
        limit = Math.min(this.stepMessages, limit * 2);
      } catch (error) {
        if (!(error instanceof MessageCondemned)) return this.trouble(error);
        if (limit > 1) limit = Math.ceil(limit / 2);
        else doubt = doubt === null ? { detail: error.message } : 'leave';
      }
    }
    return this.lookEveryMs;
  }

  private decodeFor(doubt: Doubt | null): DecodeAgain {
    return async (id, raw) => {
      if (doubt === 'leave') return null;
      try {
        const message = await this.decode(id, raw);
        return doubt === null ? message : setAsideForm(message, doubt.detail);
      } catch (error) {
        this.log.error({
          msg: 'A set-aside message could not be replayed; this is a fault of ours',
          key: id,
          err: error,
        });
        return null;
      }
    };
  }

  private count({ stored, duplicate, stillRefused, failed }: ReplayCounts): void {
    this.metrics?.replayed.inc({ outcome: 'stored' }, stored);
    this.metrics?.replayed.inc({ outcome: 'duplicate' }, duplicate);
    this.metrics?.replayed.inc({ outcome: 'still-refused' }, stillRefused);
    this.metrics?.replayed.inc({ outcome: 'failed' }, failed);
  }

  private trouble(error: unknown): number {
    if (!(error instanceof SinkUnavailable)) {
      this.log.error({ msg: 'Replaying failed; this is a fault of ours, and it is tried again', err: error });
    } else if (!this.troubled) {
      this.log.warn({ msg: 'Replays wait until the store can be written to', reason: error.message });
    }
    this.troubled = true;
    return this.pauses.next();
  }

  private healed(): void {
    this.pauses.reset();
    if (this.troubled) this.log.log('Replays go on');
    this.troubled = false;
  }
}
