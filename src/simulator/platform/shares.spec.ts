import { describe, expect, it } from '@jest/globals';
import { Random } from '../random.js';
import { Shares } from './shares.js';

const SETTLING_MS = 600_000;
const CLIENTS = ['a', 'b', 'c', 'd'];

/** Largest share in units of the smallest, over many messages at this time. */
function spread(shares: Shares<string>, simulated: number): number {
  const counts = new Map(CLIENTS.map((client) => [client, 0]));
  for (let i = 0; i < 20_000; i++) {
    const picked = shares.pick(CLIENTS, simulated) ?? '';
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return Math.max(...counts.values()) / Math.min(...counts.values());
}

describe('shares of the clients of a group', () => {
  it('are uneven after a change and even out within the time', () => {
    const shares = new Shares<string>(SETTLING_MS, new Random('1'));
    shares.changed(CLIENTS, 0);
    const [first, half, last] = [0, SETTLING_MS / 2, SETTLING_MS].map((time) => spread(shares, time));
    expect(first).toBeGreaterThan(1.5);
    expect(half).toBeLessThan(first ?? 0);
    expect(last).toBeLessThan(1.1);
  });

  it('are even from the start where nothing settles', () => {
    const shares = new Shares<string>(0, new Random('1'));
    shares.changed(CLIENTS, 0);
    expect(spread(shares, 0)).toBeLessThan(1.1);
  });

  it('are whole with one client, and nothing with none', () => {
    const shares = new Shares<string>(SETTLING_MS, new Random('1'));
    expect(shares.pick(['only'], 0)).toBe('only');
    expect(shares.pick([], 0)).toBeUndefined();
  });
});
