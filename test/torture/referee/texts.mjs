// @ts-check
import { createHash } from 'node:crypto';

// What a text must be to stand in a table, and how one is shown that cannot (promise 4; limits of a message).

const LONGEST_NAME = 256;

/** @param {string} text at most 256 characters, one for each code point */
export function isShort(text) {
  if (text.length <= LONGEST_NAME) return true;
  return text.length <= 2 * LONGEST_NAME && [...text].length <= LONGEST_NAME;
}

/** PostgreSQL holds no NUL and no half of a surrogate pair. @param {string} text */
export function isStorable(text) {
  return !text.includes('\0') && text.isWellFormed();
}

/** The text with what PostgreSQL cannot hold spelt out. @param {string} text */
export function spelt(text) {
  if (isStorable(text)) return text;
  let out = '';
  for (const character of text) {
    const bad = character === '\0' || !character.isWellFormed();
    out += bad ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character;
  }
  return out;
}

/**
 * For people to read: spelt out, and cut with an ellipsis.
 * @param {string} text
 */
export function shortened(text, limit = LONGEST_NAME) {
  return cut(spelt(cut(text, limit)), limit);
}

/**
 * @param {string} text
 * @param {number} limit
 */
function cut(text, limit) {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit - 1);
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

/** As the columns beside the exact bytes show it. @param {string} text */
export function replaced(text) {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/** @param {string | Buffer} content */
export function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}

/**
 * A copy that keeps nothing else alive: what was cut out of a body would keep all of the body in memory.
 * @param {string} text
 */
export function ownCopy(text) {
  return text.length < 13 ? text : Buffer.from(text).toString();
}
