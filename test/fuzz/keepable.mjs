// @ts-check
import { isDeepStrictEqual } from 'node:util';

/** @typedef {import('../../src/domain/decoded-message.js').DecodedMessage} DecodedMessage */

const FIRST_MS = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
/** Fields that are canonical JSON. A tag's `value` is not, but plain text. */
const JSON_FIELDS = new Set(['text', 'value', 'detail']);
const LABEL_LIMIT = 256;

/**
 * What is wrong with the outcome of decoding, as something to be written down: dates, texts and JSON that PostgreSQL can
 * hold, names of bearable length, and either events or a refusal.
 * @param {DecodedMessage} decoded
 * @returns {string | null}
 */
export function unkeepable(decoded) {
  const { key, sentAt, events, refusal } = decoded;
  if (!/^[0-9a-f]{32}$/.test(key)) return `the key is ${key}`;
  if (sentAt !== null && !isDate(sentAt)) return `sentAt is ${sentAt.getTime()}`;
  if (refusal !== null) {
    if (events.length > 0) return 'it is refused and has events';
    if (refusal.detail.startsWith('Decoding failed')) return `a decoder threw: ${refusal.detail}`;
    if (refusal.detail.length > 500) return 'the refusal is longer than 500 characters';
    return textFault('refusal', refusal.detail) ?? fieldsFault('about', decoded.about, false);
  }
  if (!Array.isArray(events)) return 'there are neither events nor a refusal';
  for (const event of events) {
    const fault = fieldsFault(event.kind, event, event.kind !== 'tags-changed');
    if (fault !== null) return fault;
  }
  return null;
}

/**
 * @param {string} where
 * @param {object} fields
 * @param {boolean} holdsJson
 * @returns {string | null}
 */
function fieldsFault(where, fields, holdsJson) {
  for (const [name, field] of Object.entries(fields)) {
    const place = `${where}.${name}`;
    let fault = null;
    if (typeof field === 'string') fault = textFault(place, field) ?? lengthFault(place, name, field, holdsJson);
    else if (field instanceof Date) fault = isDate(field) ? null : `${place} is ${field.getTime()}`;
    else if (typeof field === 'number') fault = Number.isInteger(field) ? null : `${place} is ${field}`;
    else if (typeof field === 'object' && field !== null) fault = fieldsFault(place, field, holdsJson);
    if (fault !== null) return fault;
  }
  return null;
}

/**
 * @param {string} place
 * @param {string} text
 */
function textFault(place, text) {
  if (text.includes('\0')) return `${place} holds a NUL character`;
  return text.isWellFormed() ? null : `${place} holds half of a surrogate pair`;
}

/**
 * @param {string} place
 * @param {string} name
 * @param {string} text
 * @param {boolean} holdsJson
 */
function lengthFault(place, name, text, holdsJson) {
  if (holdsJson && JSON_FIELDS.has(name)) return jsonFault(place, text);
  if (name === 'topic' || name === 'value') return null;
  return text.length > LABEL_LIMIT && [...text].length > LABEL_LIMIT ? `${place} is longer than 256 characters` : null;
}

/**
 * Canonical JSON is what PostgreSQL prints for a jsonb: checked in outline, without the code that is tried.
 * @param {string} place
 * @param {string} text
 */
function jsonFault(place, text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return `${place} is not JSON`;
  }
  const outside = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  if (/\d[eE]|[eE][+-]?\d/.test(outside)) return `${place} has a number with an exponent`;
  if (/-0(?![.\d])|\.\d*0(?!\d)/.test(outside)) return `${place} has a number with needless zeros`;
  if (outside.split(/[^\d.]+/).some((number) => number.length > 1_001))
    return `${place} has a number over 1,000 digits`;
  // keys and strings as they come back from a parser say nothing that PostgreSQL refuses
  return /\\u0000/.test(text.replaceAll('\\\\', '')) || !wellFormed(value) ? `${place} cannot be a jsonb` : null;
}

/**
 * @param {unknown} value
 * @returns {boolean}
 */
function wellFormed(value) {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, member]) => key.isWellFormed() && wellFormed(member));
}

/** @param {Date} date */
function isDate(date) {
  return date.getTime() >= FIRST_MS && date.getTime() <= LAST_MS && Number.isInteger(date.getTime());
}

/**
 * Whether two outcomes tell the same, in whatever order.
 * @param {DecodedMessage} a
 * @param {DecodedMessage} b
 */
export function tellSame(a, b) {
  return isDeepStrictEqual(told(a), told(b));
}

/** @param {DecodedMessage} decoded */
function told({ events, refusal }) {
  if (refusal !== null) return refusal.reason;
  return events.map((event) => JSON.stringify(event, sortedLists)).sort();
}

/**
 * @param {string} _name
 * @param {unknown} value
 */
function sortedLists(_name, value) {
  if (!Array.isArray(value)) return value;
  return value.map((item) => JSON.stringify(item)).sort();
}
