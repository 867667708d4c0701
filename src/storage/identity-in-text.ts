import { isUtf8 } from 'node:buffer';

/** From this length on, an identity is looked for anywhere in a text; a shorter one only as a word of its own. */
const UNMISTAKABLE = 16;

/** Letters after a backslash that stand for a blank of some kind. */
const BLANKS = /\\+[bfnrt]/g;
const ESCAPES = /\\+u([0-9a-fA-F]{4})|\\+(["/\\])/g;
const WORDS = [/[A-Za-z0-9]+/g, /[\w-]+/g, /[^\s"'`\\,;()[\]{}<>=]+/g, /[^"]+/g] as const;

/**
 * Finds an identity in text, also where its characters are escaped as in JSON, or in JSON within JSON. Global: for `replace`, or
 * for `search` (`test` would remember its place).
 */
export function mentionOf(identity: string): RegExp {
  const units = Array.from({ length: identity.length }, (_, index) => identity.charAt(index));
  const pattern = units.map(unitPattern).join('');
  return new RegExp(identity.length >= UNMISTAKABLE ? pattern : `(?<![\\w-])${pattern}(?![\\w-])`, 'g');
}

/** One UTF-16 unit: as it is, or escaped. */
function unitPattern(unit: string): string {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
  const digits = [...hex].map((digit) => (/[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit)).join('');
  const literal = /["\\/]/.test(unit) ? `\\\\*\\${unit}` : unit.replace(/[$()*+.?[\]^{|}-]/, '\\$&');
  return `(?:${literal}|\\\\+u${digits})`;
}

/** Whether a text names an identity. */
export function mentions(text: string, identity: string): boolean {
  return text.search(mentionOf(identity)) >= 0;
}

/** The text without an identity: nothing stands where it stood. */
export function blanked(text: string, identity: string): string {
  return text.replace(mentionOf(identity), '');
}

/** The bytes without an identity; the same bytes where they do not name it. */
export function blankedBytes(bytes: Buffer, identity: string): Buffer {
  const text = textOf(bytes);
  const sought = isUtf8(bytes) ? identity : Buffer.from(identity).toString('latin1');
  const without = blanked(text, sought);
  return without === text ? bytes : Buffer.from(without, isUtf8(bytes) ? 'utf8' : 'latin1');
}

/** Bytes as text that can be made the same bytes again. */
export function textOf(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

/** The words of a text that have one of some lengths, read in every way in which an identity may stand in it. */
export function wordsOf(text: string, lengths: ReadonlySet<number>): Set<string> {
  const words = new Set<string>();
  const plain = text
    .replace(BLANKS, ' ')
    .replace(ESCAPES, (_, hex: string | undefined, other: string | undefined) =>
      hex === undefined ? (other ?? '') : String.fromCharCode(parseInt(hex, 16)),
    );
  for (const reading of plain === text ? [text] : [text, plain]) {
    for (const pattern of WORDS) {
      for (const [word] of reading.matchAll(pattern)) if (lengths.has(word.length)) words.add(word);
    }
  }
  return words;
}
