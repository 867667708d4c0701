import { describe, expect, it } from '@jest/globals';
import { blanked, blankedBytes, mentions, wordsOf } from './identity-in-text.js';

const ANNA = '50ebop9d7384a1b2c3d4e5f6';

describe('an identity in text', () => {
  it.each([
    ['plain', `user ${ANNA} left`, 'user  left'],
    ['a JSON string', `{"identityId":"${ANNA}"}`, '{"identityId":""}'],
    ['within a longer word', `x${ANNA}y`, 'xy'],
    ['behind an escaped line break', `"a\\n${ANNA}"`, '"a\\n"'],
    ['with escaped letters', `"\\u0035${ANNA.slice(1)}"`, '""'],
    ['in JSON within JSON', `"{\\"id\\":\\"\\\\u0035${ANNA.slice(1)}\\"}"`, '"{\\"id\\":\\"\\"}"'],
    ['twice', `${ANNA},${ANNA}`, ','],
  ])('is blanked: %s', (_, text, expected) => {
    expect(mentions(text, ANNA)).toBe(true);
    expect(blanked(text, ANNA)).toBe(expected);
  });

  it.each([
    ['a short one inside of a word', 'anna', 'annabel joanna anna-1'],
    ['another case', ANNA, ANNA.toUpperCase()],
    ['a part of it', ANNA, ANNA.slice(1)],
  ])('is not seen in %s', (_, identity, text) => {
    expect(mentions(text, identity)).toBe(false);
    expect(blanked(text, identity)).toBe(text);
  });

  it.each(['a"b\\c/d', 'x.y*z+(1)[2]{3}|^$?-', '安娜'])('may have any characters: %s', (identity) => {
    for (const text of [`"${identity}"`, JSON.stringify(identity), JSON.stringify(JSON.stringify(identity))]) {
      expect(mentions(text, identity)).toBe(true);
      expect(blanked(text, identity)).not.toContain(identity.slice(0, 3));
    }
  });

  it('is blanked in bytes that are no text, and nothing else is changed', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`安娜是 ${ANNA}`), Buffer.from([0x80])]);
    const without = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('安娜是 '), Buffer.from([0x80])]);
    expect(blankedBytes(bytes, ANNA)).toEqual(without);
    expect(blankedBytes(bytes, '安娜是你的朋友')).toBe(bytes);
    expect(blankedBytes(bytes, '安娜是').includes('安')).toBe(false);
  });

  it.each([
    `{"identityId":"${ANNA}"}`,
    `users: ${ANNA}, bert`,
    `"\\n${ANNA}"`,
    `"\\u0035${ANNA.slice(1)}"`,
    `{\\"a\\":\\"${ANNA}\\"}`,
  ])('is one of the words of %s', (text) => {
    expect([...wordsOf(text, new Set([ANNA.length]))]).toContain(ANNA);
    expect(wordsOf(text, new Set([ANNA.length + 1])).has(ANNA)).toBe(false);
  });
});
