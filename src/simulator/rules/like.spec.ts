import { expect, it } from '@jest/globals';
import { like } from './like.js';

it.each([
  ['boiler-3', 'boiler-3', true],
  ['boiler-3', 'boiler', false],
  ['boiler-3', 'boiler%', true],
  ['boiler-3', '%-3', true],
  ['boiler-3', '%il%', true],
  ['boiler-3', '%x%', false],
  ['boiler-3', 'b%l%-%', true],
  ['boiler-3', 'b%-%l%', false],
  ['aba', 'ab%ba', false],
  ['abba', 'ab%ba', true],
  ['aa', 'a%a%a', false],
  ['ababa', '%aba%aba%', false],
  ['', '%', true],
  ['', '', true],
  ['a%', 'a%', true],
  ['a_c', 'abc', false],
  ['abc', 'a_c', false],
  ['a.c', 'a.c', true],
  ['abc', 'a.c', false],
])('%j LIKE %j is %s', (text, pattern, expected) => {
  expect(like(text, pattern)).toBe(expected);
});

it('takes no longer for a pattern of many wildcards', () => {
  // A backtracking matcher would not come back from this.
  expect(like('a'.repeat(50_000), `${'%a'.repeat(5_000)}%b`)).toBe(false);
});
