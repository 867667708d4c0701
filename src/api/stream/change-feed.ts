import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { ChangeLogReader, type LogPlace, BEGINNING } from '../../storage/change-log.reader.js';
import { Metrics } from '../../telemetry/metrics.js';
import { type FramedStretch, Stretches } from './stretches.js';
import type { Selection } from './selection.js';
import { Watermark } from './watermark.js';

/** How often the log is looked at, while anybody listens. */
const POLL_MS = 200;
/** The database is away: no need to ask so often. */
const AWAY_MS = 1_000;
const HEARTBEAT_MS = 15_000;

/** Somebody who wants to know what changes. */
export interface Listener {
  /** There is more in the log than before. */
  moved(): void;
  /** It is time to say something, if there was nothing to say. */
  beat(comment: string): void;
  /** The service stops: say goodbye. Resolves when that is done. */
  stop(): Promise<void>;
  /** Up to where it has read. */
  readonly place: LogPlace;
}

/** Looks at the end of the log, once for all that listen in this process, and only while somebody does. */
@Injectable()
export class ChangeFeed implements OnModuleDestroy {
  private readonly logger = new Logger(ChangeFeed.name);
  private readonly listeners = new Set<Listener>();
  private readonly watermark = new Watermark();
  private readonly stretches: Stretches;
  private head: LogPlace = BEGINNING;
  /** `head` is the last place up to this number. */
  private settled = 0;
  private heldSince: number | null = null;
  private looking: Promise<void> | null = null;
  private wake: () => void = () => undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly reader: ChangeLogReader,
    private readonly metrics: Metrics,
  ) {
    this.stretches = new Stretches(reader);
    metrics.reportsWhenRead(() => {
      metrics.streams.set(this.listeners.size);
      metrics.streamHeldSeconds.set(this.heldMs() / 1000);
      metrics.streamBehindSeconds.set(this.behindSeconds());
    });
  }

  /** How many listen. */
  get size(): number {
    return this.listeners.size;
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  /** Everything committed before this number was taken is told once `isPast` says so and nothing is left to read. */
  async goal(): Promise<number> {
    return (await this.reader.head()).seq;
  }

  isPast(goal: number): boolean {
    return this.settled >= goal;
  }

  /** @param knownSeq everything up to there is known to be safe to read. */
  add(listener: Listener, knownSeq: number): void {
    this.listeners.add(listener);
    this.watermark.isSafe(knownSeq);
    this.heartbeat ??= setInterval(() => this.beat(), HEARTBEAT_MS);
    this.looking ??= this.look();
  }

  remove(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    clearInterval(this.heartbeat);
    this.heartbeat = undefined;
    this.wake();
  }

  hasMore({ seq, index }: LogPlace): boolean {
    return this.head.seq > seq || (this.head.seq === seq && this.head.index > index);
  }

  /** @throws LostPlace */
  async after(epoch: string, place: LogPlace): Promise<FramedStretch> {
    return this.stretches.after(epoch, place, this.head);
  }

  async select(stretch: FramedStretch, selection: Selection): Promise<string[]> {
    const frames = await this.stretches.select(stretch, selection);
    this.metrics.streamEvents.inc(frames.length);
    return frames;
  }

  /** Streams end before the HTTP server waits for its connections to end. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.listeners].map(async (listener) => listener.stop()));
    this.wake();
    await this.looking;
  }

  private async look(): Promise<void> {
    let away = false;
    while (this.listeners.size > 0 && !this.stopped) {
      try {
        await this.lookOnce();
        if (away) this.logger.log({ msg: 'streams go on' });
        away = false;
      } catch (error) {
        if (!away) this.logger.warn({ msg: 'streams wait for the database', err: error });
        away = true;
      }
      await this.pause(away ? AWAY_MS : POLL_MS);
    }
    this.looking = null;
    this.heldSince = null;
  }

  private async lookOnce(): Promise<void> {
    const before = this.watermark.safe;
    this.watermark.see(await this.reader.head());
    const { safe, isHeld } = this.watermark;
    if (!isHeld) this.heldSince = null;
    else if (this.heldSince === null || safe > before) this.heldSince = performance.now();
    if (safe > this.head.seq) {
      const last = await this.reader.last(this.head.seq, safe);
      if (last) this.head = last;
    }
    this.settled = safe;
    for (const listener of this.listeners) listener.moved();
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private beat(): void {
    const heldMs = this.heldMs();
    const comment = heldMs > 1_000 ? `waiting for a transaction of ${Math.round(heldMs / 1000)} s` : 'alive';
    for (const listener of this.listeners) listener.beat(comment);
  }

  /** For how long the same transaction has kept everything behind it from being told. */
  private heldMs(): number {
    return this.heldSince === null ? 0 : performance.now() - this.heldSince;
  }

  /** How far the slowest reader is behind the head. */
  private behindSeconds(): number {
    const marks = [...this.listeners].filter(({ place }) => this.hasMore(place)).map(({ place }) => place.mark);
    return marks.length === 0 ? 0 : Math.max(0, (this.head.mark - Math.min(...marks)) / 1e6);
  }
}
