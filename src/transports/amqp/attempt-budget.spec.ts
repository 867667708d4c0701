import { describe, expect, it } from '@jest/globals';
import { AttemptBudget } from './attempt-budget.js';

/** When each of many impatient attempts would be made. */
function attempts(budget: AttemptBudget, count: number, fromMs: number): number[] {
  return Array.from({ length: count }, () => fromMs + budget.book(fromMs));
}

describe('the budget of connection attempts', () => {
  it('lets the first ones go at once and spreads the others', () => {
    expect(attempts(new AttemptBudget(3, 1_000), 6, 5_000)).toEqual([5_000, 5_000, 5_000, 6_000, 7_000, 8_000]);
  });

  it('fills up again while nobody tries', () => {
    const budget = new AttemptBudget(3, 1_000);
    attempts(budget, 3, 0);
    expect(attempts(budget, 4, 60_000)).toEqual([60_000, 60_000, 60_000, 61_000]);
  });

  it('stays well under 100 in any minute, however many connections try all the time', () => {
    const made = attempts(new AttemptBudget(), 1_000, 0);
    for (const start of made) {
      expect(made.filter((at) => at >= start && at < start + 60_000).length).toBeLessThanOrEqual(60);
    }
  });
});
