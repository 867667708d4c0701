import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FilterExpression, FilterField } from '../../domain/filter-expression.js';
import { BadParameters, type ProblemDocument } from '../problem.js';
import { parseFilter } from './parse-filter.js';

const attribute = (name: string): FilterField => ({ kind: 'attribute', name }) as FilterField;
const text = (of: string) => ({ type: 'text', text: of }) as const;
const number = (of: string) => ({ type: 'number', text: of }) as const;
const at = (time: string) => ({ type: 'time', epochMs: Date.parse(time) }) as const;

const temperature: FilterField = { kind: 'state', identifier: 'temperature', path: [] };
const hot: FilterExpression = { kind: 'compare', field: temperature, operator: 'gt', value: number('30') };
const online: FilterExpression = {
  kind: 'compare',
  field: attribute('online'),
  operator: 'eq',
  value: { type: 'boolean', value: true },
};
const floor: FilterExpression = {
  kind: 'compare',
  field: { kind: 'tag', key: 'floor' },
  operator: 'eq',
  value: text('2'),
};

describe('the filter language', () => {
  it.each<[string, FilterExpression]>([
    ['online eq true', online],
    [' online\tEq\n true ', online],
    [
      'online eq true and state.temperature gt 30 and not (tags.floor eq "2")',
      { kind: 'and', parts: [online, hot, { kind: 'not', part: floor }] },
    ],
    [
      'online eq true or tags.floor eq "2" and state.temperature gt 30',
      { kind: 'or', parts: [online, { kind: 'and', parts: [floor, hot] }] },
    ],
    [
      '(online eq true or tags.floor eq "2") and state.temperature gt 30',
      { kind: 'and', parts: [{ kind: 'or', parts: [online, floor] }, hot] },
    ],
    ['not online eq true', { kind: 'not', part: online }],
    ['not not online eq true', online],
    ['exists tags.floor', { kind: 'exists', field: { kind: 'tag', key: 'floor' } }],
    ['exists(state.temperature)', { kind: 'exists', field: temperature }],
    ['tags["any key \\u4e2d\\n"] eq ""', { ...floor, field: { kind: 'tag', key: 'any key 中\n' }, value: text('') }],
    ['state["temperature"] gt 30', hot],
    [
      'state["m:a.b"].struct["x y"] lt -0.5e-3',
      {
        kind: 'compare',
        field: { kind: 'state', identifier: 'm:a.b', path: ['struct', 'x y'] },
        operator: 'lt',
        value: number('-0.5e-3'),
      },
    ],
    [
      'state.m:temperature-1 eq null',
      {
        ...hot,
        field: { ...temperature, identifier: 'm:temperature-1' },
        operator: 'eq',
        value: { type: 'null' },
      },
    ],
    [
      'state.and gt 1234567890123456789.5',
      {
        ...hot,
        field: { ...temperature, identifier: 'and' },
        value: number('1234567890123456789.5'),
      },
    ],
    [
      'productKey in ("a", "b" ,null)',
      { kind: 'in', field: attribute('productKey'), values: [text('a'), text('b'), { type: 'null' }] },
    ],
    [
      'deviceName startsWith "lock-"',
      { kind: 'text', field: attribute('deviceName'), operator: 'startsWith', text: 'lock-' },
    ],
    ['owner endswith "\\"x"', { kind: 'text', field: attribute('owner'), operator: 'endsWith', text: '"x' }],
    [
      'lastSeen ge "2026-11-22T08:00:00+01:00"',
      { kind: 'compare', field: attribute('lastSeen'), operator: 'ge', value: at('2026-11-22T07:00:00Z') },
    ],
    [
      'since lt 1795332900000',
      { kind: 'compare', field: attribute('since'), operator: 'lt', value: { type: 'time', epochMs: 1795332900000 } },
    ],
    [
      'firstSeen gt "2026-11-22T07:00:00.0001Z"',
      {
        kind: 'compare',
        field: attribute('firstSeen'),
        operator: 'gt',
        value: { type: 'time', epochMs: Date.parse('2026-11-22T07:00:00Z') + 0.5 },
      },
    ],
  ])('reads %s', (written, expression) => {
    expect(parseFilter(written)).toEqual(expression);
  });

  const OPERATORS = 'an operator (eq, ne, gt, ge, lt, le, in, contains, startsWith, endsWith)';
  const ENTRY = '(, a field, exists or not';
  it.each<[string, number, string]>([
    ['', 1, `expected ${ENTRY}, found the end`],
    ['online', 7, `expected ., [, ${OPERATORS} or in, found the end`],
    ['online == true', 8, `expected ., [, ${OPERATORS} or in, found =`],
    ['online eq', 10, 'expected a number, text in double quotes or true, false or null, found the end'],
    ["deviceName eq 'x'", 15, "expected a number, text in double quotes or true, false or null, found '"],
    ['deviceName eq "x', 17, 'expected a character of JSON text or the closing double quote, found the end'],
    ['deviceName eq "\\x"', 16, 'expected a character of JSON text or the closing double quote, found \\'],
    ['online eq true und', 16, 'expected and, or or the end, found und'],
    ['(online eq true', 16, 'expected ), and or or, found the end'],
    [
      '中 eq 1',
      1,
      '中 is not a field: use productKey, deviceName, iotId, deviceType, online, since, firstSeen, lastSeen, lifecycle, gateway, owner, tags.<key> or state.<identifier>',
    ],
    ['tags["😀"] eq 5', 14, 'a tag is text: compare it with text in double quotes'],
    [
      'Online eq true',
      1,
      'Online is not a field: use productKey, deviceName, iotId, deviceType, online, since, firstSeen, lastSeen, lifecycle, gateway, owner, tags.<key> or state.<identifier>',
    ],
    ['tags eq "x"', 1, 'tags needs a key: tags.floor or tags["any key"]'],
    ['state gt 5', 1, 'state needs an identifier: state.temperature or state["any:one"]'],
    ['tags.a.b eq "x"', 7, 'a tag is text, nothing is inside of it'],
    ['online.x eq true', 7, 'nothing is inside of online'],
    ['online eq "true"', 11, 'online is true, false or null'],
    ['online gt true', 11, 'gt needs an order, and true has none: use eq or ne'],
    ['state.x le null', 12, 'le needs an order, and null has none: use eq or ne'],
    ['online contains "t"', 8, 'contains is for text, and online is a boolean'],
    ['lastSeen startsWith "2026"', 10, 'startsWith is for text, and lastSeen is a time'],
    ['deviceName contains 5', 21, 'contains needs text, in double quotes'],
    ['productKey eq 5', 15, 'productKey is text: compare it with text in double quotes'],
    ['productKey in ("a", 5)', 21, 'productKey is text: compare it with text in double quotes'],
    ['lastSeen gt "yesterday"', 13, 'lastSeen is a time, such as "2026-11-22T07:35:00.000Z", in the years 1 to 9999'],
    ['lastSeen gt true', 13, 'lastSeen is a time, such as "2026-11-22T07:35:00.000Z", in the years 1 to 9999'],
    ['lifecycle eq "deleted"', 14, 'lifecycle is one of "create", "delete", "enable", "disable"'],
    ['deviceName eq "a\\u0000"', 15, 'text may hold neither the NUL character nor half of a surrogate pair'],
    ['tags["\\ud800"] eq "a"', 5, 'a name may hold neither the NUL character nor half of a surrogate pair'],
    ['state.x eq 1e999999999', 12, 'a number has at most 10000 digits, written out'],
    ['state.x eq 5x', 12, 'expected a number, text in double quotes or true, false or null, found 5x'],
    ['state.x eq TRUE', 12, 'expected a number, text in double quotes or true, false or null, found TRUE'],
  ])('refuses %s, at column %d', (written, column, detail) => {
    expect(refusal(written)).toEqual([{ parameter: 'filter', column, detail: `column ${column}: ${detail}` }]);
  });

  it.each<[string, string, number, string]>([
    ['parentheses', `${'('.repeat(21)}online eq true`, 21, 'parentheses go at most 20 deep'],
    ['conditions', `online eq true${' or online eq true'.repeat(50)}`, 901, 'a filter has at most 50 conditions'],
    ['values', `state.x in (${'1,'.repeat(200)}1)`, 413, 'a filter has at most 200 values in its lists'],
    ['steps', `state${'.x'.repeat(12)} eq 1`, 28, 'a field leads at most 10 steps into a struct'],
    ['characters', ' '.repeat(4001), 4001, 'a filter has at most 4000 characters, this one 4001'],
  ])('refuses too many %s', (_, written, column, detail) => {
    expect(refusal(written)).toEqual([{ parameter: 'filter', column, detail: `column ${column}: ${detail}` }]);
  });

  it('survives any text, and as many nots as fit', () => {
    const words = [
      '(',
      ')',
      'not ',
      'and',
      'or',
      'eq',
      'in',
      'exists',
      'online',
      'tags.a',
      'state["',
      '"',
      '\\',
      '5e',
      '-',
      ' ',
      'null',
      ',',
    ];
    const nonsense = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((some) => some.join('')),
      fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((some) => some.join(' ')),
    );
    fc.assert(
      fc.property(nonsense, (written) => {
        refusal(written);
      }),
      { numRuns: 3_000 },
    );
    expect(refusal(`${'not '.repeat(900)}online eq true`)).toEqual([]);
    expect(refusal('not '.repeat(1_000))).toHaveLength(1);
  });

  it('sees no parentheses in text', () => {
    expect(refusal(`deviceName eq "${'('.repeat(30)}\\"${'('.repeat(30)}"`)).toEqual([]);
  });

  function refusal(written: string): unknown {
    try {
      parseFilter(written);
      return [];
    } catch (error) {
      if (!(error instanceof BadParameters)) throw error;
      return (error.getResponse() as ProblemDocument).errors;
    }
  }
});
