import { describe, expect, it } from '@jest/globals';
import { Consumption, PerMinute } from './per-minute.js';

describe('a count of the last minute', () => {
  it('forgets what is older, second by second', () => {
    const count = new PerMinute();
    for (let second = 0; second < 90; second++) count.add(5_000_000 + second * 1_000);
    expect(count.count(5_089_999)).toBe(60);
    expect(count.count(5_100_000)).toBe(49);
    expect(count.count(5_149_999)).toBe(0);
  });

  it('forgets all of it after a long silence', () => {
    const count = new PerMinute();
    count.add(1_000);
    expect(count.count(1_000_000)).toBe(0);
  });

  it('tells real time and backlog apart', () => {
    const consumption = new Consumption();
    for (const fromBacklog of [true, false, true]) consumption.add(fromBacklog, 0);
    expect(consumption.perMinute(59_999)).toEqual({ realtime: 1, backlog: 2 });
  });
});
