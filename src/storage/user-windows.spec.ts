import { describe, expect, it } from '@jest/globals';
import { ALWAYS, holds, joined, within } from './user-windows.js';

const stretch = (low: number, high: number) => ({ low, high });

describe('the time in which a device was a user’s', () => {
  it.each([
    ['nothing', [], []],
    ['stretches apart', [stretch(1, 2), stretch(3, 4)], [stretch(1, 2), stretch(3, 4)]],
    ['stretches that touch', [stretch(1, 2), stretch(2, 4)], [stretch(1, 4)]],
    ['one inside of another', [stretch(1, 9), stretch(2, 3), stretch(9, 10)], [stretch(1, 10)]],
    ['one without an end', [stretch(1, Infinity), stretch(5, 6)], [stretch(1, Infinity)]],
  ])('joins %s', (_, given, expected) => {
    expect(joined(given)).toEqual(expected);
  });

  it.each([
    ['all of time', ALWAYS, [stretch(2, 5)]],
    ['what reaches in from both sides', [stretch(0, 3), stretch(4, 9)], [stretch(2, 3), stretch(4, 5)]],
    ['nothing that only touches', [stretch(0, 2), stretch(5, 9)], []],
  ])('leaves of %s what lies within a range', (_, windows, expected) => {
    expect(within(windows, stretch(2, 5))).toEqual(expected);
  });

  it('holds its first moment and not its last', () => {
    expect([1, 2, 4, 5].map((at) => holds([stretch(2, 5)], at))).toEqual([false, true, true, false]);
  });
});
