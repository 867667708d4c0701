import { expect, it } from '@jest/globals';
import { JsonText } from '../storage/json-text.js';
import { exactJson } from './exact-json.js';

it.each<[string, unknown]>([
  ['null', null],
  ['text with "quotes", lines\n and 中文', 'text with "quotes", lines\n and 中文'],
  ['numbers', [0, -1.5, 1e300]],
  ['what is not there', { a: undefined, b: null }],
  ['nested things', { a: [{ b: [] }, {}], 'c d': true }],
  ['times', { at: new Date(0) }],
])('writes %s as JSON.stringify does', (_, value) => {
  expect(exactJson(value)).toBe(JSON.stringify(value));
});

it('writes what PostgreSQL printed as it is', () => {
  const value = { value: new JsonText('1234567890123456789.0123456789'), at: 'x' };
  expect(exactJson([value])).toBe('[{"value":1234567890123456789.0123456789,"at":"x"}]');
});

it('writes fields whose names mean something to JavaScript', () => {
  expect(exactJson(JSON.parse('{"__proto__":1,"constructor":2}'))).toBe('{"__proto__":1,"constructor":2}');
});
