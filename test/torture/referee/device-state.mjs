// @ts-check
import { nameOf } from './naming.mjs';
import { compareValues, greater } from './order.mjs';
import { ownCopy, sha256 } from './texts.mjs';

/**
 * @import { Fact } from './facts.mjs'
 * @import { DeviceName } from './topic.mjs'
 */

/**
 * A series: its current value, and every value by its millisecond.
 * @typedef {object} Series
 * @property {number} at
 * @property {string} value
 * @property {Map<number, string | string[]>} readings
 */

/** Texts that many rows hold, each kept once. @type {Map<string, string>} */
const shared = new Map();
const LONG = 100;

/** @param {string} text */
function once(text) {
  const key = text.length > LONG ? sha256(text) : text;
  const known = shared.get(key);
  if (known !== undefined) return known;
  const copy = ownCopy(text);
  shared.set(key, copy);
  return copy;
}

/** What is known of one device, folded as told ("newest wins by `at`, at equal times by a fixed order of the values"). */
export class DeviceState {
  /** @param {DeviceName} device */
  constructor(device) {
    this.device = { productKey: once(device.productKey), deviceName: once(device.deviceName) };
    this.name = nameOf(this.device);
    /** @type {readonly [at: number, value: string] | null} */
    this.iotId = null;
    /** @type {readonly [at: number, value: string] | null} */
    this.deviceType = null;
    /** @type {readonly [order: number, since: number, online: boolean, reason: number | null] | null} */
    this.presence = null;
    /** @type {readonly [at: number, action: string] | null} */
    this.lifecycle = null;
    /** The newest `create`: "reports older than that are history, not state". @type {number | null} */
    this.created = null;
    /** @type {readonly [at: number, attached: boolean, productKey: string, deviceName: string] | null} */
    this.gateway = null;
    /** @type {number | null} */
    this.firstSeen = null;
    /** @type {number | null} */
    this.lastSeen = null;
    /** What was heard with no time but its receipt. */
    this.undated = { heard: false, /** @type {Set<string>} */ iotIds: new Set() };
    /** @type {Map<string, readonly [at: number, value: string]>} */
    this.tags = new Map();
    /** @type {Map<string, Series>} */
    this.series = new Map();
    /** By user. @type {Map<string, { user: readonly [string, string, string], facts: Map<string, { at: number, bound: boolean, owned: boolean }> }>} */
    this.users = new Map();
  }

  /** @param {Exclude<Fact, { what: 'event' }>} fact */
  take(fact) {
    const { what, at } = fact;
    if (at === null) {
      if (what === 'heard') this.undated.heard = true;
      else if (what === 'attributes' && fact.deviceType === null) this.undated.iotIds.add(once(fact.iotId ?? ''));
      else throw new Error(`The referee cannot know when this was: a ${what} of ${this.name} without any time`);
      return;
    }
    switch (what) {
      case 'heard':
        this.firstSeen = this.firstSeen === null ? at : Math.min(at, this.firstSeen);
        this.lastSeen = this.lastSeen === null ? at : Math.max(at, this.lastSeen);
        break;
      case 'attributes':
        if (fact.iotId !== null) this.iotId = greater(this.iotId, [at, once(fact.iotId)]);
        if (fact.deviceType !== null) this.deviceType = greater(this.deviceType, [at, once(fact.deviceType)]);
        break;
      case 'presence':
        this.presence = greater(this.presence, [fact.order ?? at, at, fact.online, fact.reason]);
        break;
      case 'lifecycle':
        this.lifecycle = greater(this.lifecycle, [at, fact.action]);
        if (fact.action === 'create') this.created = Math.max(at, this.created ?? at);
        break;
      case 'gateway': {
        const { productKey = '', deviceName = '' } = fact.gateway ?? {};
        this.gateway = greater(this.gateway, [at, fact.gateway !== null, once(productKey), once(deviceName)]);
        break;
      }
      case 'tag': {
        const key = once(fact.key);
        this.tags.set(key, greater(this.tags.get(key) ?? null, [at, once(fact.value)]));
        break;
      }
      case 'binding': {
        const key = fact.user.join('\0');
        const of = this.users.get(key) ?? {
          user: [once(fact.user[0]), once(fact.user[1]), once(fact.user[2])],
          facts: new Map(),
        };
        const { bound, owned } = fact;
        of.facts.set(`${at} ${bound} ${owned}`, { at, bound, owned });
        this.users.set(ownCopy(key), of);
        break;
      }
      case 'reading':
        this.takeReading(fact.identifier, fact.value.length > LONG ? once(fact.value) : ownCopy(fact.value), at);
    }
  }

  /**
   * @param {string} identifier
   * @param {string} value
   * @param {number} at
   */
  takeReading(identifier, value, at) {
    const series = this.series.get(identifier);
    if (!series) {
      this.series.set(once(identifier), { at, value, readings: new Map([[at, value]]) });
      return;
    }
    if (at > series.at || (at === series.at && compareValues(value, series.value) > 0)) {
      series.at = at;
      series.value = value;
    }
    const known = series.readings.get(at);
    if (known === undefined) series.readings.set(at, value);
    else if (![known].flat().includes(value)) series.readings.set(at, [...[known].flat(), value].sort(compareValues));
  }
}
