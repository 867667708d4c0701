import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';
import type { Json } from './json.js';
import { parseJson } from './parse-json.js';

function canonical(text: string): unknown {
  const result = parseJson(text);
  return 'refusal' in result ? result.refusal.reason : canonicalJson(result.value);
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('parseJson', () => {
  it.each([
    '0.56639999999999990001',
    '12345678901234567',
    '1234567890123456789',
    '-9223372036854775808',
    '1.234567890123456',
    '123456789012345.6',
    '24.449999999999999',
  ])('keeps every digit of %s, wherever it stands', (number) => {
    expect(canonical(`[${number}]`)).toBe(`[${number}]`);
    expect(canonical(`{"a":\n${number}}`)).toBe(`{"a": ${number}}`);
    expect(canonical(number)).toBe(number);
  });

  it('keeps the value of numbers that a double rounds to infinity or to nothing', () => {
    expect(canonical('[1e400,1e-400,-1E+400]')).toBe(
      `[1${'0'.repeat(400)}, 0.${'0'.repeat(399)}1, -1${'0'.repeat(400)}]`,
    );
  });

  it.each([
    ['minus zero', '[-0,-0.0,-0e5]', '[0, 0, 0]'],
    ['digits in a string, which are no number', '["12345678901234567", 1]', '["12345678901234567", 1]'],
    ['a quote behind backslashes', '["\\\\", 1234567890123456789, "\\""]', '["\\\\", 1234567890123456789, "\\""]'],
    ['a byte order mark', '\ufeff{"a":1}', '{"a": 1}'],
    ['brackets in strings', JSON.stringify(['['.repeat(100)]), JSON.stringify(['['.repeat(100)])],
    ['64 levels', nested(64), nested(64)],
  ])('reads %s', (_, text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    ['', 'not-json'],
    ['{', 'not-json'],
    ['{"a":1,}', 'not-json'],
    ['{"a":12345678901234567,}', 'not-json'],
    ['[01]', 'not-json'],
    ['NaN', 'not-json'],
    ['{"a":"\\x"}', 'not-json'],
    [nested(65), 'too-deep'],
    [nested(10_000), 'too-deep'],
    ['['.repeat(1_000_000), 'too-deep'],
    ['{"a":'.repeat(10_000), 'too-deep'],
    [`[1e5,${nested(10_000)}]`, 'too-deep'],
  ])('refuses %s as %s', (text, reason) => {
    expect(canonical(text)).toBe(reason);
  });

  it('keeps `__proto__` an ordinary key, also where numbers are long', () => {
    for (const number of ['1', '12345678901234567']) {
      const result = parseJson(`{"__proto__":{"items":${number}}}`);
      const value = 'value' in result ? (result.value as Record<string, Json>) : {};
      expect(Object.keys(value)).toEqual(['__proto__']);
      expect(value['items']).toBeUndefined();
    }
  });

  it('accepts what JSON.parse accepts and means the same by it, whichever way the body goes', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0019eE.-+ tfn\n'), maxLength: 12 });
    const mutated = fc.tuple(fc.json({ maxDepth: 4 }), fc.nat(), noise, fc.nat(3)).map(([json, at, insert, cut]) => {
      const position = at % (json.length + 1);
      return json.slice(0, position) + insert + json.slice(position + cut);
    });
    fc.assert(
      fc.property(fc.oneof(fc.json({ maxDepth: 4 }), mutated), (text) => {
        const fast = canonical(`[0,${text}]`);
        const exact = canonical(`[1234567890123456789,${text}]`); // the long number sends it through lossless-json
        expect(exact).toEqual(typeof fast === 'string' ? fast.replace(/^\[0/, '[1234567890123456789') : fast);
      }),
      { numRuns: 3000 },
    );
  });
});
