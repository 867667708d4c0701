import { describe, expect, it } from '@jest/globals';
import { canonicalJson, storedValue, visibleJson } from './canonical-json.js';
import type { Json } from './json.js';
import { parseJson } from './parse-json.js';

function parsed(text: string): Json {
  const result = parseJson(text);
  if ('refusal' in result) throw new Error(result.refusal.detail);
  return result.value;
}

describe('canonicalJson', () => {
  it.each([
    ['{}', '{}'],
    ['[ ]', '[]'],
    ['{"bb":1,"a":2,"":0}', '{"": 0, "a": 2, "bb": 1}'],
    ['{"ä":1,"aa":2,"b":3,"€":4,"aaa":5}', '{"b": 3, "aa": 2, "ä": 1, "aaa": 5, "€": 4}'],
    ['{"\\ud83d\\ude00":1,"\\uffee":2}', '{"￮": 2, "😀": 1}'],
    ['[1,true,null,"x",[2.50]]', '[1, true, null, "x", [2.5]]'],
    ['"\\u0001\\b\\f\\n\\r\\t\\"\\\\\\/\\u007f\\u2028"', '"\\u0001\\b\\f\\n\\r\\t\\"\\\\/\u007f\u2028"'],
    ['{"__proto__":{"a":1},"constructor":2}', '{"__proto__": {"a": 1}, "constructor": 2}'],
    ['{"a":1,"b":2,"a":3}', '{"a": 3, "b": 2}'],
    ['{"a":1,"b":12345678901234567890,"a":3e0}', '{"a": 3, "b": 12345678901234567890}'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalJson(parsed(text))).toBe(canonical);
  });

  it.each([
    ['"\\u0000"', 'not-storable'],
    ['"\\ud800"', 'not-storable'],
    ['["x",{"a":"\\udc00\\ud800"}]', 'not-storable'],
    ['{"\\u0000":1}', 'not-storable'],
    ['{"a":[1e1000]}', 'too-long'],
  ])('says that %s is %s', (text, reason) => {
    expect(canonicalJson(parsed(text))).toEqual({ reason });
  });
});

describe('storedValue', () => {
  it.each([
    ['99.0', { kind: 'number', text: '99' }],
    ['"00000000"', { kind: 'json', text: '"00000000"' }],
    ['[1]', { kind: 'json', text: '[1]' }],
    ['null', { kind: 'json', text: 'null' }],
    ['false', { kind: 'json', text: 'false' }],
    ['1e2000', { reason: 'too-long' }],
  ])('keeps %s as %j', (text, value) => {
    expect(storedValue(parsed(text))).toEqual(value);
  });
});

describe('visibleJson', () => {
  it('spells out what PostgreSQL cannot hold and leaves the rest as it is', () => {
    expect(visibleJson(parsed('{"a":"x\\u0000y","b":"\\ud800","c":"😀","d":1e100000,"e":2}'))).toBe(
      '{"a": "x\\\\u0000y", "b": "\\\\ud800", "c": "😀", "d": "1e100000", "e": 2}',
    );
  });

  it.each(['{"\\\\u0000":1,"\\u0000":2}', '{"\\u0000":2,"\\\\u0000":1}'])(
    'keeps a key beside another that is spelt like it, whichever comes first: %s',
    (text) => {
      expect(visibleJson(parsed(text))).toBe('{"\\\\u0000": 1, "\\\\u0000_": 2}');
    },
  );

  it('cuts the text of an endless number', () => {
    expect(JSON.parse(visibleJson(parsed(`[${'9'.repeat(5000)}]`)))).toEqual([expect.stringMatching(/^9{1099}…$/)]);
  });
});
