import { describe, expect, it } from '@jest/globals';
import { combinePartials, type PartialPiece } from './combine-partials.js';

/** A piece of one number that was reported over and over. */
function aPiece(value: string, from: number, to: number, given: Partial<PartialPiece> = {}): PartialPiece {
  return {
    count: 2,
    others: 0,
    sum: String(2 * Number(value)),
    min: value,
    max: value,
    first: { value, at: from },
    last: { value, at: to },
    area: String(Number(value) * (to - from)),
    mixed: null,
    ...given,
  };
}

describe('pieces put together', () => {
  it('say what all of their readings would say, and hold the last number of each until the next', () => {
    expect(combinePartials([aPiece('3', 0, 10), aPiece('0.5', 20, 24), aPiece('-7', 30, 30)])).toEqual({
      count: 6,
      others: 0,
      sum: '-7',
      min: '-7',
      max: '3',
      first: { value: '3', at: 0 },
      last: { value: '-7', at: 30 },
      area: '65',
      mixed: null,
    });
  });

  it('lose no digit', () => {
    const sum = '9007199254740993.000000000000000000001';
    const whole = combinePartials([aPiece('1', 0, 1, { sum }), aPiece('1', 2, 3, { sum: '-0.000000000000000000001' })]);
    expect(whole).toMatchObject({ sum: '9007199254740993' });
  });

  it('keep the readings that are no numbers apart', () => {
    const on = { value: '"on"', at: 5 };
    const none = { count: 0, sum: null, min: null, max: null, first: null, last: null, area: null };
    const others = aPiece('0', 5, 5, { ...none, others: 1, mixed: { first: on, last: on } });
    expect(combinePartials([others, aPiece('1', 10, 20)])).toMatchObject({
      count: 2,
      others: 1,
      first: { value: '1', at: 10 },
      area: '10',
      mixed: { first: on, last: { value: '1', at: 20 } },
    });
    expect(combinePartials([others, others])).toMatchObject({
      count: 0,
      others: 2,
      sum: null,
      first: null,
      area: null,
    });
  });

  it('have no ends where nobody asked for them', () => {
    const plain = aPiece('1', 0, 1, { first: null, last: null, area: null });
    expect(combinePartials([plain, plain])).toMatchObject({ count: 4, sum: '4', first: null, area: null, mixed: null });
  });

  it('are nothing when there are none', () => {
    expect(combinePartials([])).toBeNull();
  });
});
