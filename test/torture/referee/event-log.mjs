// @ts-check
import { nameOf } from './naming.mjs';
import { greater } from './order.mjs';
import { brief, columns, put, RECEIPT, time } from './shown.mjs';
import { ownCopy } from './texts.mjs';

/** @import { Event } from './facts.mjs' */

/** @typedef {readonly [name: string | null, type: string | null, requestId: string | null]} Beside */

/**
 * Everything that happened: "the same fact under two messages is one event". Custom messages have no identity of their own, so
 * each message is one.
 */
export class EventLog {
  constructor() {
    /** What is told beside a fact, by the fact. @type {Map<string, Beside>} */
    this.facts = new Map();
    /** How many custom messages are alike. @type {Map<string, number>} */
    this.alike = new Map();
  }

  /** @param {Event} event */
  take(event) {
    const { device, productKey, at, kind, identifier, name, type, requestId, value } = event;
    const when = at === null ? RECEIPT : time(at);
    const key = ownCopy(`${when} ${device ? nameOf(device) : productKey} ${kind} ${identifier ?? '-'} ${brief(value)}`);
    if (kind === 'custom-message-received') {
      this.alike.set(key, (this.alike.get(key) ?? 0) + 1);
      return;
    }
    const [knownName, knownType, knownId] = this.facts.get(key) ?? [null, null, null];
    this.facts.set(key, [greaterText(knownName, name), greaterText(knownType, type), greaterText(knownId, requestId)]);
  }

  /** @param {Map<string, string>} rows */
  addRows(rows) {
    for (const [key, beside] of this.facts) put(rows, key, besideText(...beside));
    for (const [key, count] of this.alike) for (let i = 0; i < count; i++) put(rows, key, besideText(null, null, null));
  }
}

/**
 * @param {string | null} name
 * @param {string | null} type
 * @param {string | null} requestId
 */
export const besideText = (name, type, requestId) => columns({ name, type, requestId });

/**
 * @param {string | null} known
 * @param {string | null} told
 */
const greaterText = (known, told) => {
  const [text] = greater([known], [told]);
  return text === null ? null : ownCopy(text);
};
