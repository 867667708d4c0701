import { describe, expect, it } from '@jest/globals';
import { JsonText } from '../storage/json-text.js';
import { csvRecord } from './csv.js';

describe('a field of CSV', () => {
  it.each<[string, unknown, string]>([
    ['nothing', null, ''],
    ['a column that is not there', undefined, ''],
    ['an empty text', '', '""'],
    ['a text', 'lock-0001', 'lock-0001'],
    ['a text of blanks', '  ', '  '],
    ['a comma', 'a,b', '"a,b"'],
    ['a quote', 'a"b', '"a""b"'],
    ['a line end', 'a\nb', '"a\nb"'],
    ['a carriage return', 'a\rb', '"a\rb"'],
    ['Chinese', '门锁', '门锁'],
    ['what a spreadsheet would calculate', '=1+1', '=1+1'],
    ['a number', 12, '12'],
    ['a boolean', false, 'false'],
    ['a time', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a number of the database', new JsonText('1234567890123456789.10'), '1234567890123456789.10'],
    ['JSON null', new JsonText('null'), 'null'],
    ['JSON text', new JsonText('"on"'), '"""on"""'],
    ['a struct', { a: new JsonText('1.50'), b: ['x'] }, '"{""a"":1.50,""b"":[""x""]}"'],
  ])('that holds %s', (_, value, field) => {
    expect(csvRecord([value, 1])).toBe(`${field},1\r\n`);
  });
});
