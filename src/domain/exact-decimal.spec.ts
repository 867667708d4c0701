import { describe, expect, it } from '@jest/globals';
import { decimalText, exactDecimal, plus, times } from './exact-decimal.js';

describe('exact decimals', () => {
  it.each([
    ['1', '2', '3'],
    ['0.1', '0.2', '0.3'],
    ['-0.05', '0.05', '0'],
    ['99.5', '0.50', '100'],
    ['12345678901234567890', '0.000000000000000000001', '12345678901234567890.000000000000000000001'],
    ['-1', '0.999', '-0.001'],
  ])('%s and %s are %s', (a, b, sum) => {
    expect(decimalText(plus(exactDecimal(a), exactDecimal(b)))).toBe(sum);
  });

  it.each([
    ['0.125', 8, '1'],
    ['-2.5', 3, '-7.5'],
    ['7', 0, '0'],
    ['1234567890123456789.1', 86_400_000, '106666665706666666578240000'],
  ])('%s times %s', (a, factor, product) => {
    expect(decimalText(times(exactDecimal(a), factor))).toBe(product);
  });
});
