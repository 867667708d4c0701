import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aMessage } from '../../test/support/messages.js';
import { redactSecrets } from './redact-secrets.js';

const SECRET = 's3cr3tOfTheLock';

function redacted(body: string | Buffer): string {
  return redactSecrets(aMessage({ body })).body.toString();
}

const inString = (json: string): string => JSON.stringify(json);

describe('redactSecrets', () => {
  it.each([
    ['plainly', `{"a":1,"deviceSecret":"${SECRET}","b":2}`, '{"a":1,"deviceSecret":"","b":2}'],
    ['with spaces', `{ "deviceSecret" :\n "${SECRET}" }`, '{ "deviceSecret" :\n "" }'],
    ['deeply', `{"a":[{"b":{"deviceSecret":"${SECRET}"}}]}`, '{"a":[{"b":{"deviceSecret":""}}]}'],
    ['with an escaped key', `{"device\\u0053ecret":"${SECRET}"}`, '{"device\\u0053ecret":""}'],
    ['as a number', '{"deviceSecret":123456,"b":2}', '{"deviceSecret":"","b":2}'],
    ['as the last number', '{"deviceSecret":123456}', '{"deviceSecret":""}'],
    ['as an object', `{"deviceSecret":{"x":["${SECRET}","]"]},"b":2}`, '{"deviceSecret":"","b":2}'],
    ['as a list', `{"deviceSecret":["${SECRET}"]}`, '{"deviceSecret":""}'],
    ['twice', `{"deviceSecret":"${SECRET}","deviceSecret":"${SECRET}"}`, '{"deviceSecret":"","deviceSecret":""}'],
    ['with quotes in it', `{"deviceSecret":"a\\"${SECRET}\\\\","b":1}`, '{"deviceSecret":"","b":1}'],
    ['with a capital', `{"DeviceSecret":"${SECRET}"}`, '{"DeviceSecret":""}'],
    ['beside other scripts', `{"名":"锁","deviceSecret":"${SECRET}"}`, '{"名":"锁","deviceSecret":""}'],
    ['behind a byte order mark', `\ufeff{"deviceSecret":"${SECRET}"}`, '\ufeff{"deviceSecret":""}'],
    [
      'in JSON in a string',
      `{"a":${inString(`{"deviceSecret":"${SECRET}","b":1}`)}}`,
      `{"a":${inString('{"deviceSecret":"","b":1}')}}`,
    ],
    [
      'in JSON in a string in a string',
      `[${inString(inString(`{"deviceSecret":"${SECRET}"}`))}]`,
      `[${inString(inString('{"deviceSecret":""}'))}]`,
    ],
    [
      'in JSON in a string with all of it escaped',
      `["\\u007b\\u0022\\u0064eviceSecret\\u0022:\\u0022${SECRET}\\u0022}"]`,
      `[${inString('{"deviceSecret":""}')}]`,
    ],
    ['in a sentence in a string', `["the deviceSecret: ${SECRET}, ok"]`, '["the deviceSecret: , ok"]'],
    ['in JSON that breaks off', `{"a":1,"deviceSecret":"${SECRET}`, '{"a":1,"deviceSecret":""'],
    ['in JSON with a fault elsewhere', `{"deviceSecret":"${SECRET}",,}`, '{"deviceSecret":"",,}'],
    ['in JSON after an odd quote', `5" {"deviceSecret":"${SECRET}"}`, '5" {"deviceSecret":""}'],
    ['in escaped JSON without its string', `{\\"deviceSecret\\":\\"${SECRET}\\"}`, '{\\"deviceSecret\\":\\"\\"}'],
    ['in single quotes', `{'deviceSecret': '${SECRET}', b: 1}`, "{'deviceSecret': '', b: 1}"],
    ['in a form', `a=1&deviceSecret=${SECRET}&b=2`, 'a=1&deviceSecret=&b=2'],
    ['in a settings file', `deviceSecret = "${SECRET}"\nb=1`, 'deviceSecret = ""\nb=1'],
    ['in XML', `<deviceSecret>${SECRET}</deviceSecret><b>1</b>`, '<deviceSecret></deviceSecret><b>1</b>'],
  ])('blanks a secret that stands %s', (_, body, expected) => {
    expect(redacted(body)).toBe(expected);
    expect(redacted(expected)).toBe(expected);
  });

  it('blanks it in bytes that are not UTF-8 and leaves the others as they are', () => {
    const body = Buffer.concat([
      Buffer.from([0xff, 0xc3]),
      Buffer.from(`{"deviceSecret":"${SECRET}"}`),
      Buffer.from([0x80]),
    ]);
    const expected = Buffer.concat([
      Buffer.from([0xff, 0xc3]),
      Buffer.from('{"deviceSecret":""}'),
      Buffer.from([0x80]),
    ]);
    expect(redactSecrets(aMessage({ body })).body).toEqual(expected);
  });

  it('blanks a property of that name, and the name within another', () => {
    const properties = { deviceSecret: SECRET, note: `{"deviceSecret":"${SECRET}"}`, qos: '1' };
    expect(redactSecrets(aMessage({ body: '', properties })).properties).toEqual({
      deviceSecret: '',
      note: '{"deviceSecret":""}',
      qos: '1',
    });
  });

  it.each([
    '{"a":1}',
    '{"deviceSecretKey":"x","myDeviceSecrets":[1]}',
    '{"deviceSecret":""}',
    '{"note":"the word deviceSecret alone"}',
    '{"key":"deviceSecret"}',
    '{"caf\\u00e9":"\\u0041"}',
  ])('hands back the very message where there is nothing to blank: %s', (body) => {
    const message = aMessage({ body, properties: { qos: '1' } });
    expect(redactSecrets(message)).toBe(message);
  });

  it('never leaves a secret anywhere in JSON, and leaves all else equal', () => {
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('x', '"\\', 'deviceSecret', 5, null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'deviceSecret', 'b"'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
        fc.record({ deviceSecret: fc.constant(SECRET) }),
        tie('value').map((inner) => JSON.stringify(inner)),
      ),
    }));
    fc.assert(
      fc.property(value, (tree) => {
        const text = redacted(JSON.stringify(tree));
        expect(text).not.toContain(SECRET);
        expect(JSON.parse(text)).toEqual(blanked(tree));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes time in proportion to the body, whatever stands in it', () => {
    const hostile = [
      '"',
      '\\"',
      'deviceSecret',
      'deviceSecret:\\',
      '{"deviceSecret":',
      '"deviceSecret":"',
      "deviceSecret='",
    ];
    for (const piece of hostile) expect(redacted(piece.repeat(100_000))).toBeDefined();
  });
});

/** What must become of a tree: the same by another way. */
function blanked(tree: unknown): unknown {
  if (typeof tree === 'string') {
    try {
      const inner: unknown = JSON.parse(tree);
      const clean = blanked(inner);
      return JSON.stringify(clean) === JSON.stringify(inner) ? tree : JSON.stringify(clean);
    } catch {
      return tree;
    }
  }
  if (Array.isArray(tree)) return tree.map(blanked);
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, key === 'deviceSecret' ? '' : blanked(value)]),
  );
}
