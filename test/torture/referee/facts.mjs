// @ts-check
import { canonical, canonicalOfAny, NotKept } from './canonical.mjs';
import { isObject, JsonNumber } from './exact-json.mjs';
import { isShort, isStorable, shortened } from './texts.mjs';

/**
 * @import { Json, JsonObject } from './exact-json.mjs'
 * @import { At, Times } from './times.mjs'
 * @import { DeviceName, Topic } from './topic.mjs'
 */

/**
 * What a message tells, in the words of the tables. `at` is null for the time of receipt.
 * @typedef {object} Event a row of EventLog
 * @property {'event'} what
 * @property {DeviceName | null} device
 * @property {string} productKey
 * @property {At} at
 * @property {string} kind
 * @property {string | null} identifier
 * @property {string | null} name
 * @property {string | null} type
 * @property {string | null} requestId
 * @property {string} value canonical JSON
 * @typedef {{ what: 'heard', device: DeviceName, at: At }} Heard
 * @typedef {{ what: 'attributes', device: DeviceName, at: At, iotId: string | null, deviceType: string | null }} Attributes
 * @typedef {{ what: 'reading', device: DeviceName, at: At, identifier: string, value: string }} Reading
 * @typedef {{ what: 'presence', device: DeviceName, at: At, order: At, online: boolean, reason: number | null }} Presence
 * @typedef {{ what: 'binding', device: DeviceName, at: At, user: readonly [string, string, string], bound: boolean, owned: boolean }} Binding
 * @typedef {{ what: 'lifecycle', device: DeviceName, at: At, action: string }} Lifecycle
 * @typedef {{ what: 'gateway', device: DeviceName, at: At, gateway: DeviceName | null }} Gateway
 * @typedef {{ what: 'tag', device: DeviceName, at: At, key: string, value: string }} Tag
 * @typedef {Event | Heard | Attributes | Reading | Presence | Binding | Lifecycle | Gateway | Tag} Fact
 */

/**
 * A message whose body is believed.
 * @typedef {object} Message
 * @property {DeviceName} device whom it speaks of; a product is a device without a name
 * @property {JsonObject} body
 * @property {Topic} topic
 * @property {Times} times
 */

/** Why a message tells nothing. */
export class Refused extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * @param {boolean} holds
 * @param {string} [reason]
 * @returns {asserts holds}
 */
export function require(holds, reason = 'invalid-body') {
  if (!holds) throw new Refused(reason);
}

/**
 * @param {DeviceName} device
 * @param {string} kind
 * @param {At} at
 * @param {string} value
 * @param {{ identifier?: string | null, name?: string | null, type?: string | null, requestId?: string | null }} [columns]
 * @returns {Event}
 */
export function event(device, kind, at, value, { identifier = null, name = null, type = null, requestId = null } = {}) {
  return { what: 'event', device, productKey: device.productKey, at, kind, identifier, name, type, requestId, value };
}

/**
 * The same where it shows that the device itself was heard.
 * @param {Parameters<typeof event>} told
 * @returns {Fact[]}
 */
export function heardEvent(...told) {
  const [device, , at] = told;
  return [event(...told), { what: 'heard', device, at }];
}

/**
 * A value that was not kept as what it claims to be.
 * @param {Message} message
 * @param {string | null} identifier
 * @param {string} reason
 * @param {Json} sent
 * @param {Json} [time] its own
 */
export function rejected({ device, times }, identifier, reason, sent, time) {
  const value = object({ reason, sent: new Spelt(canonicalOfAny(sent)) });
  const columns = { identifier: identifier === null ? null : shortened(identifier), type: reason };
  return heardEvent(device, 'value-rejected', times.near(time), value, columns);
}

/**
 * The one fact of a message; all of the body is rejected when its time cannot be believed or its value not be kept.
 * @param {Message} message
 * @param {Json | undefined} time
 * @param {(at: At) => Fact[]} tell
 */
export function oneFact(message, time, tell) {
  const at = message.times.of(time);
  if (typeof at === 'string') return rejected(message, null, at, message.body);
  try {
    return tell(at);
  } catch (error) {
    if (error instanceof NotKept) return rejected(message, null, error.reason, message.body, time);
    throw error;
  }
}

/** Canonical JSON, ready to be put into more of it. */
export class Spelt {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/**
 * Canonical JSON of an object of our own words.
 * @param {Record<string, string | number | boolean | null | Spelt>} members
 */
export function object(members) {
  const names = Object.keys(members).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const texts = names.map((name) => {
    const member = members[name] ?? null;
    return `${JSON.stringify(name)}: ${member instanceof Spelt ? member.text : JSON.stringify(member)}`;
  });
  return `{${texts.join(', ')}}`;
}

/** @param {readonly (string | Spelt)[]} items */
export function list(items) {
  return new Spelt(`[${items.map((item) => (item instanceof Spelt ? item.text : JSON.stringify(item))).join(', ')}]`);
}

/**
 * The named members that are there.
 * @param {JsonObject} body
 * @param {readonly string[]} names
 * @returns {JsonObject}
 */
export function part(body, names) {
  return new Map(names.flatMap((name) => (body.has(name) ? [[name, body.get(name) ?? null]] : [])));
}

/** The exact text of a whole number or of digits in a text. @param {Json | undefined} value */
export function wholeNumber(value) {
  const text = typeof value === 'string' ? value : plain(value);
  return text !== null && /^-?\d{1,40}$/.test(text) ? text : null;
}

/** @param {Json | undefined} value */
export function plain(value) {
  return value instanceof JsonNumber ? canonicalOrNull(value) : null;
}

/** @param {Json} value */
export function canonicalOrNull(value) {
  try {
    return canonical(value);
  } catch {
    return null;
  }
}

/** For people to read. @param {Json | undefined} value */
export function label(value) {
  return typeof value === 'string' && value !== '' ? shortened(value) : null;
}

/** Kept as it came or not at all. @param {Json | undefined} value */
export function attribute(value) {
  return typeof value === 'string' && value !== '' && isShort(value) && isStorable(value) ? value : null;
}

/** As text or as number; a device that sent none has an empty one or `"null"`. @param {Json | undefined} value */
export function requestId(value) {
  const text = value instanceof JsonNumber ? plain(value) : label(value);
  return text === null || text === 'null' ? null : shortened(text);
}

/** Why a text can be no identifier. @param {string} text */
export function identifierFault(text) {
  if (!isShort(text)) return 'too-long';
  return isStorable(text) ? null : 'not-storable';
}

/** @param {Json | undefined} value */
export const missing = (value) => value === undefined || value === null || value === '';

/** @param {Json | undefined} value */
export const timeOf = (value) => (isObject(value) ? value.get('time') : undefined);
