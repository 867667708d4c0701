import { describe, expect, it } from '@jest/globals';
import { MalformedWireValue, textOf, WireReader } from './wire-value.js';

const hex = (digits: string): WireReader => new WireReader(Buffer.from(digits.replaceAll(' ', ''), 'hex'));
const string = (text: string): string => `b1 ${uint32(Buffer.byteLength(text))} ${Buffer.from(text).toString('hex')}`;

describe('the text of a value', () => {
  it.each([
    ['null', '40', null],
    ['true', '41', 'true'],
    ['false', '42', 'false'],
    ['a boolean of one byte', '56 01', 'true'],
    ['uint 0', '43', '0'],
    ['ulong 0', '44', '0'],
    ['a ubyte', '50 ff', '255'],
    ['a byte', '51 80', '-128'],
    ['a small int', '54 7f', '127'],
    ['a small long', '55 ff', '-1'],
    ['a ushort', '60 ffff', '65535'],
    ['a short', '61 fffe', '-2'],
    ['a uint', '70 ffffffff', '4294967295'],
    ['an int', '71 80000000', '-2147483648'],
    ['a float', '72 3fc00000', '1.5'],
    ['a double', '82 7ff8000000000000', 'NaN'],
    ['a character', '73 0001f600', '😀'],
    ['a character that does not exist', '73 ffffffff', '4294967295'],
    ['a ulong of zeros', '80 0000000000000000', '0'],
    ['a ulong of 2^53 - 1', '80 001fffffffffffff', '9007199254740991'],
    ['a ulong of 2^53 + 1', '80 0020000000000001', '9007199254740993'],
    ['a ulong of 2^64 - 1', '80 ffffffffffffffff', '18446744073709551615'],
    ['a long of -1', '81 ffffffffffffffff', '-1'],
    ['a long of 2^53 + 1', '81 0020000000000001', '9007199254740993'],
    ['a long of -2^53', '81 ffe0000000000000', '-9007199254740992'],
    ['a long of -2^53 - 1', '81 ffdfffffffffffff', '-9007199254740993'],
    ['a long of -2^63', '81 8000000000000000', '-9223372036854775808'],
    ['a timestamp', '83 0000018bcfe56800', '1700000000000'],
    ['a UUID', '98 0123456789abcdef0123456789abcdef', '01234567-89ab-cdef-0123-456789abcdef'],
    ['an empty string', 'a1 00', ''],
    ['ASCII', 'a1 03 616263', 'abc'],
    ['a symbol', 'b3 00000003 616263', 'abc'],
    ['UTF-8', 'a1 03 61c3a9', 'aé'],
    ['a byte that is no UTF-8', 'a1 02 61ff', 'a\ufffd'],
    ['long ASCII', string('x'.repeat(300)), 'x'.repeat(300)],
    ['long UTF-8', string('é'.repeat(300)), 'é'.repeat(300)],
    ['binary that is no text', 'a0 02 ff01', 'ff01'],
    ['a list', 'c0 03 02 41 43', '["true","0"]'],
    ['a map', 'd1 00000006 00000002 41 43', '[["true","0"]]'],
    ['an array', 'e0 04 02 50 01 02', '["1","2"]'],
    ['a described value', '00 53 01 41', 'true'],
  ])('is the same for %s with a tree and without', (_, digits, expected) => {
    const [straight, tree] = [hex(digits), hex(digits)];
    expect(straight.readText(0)).toBe(expected);
    expect(textOf(tree.read())).toBe(expected);
    expect([straight.atEnd, tree.atEnd]).toEqual([true, true]);
  });

  it.each(['', '50', '60 00', '70 000000', '80 00000000000000', '98 00', 'a1', 'a1 02 61', 'b1 ffffffff 61', '3f'])(
    'is refused for the bytes "%s"',
    (digits) => {
      expect(() => hex(digits).readText(0)).toThrow(MalformedWireValue);
      expect(() => hex(digits).read()).toThrow(MalformedWireValue);
    },
  );
});

describe('a known text', () => {
  it.each([
    ['known', 'a1 03 716f73', 'qos'],
    ['a known symbol', 'a3 03 716f73', 'qos'],
    ['of the same length', 'a1 03 716f74', 'qot'],
    ['longer', 'a1 04 716f7373', 'qoss'],
    ['in its wide form', 'b1 00000003 716f73', 'qos'],
    ['no text', '52 07', '7'],
    ['null', '40', null],
  ])('may be %s', (_, digits, expected) => {
    const reader = hex(`${digits} 41`);
    expect(reader.readKnownText(['topic', 'qos'], 0)).toBe(expected);
    expect(reader.readText(0)).toBe('true');
  });

  it('is refused when the bytes end within it', () => {
    expect(() => hex('a1 03 716f').readKnownText(['qos'], 0)).toThrow(MalformedWireValue);
  });
});

describe('the head of a list or a map', () => {
  it('tells how many elements follow', () => {
    expect(hex('45').takeList()).toBe(0);
    expect(hex('c0 02 01 41').takeList()).toBe(1);
    expect(hex('d0 00000005 00000001 41').takeList()).toBe(1);
    expect(hex('c1 03 02 41 42').takeMap()).toBe(2);
    expect(hex('d1 00000006 00000002 41 42').takeMap()).toBe(2);
  });

  it('is not taken from anything else', () => {
    const reader = hex('41');
    expect([reader.takeList(), reader.takeMap(), reader.readBinary(), reader.takeDescribed()]).toEqual([
      null,
      null,
      null,
      false,
    ]);
    expect(reader.readText(0)).toBe('true');
    expect([reader.takeList(), reader.takeMap(), reader.readBinary()]).toEqual([null, null, null]); // nor from the end
  });

  it('is refused when it claims more elements than bytes', () => {
    expect(() => hex('c0 02 02 41').takeList()).toThrow('more elements than bytes');
    expect(() => hex('d1 ffffffff ffffffff').takeMap()).toThrow('more elements than bytes');
  });
});

describe('values within values', () => {
  const [list, array] = ['d0', 'f0'];
  const nested = (depth: number, code: string, core: string): string => {
    let digits = core;
    for (let i = 0; i < depth; i++) digits = `${code}${uint32(digits.length / 2 + 4)}00000001${digits}`;
    return digits;
  };

  it('are JSON in JSON, no longer than they are deep', () => {
    const text = hex(nested(32, list, 'a10178')).readText(0);
    expect(text).toBe(`${'['.repeat(32)}"x"${']'.repeat(32)}`);
    expect(hex('c0 06 01 c1 03 02 41 42').readText(0)).toBe('[[["true","false"]]]');
    expect(hex('c0 04 01 00 53 01 45').readText(0)).toBe('[[]]');
  });

  it.each([
    ['lists', nested(34, list, '41')],
    ['arrays', nested(34, array, '41')],
    ['two thousand arrays', nested(2_000, array, '41')],
  ])('are followed 32 levels down: %s', (_, digits) => {
    expect(() => hex(digits).read()).toThrow('nested deeper than 32');
  });

  it('may be empty only so often in a whole message, however many arrays they are in', () => {
    const nulls = 'f0 00000005 00008000 40'; // 32,768 of them
    const reader = hex(`${nulls} ${nulls} ${nulls}`);
    reader.read();
    expect(reader.read()).toMatchObject({ items: { length: 32_768 } });
    expect(() => reader.read()).toThrow('more elements than bytes');
  });
});

function uint32(value: number): string {
  return value.toString(16).padStart(8, '0');
}
