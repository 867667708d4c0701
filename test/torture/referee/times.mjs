// @ts-check
import { JsonNumber } from './exact-json.mjs';

/** @import { Json, JsonObject } from './exact-json.mjs' */

// "`at` is the time in the body; where there is none, generateTime; else receipt. It must lie in the years 1 to 9999 and at
// most 25 hours after the platform's time of the message." The time of receipt is nobody's to foretell: it is null here.

/** @typedef {number | null} At milliseconds since 1970; null is the time of receipt */

const AHEAD_MS = 25 * 3_600_000;
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
const PLATFORM_SAYS = ['gmtCreate', 'messageCreateTime'];
const BODY_SAYS = [...PLATFORM_SAYS, 'time', 'utcTime'];

export class Times {
  /**
   * @param {string | null} generateTime
   * @param {JsonObject | null} body
   * @param {number} receipt about when it is received; only to judge what lies in the future
   */
  constructor(generateTime, body, receipt) {
    const generated = generateTime === null ? null : instant(generateTime);
    const platform = generated ?? first(body, PLATFORM_SAYS, LAST_MS) ?? receipt;
    this.latest = Math.min(platform + AHEAD_MS, LAST_MS);
    /** @type {At} the message's own */
    this.at = first(body, BODY_SAYS, this.latest) ?? generated;
  }

  /**
   * @param {Json | undefined} value a missing one is the message's own
   * @returns {At | 'bad-time' | 'future-time'}
   */
  of(value) {
    if (value === undefined || value === null) return this.at;
    const ms = instant(value);
    if (ms === null) return 'bad-time';
    return ms > this.latest ? 'future-time' : ms;
  }

  /**
   * The same where a time that cannot be believed is the message's own.
   * @param {Json | undefined} value
   */
  near(value) {
    const at = this.of(value);
    return typeof at === 'string' ? this.at : at;
  }
}

/**
 * @param {JsonObject | null} body
 * @param {readonly string[]} names
 * @param {number} latest
 */
function first(body, names, latest) {
  for (const name of body ? names : []) {
    const ms = instant(body?.get(name) ?? null);
    if (ms !== null && ms <= latest) return ms;
  }
  return null;
}

/**
 * A number, digits in a text, or ISO 8601 with its zone.
 * @param {Json} value
 */
export function instant(value) {
  let ms = NaN;
  if (value instanceof JsonNumber) ms = value.double;
  else if (typeof value !== 'string' || value.length > 40) return null;
  else if (/^-?\d+$/.test(value)) ms = Number(value);
  else if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(value)) ms = Date.parse(value);
  return ms >= FIRST_MS && ms <= LAST_MS ? Math.floor(ms) : null;
}
