import { setTimeout as pause } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { SinkUnavailable } from '../../domain/event-sink.js';
import { type LogPlace, LostPlace } from '../../storage/change-log.reader.js';
import { QuestionTooLarge } from '../../storage/snapshots.js';
import type { ChangeFeed, Listener } from './change-feed.js';
import type { StreamPosition } from './event-id.js';
import { gapFrame, progressFrame, retryFrame } from './frames.js';
import { lostPlaceProblem } from './lost-place.js';
import type { Selection } from './selection.js';

/** How soon a reader comes back after it was cut off. */
const RETRY_MS = 2_000;
/** Whoever takes nothing for so long is gone, or as good as: it can come back with its last id. */
const STALLED_MS = 5 * 60_000;
/** Frames are handed to the socket in pieces of about this size: that, and no more, waits for a slow reader. */
const PIECE = 32 * 1024;
const AWAY_MS = 1_000;
/** How long a reader may take for the last words when the service stops. */
const GOODBYE_MS = 500;

/** How a stream ended. */
export type StreamEnd = 'client' | 'caught-up' | 'gap' | 'stalled' | 'stopped' | 'fault';

export interface StreamOptions {
  readonly position: StreamPosition;
  readonly selection: Selection;
  /** The number up to which it goes on, or null: for ever. */
  readonly goal: number | null;
}

/**
 * One reader of changes. It reads the log at the pace of its socket: a slow one is further behind, not more in memory, and whoever
 * is overtaken by the end of what is kept is told so.
 */
export class ChangeStream implements Listener {
  private readonly epoch: string;
  private current: LogPlace;
  private readonly over = new AbortController();
  private end: StreamEnd | null = null;
  private isBusy = false;
  private awaken: () => void = () => undefined;
  private unblock: () => void = () => undefined;
  private readonly closed: Promise<void>;

  constructor(
    private readonly feed: ChangeFeed,
    private readonly socket: ServerResponse,
    private readonly options: StreamOptions,
  ) {
    ({ epoch: this.epoch, place: this.current } = options.position);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    void this.closed.then(() => this.finish('client'));
  }

  get place(): LogPlace {
    return this.current;
  }

  /** Writes changes until there is a reason not to. */
  async run(): Promise<StreamEnd> {
    this.feed.add(this, this.current.seq);
    this.isBusy = true;
    try {
      await this.send(retryFrame(RETRY_MS) + progressFrame(this.position(), 'from here on'));
      this.isBusy = false;
      while (this.end === null) await this.step();
    } catch (error) {
      this.finish('fault');
      throw error;
    } finally {
      this.feed.remove(this);
      this.socket.end();
    }
    return this.end ?? 'client';
  }

  moved(): void {
    this.awaken();
  }

  beat(comment: string): void {
    // Amid a stretch the place is behind what was sent, and a full socket needs no sign of life.
    if (!this.isBusy && this.end === null) this.socket.write(progressFrame(this.position(), comment));
  }

  async stop(): Promise<void> {
    this.finish('stopped');
    const gone = new AbortController();
    await Promise.race([this.closed, pause(GOODBYE_MS, undefined, { signal: gone.signal })]);
    gone.abort();
    this.socket.destroy();
  }

  private position(): StreamPosition {
    return { epoch: this.epoch, place: this.current };
  }

  private finish(end: StreamEnd): void {
    this.end ??= end;
    this.over.abort();
    this.awaken();
    this.unblock();
  }

  private async step(): Promise<void> {
    const { goal } = this.options;
    if (!this.feed.hasMore(this.current)) {
      if (goal !== null && this.feed.isPast(goal)) return this.caughtUp();
      await new Promise<void>((resolve) => (this.awaken = resolve));
      return;
    }
    this.isBusy = true;
    try {
      const stretch = await this.feed.after(this.epoch, this.current);
      const frames = await this.feed.select(stretch, this.options.selection);
      for (const piece of pieces(frames)) {
        await this.send(piece);
        if (this.end !== null) return;
      }
      this.current = stretch.end;
    } catch (error) {
      if (error instanceof LostPlace) return await this.gap(error);
      if (!(error instanceof SinkUnavailable) && !(error instanceof QuestionTooLarge)) throw error;
      await pause(AWAY_MS, undefined, { signal: this.over.signal }).catch(() => undefined);
    } finally {
      this.isBusy = false;
    }
  }

  private async caughtUp(): Promise<void> {
    await this.send(progressFrame(this.position(), 'that is all for now'));
    this.finish('caught-up');
  }

  private async gap(lost: LostPlace): Promise<void> {
    await this.send(gapFrame(lostPlaceProblem(lost)));
    this.finish('gap');
  }

  /** Resolves when the socket has room again. */
  private async send(text: string): Promise<void> {
    if (this.end !== null || this.socket.write(text)) return;
    const stalled = setTimeout(() => {
      this.finish('stalled');
      this.socket.destroy();
    }, STALLED_MS);
    await new Promise<void>((resolve) => {
      this.unblock = resolve;
      this.socket.once('drain', resolve);
    });
    clearTimeout(stalled);
  }
}

function* pieces(frames: readonly string[]): Generator<string> {
  let piece = '';
  for (const frame of frames) {
    piece += frame;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
