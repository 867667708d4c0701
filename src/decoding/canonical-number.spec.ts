import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalNumber } from './canonical-number.js';
import { ExactNumber } from './json.js';

const zeros = (count: number): string => '0'.repeat(count);

describe('canonicalNumber', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['-0.000', '0'],
    ['0e999999999999999999999', '0'],
    ['99.0', '99'],
    ['99', '99'],
    ['0.10', '0.1'],
    ['1e2', '100'],
    ['1E+2', '100'],
    ['1.5e-3', '0.0015'],
    ['-12.50e1', '-125'],
    ['12345678901234567890', '12345678901234567890'],
    ['9007199254740993', '9007199254740993'],
    ['0.56639999999999990', '0.5663999999999999'],
    ['1e400', `1${zeros(400)}`],
    ['1e-400', `0.${zeros(399)}1`],
    ['1e999', `1${zeros(999)}`],
    [`1.${zeros(5000)}`, '1'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalNumber(new ExactNumber(text))).toBe(canonical);
  });

  it.each([['1e1000'], ['1e-1000'], ['1e999999999'], ['-1e999999999999999999999'], [`1${zeros(999)}.5`]])(
    'gives up on %s, which takes more than 1,000 digits',
    (text) => {
      expect(canonicalNumber(new ExactNumber(text))).toBeNull();
    },
  );

  it.each([
    [0.1, '0.1'],
    [-0, '0'],
    [1e-7, '0.0000001'],
    [1.5e300, `15${zeros(299)}`],
    [1700000123401, '1700000123401'],
  ])('writes the double %d as %s', (number, canonical) => {
    expect(canonicalNumber(number)).toBe(canonical);
  });

  it('names the same double as the text it came from, however that is written', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const texts = [String(number), number.toExponential()];
        const canonical = texts.map((text) => canonicalNumber(new ExactNumber(text)));
        expect(canonical[0]).toBe(canonical[1]);
        expect(canonical[0]).toMatch(/^(0|-?([1-9]\d*|0(?=\.))(\.\d*[1-9])?)$/);
        expect(Number(canonical[0]) === number).toBe(true);
      }),
    );
  });
});
