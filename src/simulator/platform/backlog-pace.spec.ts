import { describe, expect, it } from '@jest/globals';
import { RoundPace, SteadyPace, type BacklogPace } from './backlog-pace.js';

const MINUTE = 60_000;
const at = (ms: number): { real: number; simulated: number } => ({ real: ms, simulated: ms });

/** How many of a backlog of so many may go at this moment. */
function pushAll(pace: BacklogPace, now: { real: number; simulated: number }, length: number): number {
  let pushed = 0;
  while (pushed < length && pace.mayPush(now, length - pushed)) {
    pace.pushed(now);
    pushed++;
  }
  return pushed;
}

describe('the steady pace of an Enterprise backlog', () => {
  it('is so many a second of the world', () => {
    const pace: BacklogPace = new SteadyPace(200, MINUTE);
    let pushed = pushAll(pace, at(1_000), 1_000);
    for (let ms = 1_001; ms <= 2_000; ms++) pushed += pushAll(pace, at(ms), 1_000);
    expect(pushed).toBe(200 + 20); // the second's, and the burst before it
  });

  it('blocks for a minute of the simulated clock after a failure, however many follow it', () => {
    const pace: BacklogPace = new SteadyPace(null, MINUTE);
    pace.answered(false, at(1_000));
    pace.answered(false, at(31_000));
    expect(pushAll(pace, at(60_999), 5)).toBe(0);
    expect(pace.alarm(at(60_999))).toEqual({ simulated: 61_000 });
    expect(pushAll(pace, at(61_000), 5)).toBe(5);
  });

  it('goes on after an accept, and when a client comes online', () => {
    const pace: BacklogPace = new SteadyPace(null, MINUTE);
    pace.answered(true, at(0));
    expect(pushAll(pace, at(0), 1)).toBe(1);
    pace.answered(false, at(0));
    pace.online();
    expect(pushAll(pace, at(1), 1)).toBe(1);
  });
});

describe('the rounds of a Living backlog', () => {
  it('send ten, and one more for each accept', () => {
    const pace: BacklogPace = new RoundPace(5 * MINUTE, 10);
    pace.online();
    expect(pushAll(pace, at(0), 100)).toBe(10);
    pace.answered(true, at(1));
    pace.answered(false, at(1));
    pace.answered(true, at(1));
    expect(pushAll(pace, at(1), 90)).toBe(2);
  });

  it('begin anew every five minutes', () => {
    const pace: BacklogPace = new RoundPace(5 * MINUTE, 10);
    expect(pushAll(pace, at(0), 100)).toBe(10);
    expect(pushAll(pace, at(299_999), 90)).toBe(0);
    expect(pace.alarm(at(0))).toEqual({ simulated: 300_000 });
    expect(pushAll(pace, at(300_000), 90)).toBe(10);
    expect(pushAll(pace, at(900_001), 80)).toBe(10);
    expect(pushAll(pace, at(1_199_999), 70)).toBe(0);
    expect(pushAll(pace, at(1_200_000), 70)).toBe(10);
  });

  it('leave to the next one what failed in this one', () => {
    const pace: BacklogPace = new RoundPace(5 * MINUTE, 10);
    expect(pushAll(pace, at(0), 3)).toBe(3);
    pace.answered(false, at(1)); // and is backlog again
    expect(pushAll(pace, at(1), 1)).toBe(0);
    expect(pushAll(pace, at(300_000), 1)).toBe(1);
  });

  it('keep their beat while there is nothing to send', () => {
    const pace: BacklogPace = new RoundPace(5 * MINUTE, 10);
    expect(pushAll(pace, at(0), 1)).toBe(1);
    pace.entering(at(1_000_000), 0);
    expect(pushAll(pace, at(1_000_000), 1)).toBe(0);
    expect(pushAll(pace, at(1_200_000), 1)).toBe(1);
  });
});
