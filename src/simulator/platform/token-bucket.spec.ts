import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from './token-bucket.js';

/** How many can be taken at this time. */
function takeAll(bucket: TokenBucket, now: number): number {
  let taken = 0;
  while (taken < 10_000 && bucket.take(now)) taken++;
  return taken;
}

describe('a rate limit', () => {
  it('lets through its rate over any second, and a tenth of it at once', () => {
    const bucket = new TokenBucket(1_000);
    expect(takeAll(bucket, 5_000)).toBe(100);
    let taken = 0;
    for (let now = 5_001; now <= 6_000; now++) taken += takeAll(bucket, now);
    expect(taken).toBe(1_000);
  });

  it('saves up no more than its burst while nothing is asked', () => {
    const bucket = new TokenBucket(200);
    takeAll(bucket, 0);
    expect(takeAll(bucket, 3_600_000)).toBe(20);
  });

  it('lets a rate below one a burst through all the same', () => {
    const bucket = new TokenBucket(2);
    takeAll(bucket, 0);
    expect(takeAll(bucket, 499)).toBe(0);
    expect(takeAll(bucket, 501)).toBe(1);
  });

  it('is no limit when there is none', () => {
    expect(takeAll(new TokenBucket(null), 0)).toBe(10_000);
  });
});
