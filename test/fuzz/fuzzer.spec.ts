import { describe, expect, it } from '@jest/globals';
import { Chance } from './chance.mjs';
import { CurrentInput } from './current-input.mjs';
import { EMPTY, fromJson, toJson, type Input } from './input.mjs';
import { parseTree, repeatsNames, reversed, writeTree } from './json-tree.mjs';
import { memoryTrend } from './memory-trend.mjs';
import { minimise } from './minimise.mjs';
import { mutate } from './mutations/mutate.mjs';

const report: Input = {
  ...EMPTY,
  topic: '/pk/dn/thing/event/property/post',
  body: Buffer.from('{"items":{"a":[1e400]}}'),
};
const transfer: Input = { ...EMPTY, transfer: Buffer.from('00537702ff', 'hex'), encode: 'base64' };

describe('an input', () => {
  it.each<[string, Input]>([
    ['text', report],
    ['bytes', { ...report, body: Buffer.from([0xff, 0]) }],
    ['a byte order mark', { ...report, body: Buffer.from('\ufeff{}') }],
    ['a transfer', transfer],
    ['a secret', { ...report, secret: 's' }],
  ])('comes back from its file as it was: %s', (_, input) => {
    expect(fromJson(JSON.parse(JSON.stringify(toJson(input))) as Record<string, unknown>)).toEqual(input);
  });

  it('can be read by another thread while it is tried', () => {
    const there = new CurrentInput();
    there.begin(report);
    const here = new CurrentInput(there.memory);
    expect(here.read()).toEqual(report);
    expect(here.sequence).toBe(1);
  });

  it('is changed the same way by the same chance', () => {
    const made = (seed: number): unknown[] => {
      const chance = new Chance(seed);
      return Array.from({ length: 200 }, () => toJson(mutate(chance.pick([report, transfer]), chance, () => report)));
    };
    expect(made(1)).toEqual(made(1));
    expect(made(1)).not.toEqual(made(2));
  });

  it('is cut to what is at fault', () => {
    const fault = { rule: 'holds an x', detail: '' };
    const body = Buffer.from(`${'a'.repeat(500)}x${'b'.repeat(300)}`);
    const shorter = minimise({ ...report, body }, fault, (input) => (input.body.includes('x') ? fault : null));
    expect(shorter.body.toString()).toBe('x');
  });
});

describe('a tree of JSON', () => {
  it.each(['{"a":1.50,"a":[-0,1e400,"\\u0000"],"b":{}}', '[]', '"x"', '[[null],{"":{}}]'])(
    'writes %s as it was',
    (text) => {
      expect(writeTree(parseTree(text)!)).toBe(text);
    },
  );

  it.each(['', '{', '{"a"}', '[1,]', '1 2', '{a:1}'])('is not made of %j', (text) => {
    expect(parseTree(text)).toBeNull();
  });

  it('can be turned round, and tells whether that means something', () => {
    expect(writeTree(reversed(parseTree('{"a":[{"b":1,"c":2}],"d":3}')!))).toBe('{"d":3,"a":[{"c":2,"b":1}]}');
    expect(repeatsNames(parseTree('[{"a":1,"\\u0061":2}]')!)).toBe(true);
    expect(repeatsNames(parseTree('[{"a":1,"b":{"a":2}}]')!)).toBe(false);
  });
});

describe('the trend of memory', () => {
  const MIB = 1024 * 1024;
  const weights = (mibAt: (minute: number) => number) =>
    Array.from({ length: 40 }, (_, i) => ({ seconds: i * 30, bytes: mibAt(i / 2) * MIB }));

  it.each([
    ['stays', (minute: number) => 30 + Math.sin(minute), false],
    ['fills up at first', (minute: number) => 80 - 50 * Math.exp(-minute), false],
    ['jumps about', (minute: number) => 40 + 30 * ((minute * 2) % 2), false],
    ['grows', (minute: number) => 30 + 5 * minute, true],
  ])('of a heap that %s', (_, mibAt, grows) => {
    expect(memoryTrend(weights(mibAt)).grows).toBe(grows);
  });
});
