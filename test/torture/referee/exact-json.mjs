// @ts-check

// JSON as it was sent: every digit of a number, objects as maps (so that no name is special), the last of equal keys.

/** A number as its JSON text. */
export class JsonNumber {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  /** As near as a double comes; for times. */
  get double() {
    return Number(this.text);
  }
}

/**
 * @typedef {import('./json.d.ts').Json} Json
 * @typedef {import('./json.d.ts').JsonObject} JsonObject
 */

/** @param {Json | undefined} value @returns {value is JsonObject} */
export const isObject = (value) => value instanceof Map;

/** Why a text is no JSON that anybody looks at. */
export class Unreadable extends Error {
  /** @param {'not-json' | 'too-deep'} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const DEEPEST = 64;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const WORD = /true|false|null/y;
/** @type {Readonly<Record<string, boolean | null>>} */
const WORDS = { true: true, false: false, null: null };

/**
 * @param {string} text
 * @returns {Json}
 * @throws {Unreadable}
 */
export function parseJson(text) {
  return new Parser(text.startsWith('\ufeff') ? text.slice(1) : text).document();
}

class Parser {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  document() {
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) throw new Unreadable('not-json');
    return value;
  }

  /**
   * @param {number} depth
   * @returns {Json}
   */
  value(depth) {
    this.space();
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth + 1);
      case '[':
        return this.array(depth + 1);
      case '"':
        return this.string();
      default: {
        const number = this.take(NUMBER);
        if (number !== null) return new JsonNumber(number);
        const word = this.take(WORD);
        if (word === null) throw new Unreadable('not-json');
        return WORDS[word] ?? null;
      }
    }
  }

  /** @param {number} depth @returns {JsonObject} */
  object(depth) {
    this.open(depth);
    /** @type {JsonObject} */
    const members = new Map();
    if (this.closes('}')) return members;
    do {
      this.space();
      const name = this.string();
      this.expect(':');
      members.set(name, this.value(depth));
    } while (this.goesOn('}'));
    return members;
  }

  /** @param {number} depth @returns {Json[]} */
  array(depth) {
    this.open(depth);
    /** @type {Json[]} */
    const items = [];
    if (this.closes(']')) return items;
    do items.push(this.value(depth));
    while (this.goesOn(']'));
    return items;
  }

  string() {
    const token = this.take(STRING);
    if (token === null) throw new Unreadable('not-json');
    const plain = token.slice(1, -1);
    if (!plain.includes('\\') && !hasControl(plain)) return plain;
    try {
      return /** @type {string} */ (JSON.parse(token));
    } catch {
      throw new Unreadable('not-json');
    }
  }

  /** @param {number} depth */
  open(depth) {
    if (depth > DEEPEST) throw new Unreadable('too-deep');
    this.at++;
  }

  /** @param {string} end */
  closes(end) {
    this.space();
    if (this.text[this.at] !== end) return false;
    this.at++;
    return true;
  }

  /** @param {string} end */
  goesOn(end) {
    if (this.closes(end)) return false;
    this.expect(',');
    return true;
  }

  /** @param {string} character */
  expect(character) {
    if (!this.closes(character)) throw new Unreadable('not-json');
  }

  space() {
    this.take(SPACE);
  }

  /** @param {RegExp} token */
  take(token) {
    token.lastIndex = this.at;
    const match = token.exec(this.text);
    if (match === null) return null;
    this.at = token.lastIndex;
    return match[0];
  }
}

/** @param {string} text */
function hasControl(text) {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}
