import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareDecimals } from './compare-decimals.js';

describe('the order of decimal numbers', () => {
  it.each([
    ['0', '-0.00e7', 0],
    ['5', '5.0', 0],
    ['500e-2', '0.05E+2', 0],
    ['1234567890123456789', '1234567890123456790', -1],
    ['0.12345678901234567', '0.12345678901234568', -1],
    ['-2', '-1', -1],
    ['-1', '0', -1],
    ['10', '9.99', 1],
    ['0.01', '0.001', 1],
    ['1e9999', '9e9998', 1],
    ['-1e-9999', '0', -1],
  ])('of %s and %s', (a, b, sign) => {
    expect(Math.sign(compareDecimals(a, b))).toBe(sign);
    expect(Math.sign(compareDecimals(b, a))).toBe(sign === 0 ? 0 : -sign);
  });

  it('is that of doubles, where they are exact', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(double, double, (a, b) => {
        expect(Math.sign(compareDecimals(String(a), String(b)))).toBe(Math.sign(a - b) || 0);
      }),
    );
  });

  it('takes no time over many zeros', () => {
    expect(compareDecimals(`1${'0'.repeat(100_000)}1`, `1${'0'.repeat(100_000)}2`)).toBeLessThan(0);
  });
});
