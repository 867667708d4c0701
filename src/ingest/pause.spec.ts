import { describe, expect, it } from '@jest/globals';
import { GrowingPause } from './pause.js';

describe('pauses between tries', () => {
  it.each([
    ['at most', 1, [100, 200, 400, 800, 1_000, 1_000]],
    ['at least', 0, [50, 100, 200, 400, 500, 500]],
  ])('grow to a limit, and are %s this long', (_, random, expected) => {
    const pauses = new GrowingPause(100, 1_000, () => random);
    expect(expected.map(() => pauses.next())).toEqual(expected);
  });

  it('start small again once all is well', () => {
    const pauses = new GrowingPause(100, 1_000, () => 1);
    pauses.next();
    pauses.next();
    pauses.reset();
    expect(pauses.next()).toBe(100);
  });

  it('stay at the limit for ever', () => {
    const pauses = new GrowingPause(100, 1_000, () => 1);
    for (let tries = 0; tries < 5_000; tries += 1) pauses.next();
    expect(pauses.next()).toBe(1_000);
  });
});
