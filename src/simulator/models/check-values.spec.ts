import { describe, expect, it } from '@jest/globals';
import type { Json } from '../devices/json.js';
import { checkFields, checkValues, isWithin } from './check-values.js';
import { parseModel } from './read-model.js';

const field = (identifier: string, dataType: unknown): unknown => ({ identifier, name: identifier, dataType });
const model = parseModel(
  'm.json',
  JSON.stringify({
    properties: [
      field('int', { type: 'int', specs: { min: '0', max: '10' } }),
      field('float', { type: 'float', specs: { max: '1.5' } }),
      field('double', { type: 'double' }),
      field('bool', { type: 'bool', specs: { 0: 'off', 1: 'on' } }),
      field('enum', { type: 'enum', specs: { 1: 'a', 2: 'b' } }),
      field('text', { type: 'text', specs: { length: 3 } }),
      field('date', { type: 'date' }),
      field('array', { type: 'array', specs: { size: 2, item: { type: 'int' } } }),
      field('struct', { type: 'struct', specs: [field('x', { type: 'int', specs: { max: 5 } })] }),
    ],
  }),
);

describe('weak validation', () => {
  it.each<[string, Json]>([
    ['int', 7],
    ['int', 99],
    ['int', 7n],
    ['float', 3],
    ['double', 9_007_199_254_740_993n],
    ['bool', 1],
    ['enum', 9],
    ['text', 'longer than three'],
    ['date', '1700000000000'],
    ['array', [1, 2, 3]],
    ['struct', { x: 99 }],
    ['struct', {}],
  ])('lets %s %p pass: it looks at the type, not at the range', (id, value) => {
    expect(checkValues(model, { [id]: value })).toEqual({ passed: { [id]: value }, failed: {} });
  });

  it.each<[string, Json, number, string]>([
    ['int', '7', 6306, 'tsl parse: data type is not int -> int'],
    ['int', 7.5, 6306, 'tsl parse: data type is not int -> int'],
    ['int', 3_000_000_000, 6306, 'tsl parse: data type is not int -> int'],
    ['float', '1.0', 6307, 'tsl parse: data type is not float -> float'],
    ['double', null, 6322, 'tsl parse: data type is not double -> double'],
    ['bool', true, 6308, 'tsl parse: value of bool type must be int -> bool'],
    ['enum', 'a', 6309, 'tsl parse: value of enum type must be int -> enum'],
    ['text', 0, 6310, 'tsl parse: data type is not string -> text'],
    ['date', 1_700_000_000_000, 6311, 'tsl parse: date type must be a string of long(UTC ms) -> date'],
    ['date', 'today', 6311, 'tsl parse: date type must be a string of long(UTC ms) -> date'],
    ['array', 1, 6313, 'tsl parse: data type is not array -> array'],
    ['array', [1, 'two'], 6306, 'tsl parse: data type is not int -> array'],
    ['struct', [1], 6312, 'tsl parse: struct type must be json -> struct'],
    ['struct', { x: '1' }, 6306, 'tsl parse: data type is not int -> struct'],
    ['struct', { y: 1 }, 6312, 'tsl parse: struct type must be json -> struct'],
    ['Unknown', 1, 5092, 'property not found'],
  ])('refuses %s %p with code %d', (id, value, code, message) => {
    expect(checkValues(model, { [id]: value })).toEqual({ passed: {}, failed: { [id]: { code, message, value } } });
  });

  it('parts good from bad, in their order, whatever they are called', () => {
    const values = JSON.parse('{"text":"x","__proto__":1,"int":"1","double":2}') as Record<string, Json>;
    const { passed, failed } = checkValues(model, values);
    expect(Object.keys(passed)).toEqual(['text', 'double']);
    expect(Object.keys(failed)).toEqual(['__proto__', 'int']);
  });

  it('checks what an event carries', () => {
    const fields = [...model.properties.values()];
    expect(checkFields(fields, { int: 1, text: 2 })).toMatchObject({
      passed: { int: 1 },
      failed: { text: { code: 6310 } },
    });
  });
});

describe('a value a device takes', () => {
  it.each<[string, Json, boolean]>([
    ['int', 10, true],
    ['int', 11, false],
    ['int', -1, false],
    ['float', 1.6, false],
    ['bool', 2, false],
    ['enum', 2, true],
    ['enum', 3, false],
    ['text', 'abcd', false],
    ['text', 'abc', true],
    ['array', [1, 2], true],
    ['array', [1, 2, 3], false],
    ['struct', { x: 5 }, true],
    ['struct', { x: 6 }, false],
    ['date', '1', true],
  ])('%s %p: %p', (id, value, taken) => {
    const type = model.properties.get(id)?.dataType;
    expect(type && isWithin(type, value)).toBe(taken);
  });
});
