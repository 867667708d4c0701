import { describe, expect, it } from '@jest/globals';
import { Random } from '../random.js';
import type { RuleMessage } from './sql-functions.js';
import { BadSql } from './sql-grammar.js';
import { readJson, SqlFailed } from './sql-value.js';
import { compileSql } from './sql.js';

const TOPIC = '/h9DemoEnt02/boiler-3/thing/event/property/post';
const REPORT = `{"deviceName":"boiler-3","gmtCreate":1700000200011,"big":1234567890123456789,"exact":1.10,
  "nothing":null,"on":1,"isTest":true,"color":"red","list":[{"v":0},{"v":1}],"ЖЖ":7,"m:p":3,
  "items":{"WaterTemp":{"value":61.5,"time":1700000200004},"Power":{"value":"On","time":1},
  "Position":{"value":{"latitude":39.9,"longitude":116.38},"time":2}}}`;

const aMessage = (body: string | Buffer = REPORT): RuleMessage => {
  const bytes = Buffer.from(body);
  return {
    id: '123456789012345678',
    topic: TOPIC,
    productKey: 'h9DemoEnt02',
    deviceName: 'boiler-3',
    body: bytes,
    row: readJson(bytes.toString())?.value ?? null,
    now: 1_543_373_798_943,
    random: new Random('1'),
    tag: (key) => (key === 'room' ? 'cellar' : null),
  };
};

const FROM = 'FROM "/sys/h9DemoEnt02/+/thing/event/property/post"';
const select = (fields: string, message = aMessage()): string | undefined =>
  compileSql(`SELECT ${fields} ${FROM}`).run(message)?.toString();
const holds = (condition: string, message = aMessage()): boolean =>
  compileSql(`SELECT * ${FROM} WHERE ${condition}`).run(message) !== null;

describe('SELECT', () => {
  it.each([
    ['items.WaterTemp.value AS t, deviceName() as d', '{"t":61.5,"d":"boiler-3"}'],
    ['items.WaterTemp.value', '{"items.WaterTemp.value":61.5}'],
    ['"items.WaterTemp.value" as t', '{"t":61.5}'],
    ["'items.WaterTemp.value' as t", '{"t":"items.WaterTemp.value"}'],
    ['big, exact', '{"big":1234567890123456789,"exact":1.10}'],
    ['big as b, big + 1 as next', '{"b":1234567890123456789,"next":1234567890123456790}'],
    ['nothing, missing, missing.too', '{"nothing":null}'],
    [
      'list, list[1].v as v, "$.list[0]" as first, ".list[1].v" as l',
      '{"list":[{"v":0},{"v":1}],"v":1,"first":{"v":0},"l":[1]}',
    ],
    ['ЖЖ, m:p as p', '{"ЖЖ":7,"p":3}'],
    ["case on when 1 then 'Y' when 0 then 'N' else '' end as flag", '{"flag":"Y"}'],
    ["case when on > 5 then 'big' end as flag", '{"flag":null}'],
    ['on + 2 * 3 as a, (on + 2) * 3 as b, 7 % 4 as c, 1 / 4 as d, -on as e', '{"a":7,"b":9,"c":3,"d":0.25,"e":-1}'],
    [
      "thingPropertyFlatMap('Power', 'Position')",
      '{"Power":"On","Position_latitude":39.9,"Position_longitude":116.38}',
    ],
    [
      'deviceName() as d, thingPropertyFlatMap()',
      '{"d":"boiler-3","WaterTemp":61.5,"Power":"On","Position_latitude":39.9,"Position_longitude":116.38}',
    ],
    ["attribute('room') as room, attribute('none') as none", '{"room":"cellar"}'],
    ["1 as one, 'it\\'s' as text, true as yes, null as no", '{"one":1,"text":"it\'s","yes":true,"no":null}'],
  ])('%s', (fields, expected) => {
    expect(select(fields)).toBe(expected);
  });

  it('* passes the bytes on as they are', () => {
    expect(select('*')).toBe(REPORT);
    const binary = Buffer.from([0, 255, 1]);
    expect(compileSql(`SELECT * ${FROM}`).run(aMessage(binary))).toEqual(binary);
  });

  it('* and functions together', () => {
    expect(select('*, messageId() as id', aMessage('{"a":1,"n":1e400}'))).toBe(
      '{"a":1,"n":1e400,"id":"123456789012345678"}',
    );
  });

  it('works on what is no JSON with functions only', () => {
    const message = aMessage(Buffer.from([0, 255]));
    expect(select('to_base64(*) as b, to_hex(*) as h, deviceName() as d', message)).toBe(
      '{"b":"AP8=","h":"00ff","d":"boiler-3"}',
    );
    expect(select('a', message)).toBeUndefined();
    expect(select('*, deviceName() as d', message)).toBeUndefined();
    expect(holds("deviceName() = 'boiler-3'", message)).toBe(true);
    expect(holds('a is null', message)).toBe(false);
  });

  it('a field named as a part of every object is not found', () => {
    expect(select('constructor, items.__proto__, toString', aMessage('{"items":{},"__proto__":{"x":1}}'))).toBe('{}');
  });
});

describe('WHERE', () => {
  it.each([
    ["color = 'red'", true],
    ["color <> 'red'", false],
    ["color != 'red' or isTest", true],
    ["color = 'red' AND (items.WaterTemp.value > 70 OR on = 1)", true],
    ["color = 'red' and items.WaterTemp.value > 70 or on = 0", false],
    ['not (on = 1)', false],
    ['on = 0 and isTest', false],
    ['missing = 1 and on = 0', false],
    ['items.WaterTemp.value >= 61.5 and items.WaterTemp.value <= 61.5', true],
    ['items.WaterTemp.value between 61 and 62', true],
    ['items.WaterTemp.value not between 61 and 62', false],
    ["color like 'r%' and color not like '%x%'", true],
    ["color in ('blue', 'red')", true],
    ['on in (2, 3)', false],
    ['on not in (2, 3)', true],
    ['nothing is null and missing is null and on is not null', true],
    ['missing = 1', false],
    ['missing <> 1', false],
    ['not (missing = 1)', false],
    ['missing = 1 or on = 1', true],
    ['big = 1234567890123456789', true],
    ['big = 1234567890123456788', false],
    ['big > 1234567890123456788', true],
    ["'5' < 10", true],
    ["'b' > 'a'", true],
    ['isTest', true],
    ['isTest = 1', true],
    ['items = 1', false],
    ["deviceName() in ('boiler-1','boiler-3')", true],
  ])('%s: %s', (condition, expected) => {
    expect(holds(condition)).toBe(expected);
  });
});

describe('functions', () => {
  it.each<[string, unknown]>([
    ['abs(-1.5)', 1.5],
    ['asin(1)', Math.PI / 2],
    ['asin(2)', undefined],
    ["concat(color,'a')", 'reda'],
    ['cos(0)', 1],
    ['cosh(0)', 1],
    ["crypto('abc','MD2')", 'da853b0d3f88d99b30283a69e6ded6bb'],
    ["crypto('','MD2')", '8350e5a3e24c153df2275c9f80692773'],
    ["crypto('abc','MD5')", '900150983cd24fb0d6963f7d28e17f72'],
    ["crypto('abc','SHA1')", 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ["crypto('abc','sha-256')", 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ["endswith(color, 'ed')", true],
    ['exp(0)', 1],
    ['floor(-1.5)', -2],
    ['log(1000)', 3],
    ['log(8, 2)', 3],
    ["lower('ABC')", 'abc'],
    ['messageId()', '123456789012345678'],
    ['mod(7, 4)', 3],
    ['nanvl(missing, 5)', 5],
    ['nanvl(on, 5)', 1],
    ['newuuid()', expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)],
    ['payload()', REPORT],
    ["payload('utf-8')", REPORT],
    ['power(2, 10)', 1_024],
    ['productKey()', 'h9DemoEnt02'],
    ['rand()', expect.any(Number)],
    ["replace('a.b.c','.','-')", 'a-b-c'],
    ['sin(0)', 0],
    ['sinh(0)', 0],
    ["substring('012345', 0)", '012345'],
    ["substring('012345', 2)", '2345'],
    ["substring('012345', 2.745)", '2345'],
    ['substring(123, 2)', '3'],
    ["substring('012345', -1)", '012345'],
    ["substring('012345', 1, 3)", '12'],
    ["substring('012345', -50, 50)", '012345'],
    ["substring('012345', 3, 1)", ''],
    ['tan(0)', 0],
    ['tanh(0)', 0],
    ['timestamp()', 1_543_373_798_943],
    ["timestamp('yyyy-MM-dd\\'T\\'HH:mm:ss\\'Z\\'')", '2018-11-28T10:56:38Z'],
    ['timestamp_utc()', 1_543_373_798_943],
    ["timestamp_utc('yyyy-MM-dd\\'T\\'HH:mm:ss\\'Z\\'')", '2018-11-28T02:56:38Z'],
    ['topic()', TOPIC],
    ['topic(1)', 'h9DemoEnt02'],
    ['topic(2)', 'boiler-3'],
    ['topic(99)', undefined],
    ["upper('alibaba')", 'ALIBABA'],
    ['abs(missing)', undefined],
  ])('%s', (call, expected) => {
    const { x } = JSON.parse(select(`${call} as x`) ?? '') as { x?: unknown };
    expect(x).toEqual(expected);
  });

  it.each([
    ['substring(true, 1.2)', 'substring() takes text or an integer, not "true"'],
    ["abs('x')", 'abs() takes numbers, not "x"'],
    ["crypto('x','MD4')", 'crypto() knows MD2, MD5'],
    ["payload('nothing')", 'payload() knows no encoding "nothing"'],
    ["timestamp('bbb')", 'timestamp(): the letter b means nothing'],
    ['color + 1', '+ takes numbers, not "red"'],
    ['items - 1', '- takes numbers'],
  ])('%s fails', (call, message) => {
    expect(() => select(`${call} as x`)).toThrow(SqlFailed);
    expect(() => select(`${call} as x`)).toThrow(message);
  });
});

it.each([
  ['SELECT', 1, 7],
  ['SELECT a FROM', 1, 14],
  ['SELECT a FROM topic', 1, 15],
  ['SELECT a,, b FROM "/a"', 1, 10],
  ['SELECT a FROM "/a" WHERE', 1, 25],
  ['SELECT a FROM "/a"\n  WHERE b >', 2, 12],
  ['SELECT items.2Co.value FROM "/a"', 1, 14],
  ['SELECT 2Co FROM "/a"', 1, 8],
  ['SELECT a, devicename() FROM "/a"', 1, 11],
  ['SELECT a, abs() FROM "/a"', 1, 11],
  ['SELECT a, abs(*) FROM "/a"', 1, 11],
  ['SELECT a, to_hex(b) FROM "/a"', 1, 11],
  ['SELECT a AS FROM "/a"', 1, 18],
  ['SELECT (SELECT b) FROM "/a"', 1, 8],
  ['SELECT \'a FROM "/a"', 1, 8],
  [`SELECT ${'a,'.repeat(50)}a FROM "/a"`, 1, 108],
])('%s is wrong at line %s, column %s', (text, line, column) => {
  expect.assertions(1);
  try {
    compileSql(text);
  } catch (error) {
    expect(error).toMatchObject({ name: 'BadSql', line, column });
  }
});

it.each([
  ['a CASE within a CASE', 'SELECT case when a then case when b then 1 end end as x FROM "/a"'],
  ['brackets without end', `SELECT ${'('.repeat(9_000)}a FROM "/a"`],
  ['a statement without end', `SELECT ${'a'.repeat(20_000)} FROM "/a"`],
])('refuses %s', (_name, text) => {
  expect(() => compileSql(text)).toThrow(BadSql);
});

it('names what it expected', () => {
  expect(() => compileSql('SELECT a FROM "/a" WHERE b ~ 1')).toThrow(/^column 28: Expected .* but "~" found\.$/);
  expect(() => compileSql('SELECT DeviceName() FROM "/a"')).toThrow(
    'column 8: no function DeviceName; it is written deviceName',
  );
});
