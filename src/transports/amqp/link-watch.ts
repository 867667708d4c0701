import type { RebuildCause } from '../../domain/ingest-status.js';

/** How long a silence may last, in milliseconds of time in which this process ran. */
export interface WatchTiming {
  /** A link without a message for so long is asked how the peer sees it, and then again after as long. */
  readonly askAfterMs: number;
  /** A peer that answers questions, and is not heard at all for so long after one, is gone. */
  readonly answerWithinMs: number;
  /** The peer says for so long that messages wait and may come, and none comes. Longer than the platform's own rhythms. */
  readonly heldBackMs: number;
  /** Not one message for so long, whatever the peer says; 0 is never. */
  readonly silenceMs: number;
}

/** What there is to see of a link. Nothing of it costs anything for each message. */
export interface LinkView {
  /** Whether a message could come: credit is out, there is room for it, and nobody is stopping. */
  readonly expecting: boolean;
  /** Messages heard on this link so far. */
  readonly messages: number;
  /** Messages heard and not answered yet. */
  readonly inHand: number;
  /** When any bytes were last heard. */
  readonly heardAt: number;
}

/** What the peer says of a link; undefined is not said. */
export interface PeerState {
  readonly credit: number | undefined;
  readonly available: number | undefined;
}

/** A peer that says twice in a row that it has no credit, having been told each time that it has, does not listen. */
const TELLINGS = 2;

/**
 * Looks for the silent stop: a link that is open, with credit given, on which nothing comes although the platform has messages.
 * It asks the peer (AMQP 2.7.4, echo) and draws its conclusions; what it cannot learn that way, a peer that is content and
 * sends nothing, ends at a limit. A question tells our credit anew, and so heals a peer that had merely lost count.
 *
 * It does not count as silence when nothing can come (no credit is out, no room), and what only looks like trouble is left
 * alone while messages are in hand: they would all come a second time.
 */
export class LinkWatch {
  private readonly tickMs: number;
  private readonly timer: NodeJS.Timeout;
  private messages = 0;
  /** Without a message. */
  private quietMs = 0;
  /** Without a message, nor one in hand. */
  private idleMs = 0;
  /** Since the peer first said that messages wait; null while it does not. */
  private heldMs: number | null = null;
  private creditless = 0;
  private sinceAskedMs = Infinity;
  private question: { readonly heardAt: number; forMs: number } | null = null;
  /** A peer may ignore questions; the first answer on this link tells that this one does not. */
  private answers = false;

  constructor(
    private readonly timing: WatchTiming,
    private readonly read: () => LinkView,
    /** Tells the peer our state of the link and asks for its own. */
    private readonly ask: () => void,
    private readonly onTrouble: (cause: RebuildCause, reason: string) => void,
  ) {
    const { askAfterMs, answerWithinMs } = timing;
    this.tickMs = Math.min(askAfterMs, answerWithinMs) / 4;
    this.timer = setInterval(() => this.tick(), this.tickMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** The peer told its state of the link, asked or not. */
  answered({ credit, available }: PeerState): void {
    const { messages } = this.read();
    if (this.question !== null) this.answers = true;
    this.question = null;
    if (messages !== this.messages) return; // the next tick sees that all is well
    this.creditless = credit === 0 ? this.creditless + 1 : 0;
    if (credit === 0) this.sinceAskedMs = Infinity;
    this.heldMs = available !== undefined && available > 0 && credit !== 0 ? (this.heldMs ?? 0) : null;
  }

  /** By the number of ticks rather than by a clock, so that a process that was stopped for a while finds nobody guilty. */
  private tick(): void {
    const view = this.read();
    const came = view.messages !== this.messages;
    this.messages = view.messages;
    if (came || !view.expecting) this.forget();
    if (!view.expecting) {
      this.question = null; // its answer may wait where we do not read
      return;
    }
    this.quietMs += this.tickMs;
    this.idleMs = view.inHand > 0 ? 0 : this.idleMs + this.tickMs;
    this.sinceAskedMs += this.tickMs;
    if (this.heldMs !== null) this.heldMs = view.inHand > 0 ? 0 : this.heldMs + this.tickMs;

    const [cause, reason] = this.verdict(view) ?? [];
    if (cause !== undefined && reason !== undefined) this.onTrouble(cause, reason);
    else if (this.question === null && this.isTimeToAsk()) this.putQuestion(view);
  }

  private verdict({ heardAt }: LinkView): [RebuildCause, string] | null {
    const { answerWithinMs, heldBackMs, silenceMs } = this.timing;
    if (this.question !== null && (this.question.forMs += this.tickMs) >= answerWithinMs) {
      const heardNothing = heardAt === this.question.heardAt;
      this.question = null;
      if (heardNothing && this.answers) {
        return ['half-open', `the peer did not answer within ${answerWithinMs / 1000} s`];
      }
    }
    if (this.creditless >= TELLINGS) return ['credit-lost', 'the peer has lost the credit of this link'];
    if (this.heldMs !== null && this.heldMs >= heldBackMs) {
      return ['held-back', `the peer has messages and did not send any for ${heldBackMs / 1000} s`];
    }
    if (silenceMs > 0 && this.idleMs >= silenceMs) {
      return ['silence', `no message came for ${Math.round(silenceMs / 1000)} s`];
    }
    return null;
  }

  /** Once on every link, to learn whether this peer answers, and then while nothing comes. */
  private isTimeToAsk(): boolean {
    if (this.sinceAskedMs === Infinity) return true;
    return Math.min(this.quietMs, this.sinceAskedMs) >= this.timing.askAfterMs;
  }

  private putQuestion({ heardAt }: LinkView): void {
    this.question = { heardAt, forMs: 0 };
    this.sinceAskedMs = 0;
    this.ask();
  }

  /** Nothing is wrong, or nothing could be told. */
  private forget(): void {
    this.quietMs = 0;
    this.idleMs = 0;
    this.heldMs = null;
    this.creditless = 0;
  }
}
