import { parse } from 'lossless-json';
import type { Refusal } from '../domain/raw-message.js';
import { ExactNumber, type Json } from './json.js';

export const BYTE_ORDER_MARK = 0xfeff;

/** Deepest nesting of objects and arrays that is looked at. */
export const DEPTH_LIMIT = 64;

/** A double gives back every decimal text of up to 15 digits; with 16 it may not. */
const SAFE_DIGITS = 15;

/**
 * Reads JSON text without losing a digit of a number. Duplicate keys: the last one wins. A byte order mark is tolerated.
 * Depth is checked on the text, before anything that recurses sees it.
 */
export function parseJson(text: string): { readonly value: Json } | { readonly refusal: Refusal } {
  const json = text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  const { tooDeep, needsExactNumbers } = scan(json);
  if (tooDeep) {
    return { refusal: { reason: 'too-deep', detail: `The body nests deeper than ${DEPTH_LIMIT} levels.` } };
  }
  try {
    return { value: needsExactNumbers ? parseExactly(json) : (JSON.parse(json) as Json) };
  } catch (error) {
    return { refusal: { reason: 'not-json', detail: `The body is not JSON: ${(error as Error).message}` } };
  }
}

/** `lossless-json` takes more than twice as long as JSON.parse, so only bodies that need it go this way. */
function parseExactly(text: string): Json {
  return parse(text, null, {
    parseNumber: (number) =>
      number.length <= SAFE_DIGITS && !/[eE]/.test(number) ? Number(number) : new ExactNumber(number),
    onDuplicateKey: ({ newValue }) => newValue,
  }) as Json;
}

/** One pass over the text, whether or not it is JSON: how deep it nests, and whether a number needs more than a double. */
function scan(text: string): { readonly tooDeep: boolean; readonly needsExactNumbers: boolean } {
  let depth = 0;
  let needsExactNumbers = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22 /* " */) {
      i = endOfString(text, i);
      if (i < 0) break;
    } else if (code === 0x7b /* { */ || code === 0x5b /* [ */) {
      if (++depth > DEPTH_LIMIT) return { tooDeep: true, needsExactNumbers };
    } else if (code === 0x7d /* } */ || code === 0x5d /* ] */) {
      depth--;
    } else if (code >= 0x30 && code <= 0x39) {
      const start = i;
      while (isDigitOrPoint(text.charCodeAt(i + 1))) i++;
      const next = text.charCodeAt(i + 1);
      if (i + 1 - start > SAFE_DIGITS || next === 0x65 /* e */ || next === 0x45 /* E */) needsExactNumbers = true;
    }
  }
  return { tooDeep: false, needsExactNumbers };
}

/** Where the string that opens at `start` closes; -1 when it does not. */
export function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return -1;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}

function isDigitOrPoint(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e;
}
