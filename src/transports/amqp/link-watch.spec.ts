import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LinkWatch, type LinkView, type PeerState, type WatchTiming } from './link-watch.js';

const SECOND = 1_000;
const MINUTE = 60_000;

/** A link with room and credit, on which nothing has come, and a watch over it whose time is moved by hand. */
class Watched {
  view = { expecting: true, messages: 0, inHand: 0, heardAt: 0 } satisfies LinkView as LinkView;
  readonly questions: number[] = [];
  readonly troubles: string[] = [];
  private nowMs = 0;
  private readonly watch: LinkWatch;

  /** @param answer what the peer says when it is asked; without one it says nothing. */
  constructor(
    private readonly answer: PeerState | null,
    timing: Partial<WatchTiming> = {},
  ) {
    this.watch = new LinkWatch(
      { askAfterMs: 30_000, answerWithinMs: 10_000, heldBackMs: 6 * MINUTE, silenceMs: 10 * MINUTE, ...timing },
      () => this.view,
      () => {
        this.questions.push(this.nowMs / SECOND);
        if (this.answer !== null) this.say(this.answer);
      },
      (cause, reason) => this.troubles.push(`${cause}: ${reason}`),
    );
  }

  is(change: Partial<LinkView>): this {
    this.view = { ...this.view, ...change };
    return this;
  }

  say(state: PeerState): void {
    this.hear();
    this.watch.answered(state);
  }

  hear(): void {
    this.is({ heardAt: this.view.heardAt + 1 });
  }

  receive(): void {
    this.hear();
    this.is({ messages: this.view.messages + 1 });
  }

  /** Until there is trouble. */
  pass(forMs: number, each: () => void = () => undefined): this {
    for (const end = this.nowMs + forMs; this.nowMs < end && this.troubles.length === 0;) {
      this.nowMs += 500;
      each();
      jest.advanceTimersByTime(500);
    }
    return this;
  }

  stop(): void {
    this.watch.stop();
  }
}

let watched: Watched | null = null;
beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  watched?.stop();
  jest.useRealTimers();
});
const over = (...given: ConstructorParameters<typeof Watched>): Watched => (watched = new Watched(...given));

const content = { credit: 500, available: 0 };

describe('questions', () => {
  it('are put once on a new link, and again for as long as nothing comes', () => {
    expect(over(content).pass(2 * MINUTE).questions).toEqual([2.5, 32.5, 62.5, 92.5]);
  });

  it('are not put to a peer that sends', () => {
    const link = over(content);
    link.pass(10 * MINUTE, () => link.receive());
    expect(link.questions).toEqual([2.5]);
  });

  it('are not put while nothing can come', () => {
    expect(over(content).is({ expecting: false }).pass(MINUTE).questions).toEqual([]);
  });
});

describe('a link is left alone', () => {
  it('when its peer answers and has nothing to send', () => {
    expect(over(content).pass(9 * MINUTE)).toMatchObject({ troubles: [] });
  });

  it('for good when no silence is too long', () => {
    expect(over(content, { silenceMs: 0 }).pass(60 * MINUTE)).toMatchObject({ troubles: [] });
  });

  it('when its peer ignores questions and says hardly anything else', () => {
    expect(over(null).pass(9 * MINUTE)).toMatchObject({ troubles: [] });
  });

  it.each<[string, Partial<LinkView>]>([
    ['nothing can come', { expecting: false }],
    ['a message is in hand, which would come again', { inHand: 1 }],
  ])('when %s', (_, view) => {
    const link = over({ credit: 500, available: 3 }).is(view);
    expect(link.pass(60 * MINUTE).troubles).toEqual([]);
  });

  it('when messages come, however seldom', () => {
    const link = over({ credit: 500, available: 3 });
    for (let i = 0; i < 10; i += 1) {
      link.pass(5 * MINUTE).receive();
    }
    expect(link.troubles).toEqual([]);
  });

  it('when nothing could come for a while and then can', () => {
    const link = over(content)
      .pass(9 * MINUTE)
      .is({ expecting: false })
      .pass(9 * MINUTE);
    expect(link.is({ expecting: true }).pass(9 * MINUTE).troubles).toEqual([]);
  });

  it('when the answer to a question waits where it is not read', () => {
    const deaf = over(null).pass(2.5 * SECOND);
    deaf.say(content);
    deaf.pass(30 * SECOND); // asked again, not answered yet
    expect(deaf.questions).toEqual([2.5, 32.5]);
    deaf.is({ expecting: false }).pass(MINUTE);
    expect(deaf.is({ expecting: true }).pass(20 * SECOND).troubles).toEqual([]);
  });

  it('when its peer has no credit in one answer and has it in the next', () => {
    const link = over(null).pass(2.5 * SECOND);
    for (let i = 0; i < 10; i += 1) {
      link.say({ credit: 0, available: undefined });
      link.pass(2.5 * SECOND); // asked at once
      link.say(content);
      link.pass(30 * SECOND);
    }
    expect(link.troubles).toEqual([]);
  });
});

describe('a link is given up', () => {
  it('when a peer that has answered before is not heard any more', () => {
    const link = over(null).pass(2.5 * SECOND);
    link.say(content);
    link.pass(MINUTE);
    expect(link).toMatchObject({
      questions: [2.5, 32.5],
      troubles: ['half-open: the peer did not answer within 10 s'],
    });
  });

  it('but not when it is still heard', () => {
    const link = over(null).pass(2.5 * SECOND);
    link.say(content);
    expect(link.pass(9 * MINUTE, () => link.hear()).troubles).toEqual([]);
  });

  it('when its peer has no credit although it was told twice', () => {
    const link = over({ credit: 0, available: undefined });
    expect(link.pass(MINUTE)).toMatchObject({
      questions: [2.5, 5],
      troubles: ['credit-lost: the peer has lost the credit of this link'],
    });
  });

  it('when its peer has messages and credit and sends nothing, for longer than a round of the backlog', () => {
    const link = over({ credit: 500, available: 1 });
    expect(link.pass(5.9 * MINUTE).troubles).toEqual([]);
    expect(link.pass(MINUTE).troubles).toEqual(['held-back: the peer has messages and did not send any for 360 s']);
  });

  it.each<[string, PeerState | null]>([
    ['answers', content],
    ['ignores questions', null],
    ['says nothing useful', { credit: undefined, available: undefined }],
  ])('when nothing came for ten minutes from a peer that %s', (_, answer) => {
    const link = over(answer);
    expect(link.pass(9.9 * MINUTE).troubles).toEqual([]);
    expect(link.pass(MINUTE).troubles).toEqual(['silence: no message came for 600 s']);
  });
});
