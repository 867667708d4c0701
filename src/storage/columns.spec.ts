import { describe, expect, it } from '@jest/globals';
import { column } from './columns.js';

describe('a column', () => {
  it.each<[string, readonly (string | number | boolean | Date | null)[], string]>([
    ['no rows', [], '{}'],
    ['numbers and truth', [1, -2, true, false], '{1,-2,true,false}'],
    ['texts, quoted, so that null the word stays a word', ['a', 'NULL', ''], '{"a","NULL",""}'],
    [
      'what means something in a literal',
      ['a"b', 'c\\d', '{e,f}', 'g"h\\"'],
      '{"a\\"b","c\\\\d","{e,f}","g\\"h\\\\\\""}',
    ],
    ['nulls before, between and after', [null, 'a', null, 'b', null], '{NULL,"a",NULL,"b",NULL}'],
    ['nothing but nulls, which unnest fills up', [null, null], '{}'],
  ])('holds %s', (_, cells, literal) => {
    expect(column(cells, (cell) => cell)).toBe(literal);
  });

  it('writes instants as ISO 8601 does, from the year 1 to 9999, whatever second came before', () => {
    const times = [
      '2026-11-22T09:00:00.000Z',
      '2026-11-22T09:00:00.007Z',
      '2026-11-22T09:00:59.999Z',
      '1969-12-31T23:59:59.999Z',
      '0001-01-01T00:00:00.000Z',
      '9999-12-31T23:59:59.120Z',
      '2026-11-22T09:00:00.000Z',
    ];
    expect(column(times, (time) => new Date(time))).toBe(`{"${times.join('","')}"}`);
  });
});
