import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText, dividedBy, minus, plus, times } from './decimal.js';

it.each(['0', '-1', '0.5', '-0.001', '1234567890123456789', '-9223372036854775808.25', '0.00000000000000000001'])(
  'writes %s as it was read',
  (text) => {
    expect(decimalText(decimal(text))).toBe(text);
  },
);

it.each([
  ['1', 3, '0.33333333333333333333'],
  ['2', 3, '0.66666666666666666667'],
  ['-2', 3, '-0.66666666666666666667'],
  ['2', -3, '-0.66666666666666666667'],
  ['100', 3, '33.333333333333333333'],
  ['6', 3, '2'],
  ['0', 7, '0'],
  ['1', 8, '0.125'],
  ['1234567890123456789', 2, '617283945061728394.5'],
  ['12345678901234567890123456789', 10, '1234567890123456789012345679'],
  ['15', -10, '-1.5'],
  ['0.0000000000000000000000001', 2, '0.00000000000000000000000005'],
])('%s divided by %i is %s', (dividend, divisor, quotient) => {
  expect(decimalText(dividedBy(decimal(dividend), divisor))).toBe(quotient);
});

const part = fc.integer({ min: -1_000_000, max: 1_000_000 });

it('adds, takes away, multiplies and compares as whole numbers do', () => {
  fc.assert(
    fc.property(part, part, fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), (a, b, places, others) => {
      const [x, y] = [
        { digits: BigInt(a), places },
        { digits: BigInt(b), places: others },
      ];
      const [wideX, wideY] = [a * 10 ** (6 - places), b * 10 ** (6 - others)];
      const exact = (value: number): string => decimalText({ digits: BigInt(value), places: 6 });
      expect(decimalText(plus(x, y))).toBe(exact(wideX + wideY));
      expect(decimalText(minus(x, y))).toBe(exact(wideX - wideY));
      expect(decimalText(times(x, 7))).toBe(exact(wideX * 7));
    }),
  );
});

it('divides so that multiplying leads back, but for the last digit', () => {
  fc.assert(
    fc.property(part, fc.integer({ min: 1, max: 1_000_000 }), (digits, divisor) => {
      const dividend = { digits: BigInt(digits), places: 2 };
      const quotient = dividedBy(dividend, divisor);
      const { digits: off, places } = minus(times(quotient, divisor), dividend);
      // an error of half a unit of the last place, times the divisor
      expect(2n * (off < 0n ? -off : off)).toBeLessThanOrEqual(BigInt(divisor));
      expect(places).toBeGreaterThanOrEqual(2);
    }),
  );
});
