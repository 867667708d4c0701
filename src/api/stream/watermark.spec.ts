import { describe, expect, it } from '@jest/globals';
import { Watermark } from './watermark.js';

/** What is safe after each look: how far the log goes, and who writes. */
function safeAfter(...looks: readonly (readonly [seq: number, ...writers: string[]])[]): number[] {
  const watermark = new Watermark();
  return looks.map(([seq, ...writers]) => {
    watermark.see({ seq, writers });
    return watermark.safe;
  });
}

describe('what is safe to read', () => {
  it('is everything while nobody writes', () => {
    expect(safeAfter([3], [5])).toEqual([3, 5]);
  });

  it('is what was the head when those wrote that have ended since', () => {
    expect(safeAfter([3, 'a', 'b'], [5, 'b', 'c'], [7, 'c', 'd'], [9, 'd'], [11, 'e'])).toEqual([0, 0, 3, 3, 7]);
  });

  it('does not grow while one transaction stays, whoever else comes and goes', () => {
    expect(safeAfter([3], [4, 'slow'], [6, 'slow', 'a'], [8, 'slow', 'b'], [9, 'c'], [10])).toEqual([
      3, 3, 3, 3, 4, 10,
    ]);
  });

  it('is at least what a reader was told before', () => {
    const watermark = new Watermark();
    watermark.isSafe(7);
    watermark.see({ seq: 9, writers: ['a'] });
    expect([watermark.safe, watermark.isHeld]).toEqual([7, true]);
  });
});
