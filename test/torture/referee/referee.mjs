// @ts-check
import { createHash } from 'node:crypto';
import { addDeviceRows, table } from './device-rows.mjs';
import { DeviceState } from './device-state.mjs';
import { EventLog } from './event-log.mjs';
import { nameOf } from './naming.mjs';
import { namesOf } from './published.mjs';
import { readMessage } from './read-message.mjs';
import { withoutSecrets } from './secrets.mjs';
import { columns, put, TABLES } from './shown.mjs';
import { ownCopy, replaced, sha256 } from './texts.mjs';

/**
 * @import { Fact } from './facts.mjs'
 * @import { Published } from './published.mjs'
 * @import { Tables } from './shown.mjs'
 * @import { DeviceName } from './topic.mjs'
 */

/**
 * What every table must hold once every message was received (promises 2 to 4, 6 and 7), worked out from the documents with
 * nothing of the service. Messages are folded as they come, in any order; their bodies are not kept.
 */
export class Referee {
  /**
   * @param {{ bodyIdentity?: 'topic' | 'any', receipt?: () => number }} [options] the service's setting, and about when a
   *   message without any time of the platform's is received
   */
  constructor({ bodyIdentity = 'topic', receipt = Date.now } = {}) {
    this.bodyIdentity = bodyIdentity;
    this.receipt = receipt;
    /** @type {Set<string>} */
    this.seen = new Set();
    /** @type {Map<string, DeviceState>} */
    this.devices = new Map();
    this.log = new EventLog();
    /** @type {Map<string, string>} */
    this.aside = new Map();
  }

  /**
   * The same (id, topic, body) twice counts once.
   * @param {Published} message
   */
  add(message) {
    const { messageId, topic, generateTime } = namesOf(message);
    const key = createHash('sha256')
      .update(JSON.stringify([messageId ?? generateTime, topic, message.body.length]))
      .update(message.body)
      .digest('base64url')
      .slice(0, 22);
    if (this.seen.has(key)) return;
    this.seen.add(key);
    const body = withoutSecrets(message.body);
    const { bodyIdentity } = this;
    const told = readMessage({ topic, generateTime, body }, { bodyIdentity, receipt: this.receipt() });
    if ('facts' in told) for (const fact of told.facts) this.take(fact);
    else put(this.aside, asideKey(messageId, topic, sha256(body)), columns({ reason: told.refused, generateTime }));
  }

  /** Distinct messages so far. */
  get messages() {
    return this.seen.size;
  }

  /** How many of them nobody can understand. */
  get setAside() {
    return this.aside.size;
  }

  /** @returns {Tables} */
  expected() {
    /** @type {Tables} */
    const tables = new Map(TABLES.map((name) => [name, new Map()]));
    for (const state of this.devices.values()) addDeviceRows(state, tables);
    this.log.addRows(table(tables, 'EventLog'));
    for (const [key, text] of this.aside) table(tables, 'SetAsideMessage').set(key, text);
    table(tables, 'SeenMessage').set('distinct keys', String(this.messages));
    return tables;
  }

  /** @param {Fact} fact */
  take(fact) {
    if (fact.what !== 'event') {
      this.stateOf(fact.device).take(fact);
      return;
    }
    if (fact.device) this.stateOf(fact.device);
    this.log.take(fact);
  }

  /** @param {DeviceName} device */
  stateOf(device) {
    const name = nameOf(device);
    let state = this.devices.get(name);
    if (!state) {
      state = new DeviceState(device);
      this.devices.set(state.name, state);
    }
    return state;
  }
}

/**
 * @param {string | null} messageId
 * @param {string | null} topic
 * @param {string} bodyHash of the bytes without secrets
 */
export function asideKey(messageId, topic, bodyHash) {
  const shown = (/** @type {string | null} */ text) => (text === null ? '-' : replaced(text));
  return ownCopy(`${shown(messageId)} ${shown(topic)} ${bodyHash}`);
}
