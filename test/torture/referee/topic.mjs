// @ts-check
import { isShort, isStorable } from './texts.mjs';

// Protocol 6: what a topic says, and who chose it.

/**
 * @typedef {'status' | 'property-post' | 'property-batch' | 'event-post' | 'event-batch' | 'downlink-reply' | 'user-binding'
 *   | 'lifecycle' | 'topology' | 'found' | 'tags' | 'upgrade' | 'progress' | 'version' | 'job'} TopicKind
 * @typedef {{ readonly productKey: string, readonly deviceName: string }} DeviceName
 * @typedef {object} Topic
 * @property {'platform' | 'device' | 'nobody' | 'none'} by who writes to it: only the platform, the device what it likes,
 *   who knows; `none` where there is no topic
 * @property {TopicKind | null} kind of the platform's topics
 * @property {DeviceName | null} device
 * @property {string | null} eventId
 */

/** @type {readonly (readonly [RegExp, TopicKind])[]} */
const OF_A_DEVICE = [
  [/^(mqtt\/status|device\/status\/notify)$/, 'status'],
  [/^thing\/event\/property\/(history\/)?post$/, 'property-post'],
  [/^thing\/property\/batch\/post$/, 'property-batch'],
  [/^thing\/event\/batch\/post$/, 'event-batch'],
  [/^thing\/downlink\/reply\/message$/, 'downlink-reply'],
  [/^thing\/awss\/enrollee\/user$/, 'user-binding'],
  [/^thing\/lifecycle$/, 'lifecycle'],
  [/^thing\/topo\/lifecycle$/, 'topology'],
  [/^thing\/list\/found$/, 'found'],
  [/^thing\/deviceinfo\/update$/, 'tags'],
  [/^ota\/upgrade$/, 'upgrade'],
  [/^ota\/progress\/post$/, 'progress'],
  [/^ota\/version\/post$/, 'version'],
  // after the reserved words `property` and `batch`
  [/^thing\/event\/[^/]+\/(history\/)?post$/, 'event-post'],
  [/^(?!user\/)[^/]*\/ota\/job\/status$/, 'job'],
];

/** Beginnings that are no product key. */
const NO_PRODUCT = /^\/(as|mqtt|sys|ext|ota|shadow|broadcast)\//;

/**
 * @param {string | null} text
 * @returns {Topic}
 */
export function readTopic(text) {
  if (text === null) return { by: 'none', kind: null, device: null, eventId: null };
  const topic = text.replace(/^\/sys(?=\/|$)/, '');
  const status = /^(?:\/as)?\/mqtt\/status\/([^/]*)\/([^/]*)$/.exec(topic);
  if (status) return { by: 'platform', kind: 'status', device: deviceNamed(status[1], status[2]), eventId: null };
  const parts = /^\/([^/]*)\/([^/]*)\/([^]*)$/.exec(topic);
  if (!parts || NO_PRODUCT.test(topic)) return { by: 'nobody', kind: null, device: null, eventId: null };
  const [, productKey, deviceName, rest = ''] = parts;
  const device = deviceNamed(productKey, deviceName);
  const kind = OF_A_DEVICE.find(([pattern]) => pattern.test(rest))?.[1] ?? null;
  if (kind === 'job') return { by: 'platform', kind, device: null, eventId: null };
  if (kind !== null) {
    return { by: 'platform', kind, device, eventId: kind === 'event-post' ? (rest.split('/')[2] ?? null) : null };
  }
  return { by: device && /[^/]/.test(rest) ? 'device' : 'nobody', kind, device, eventId: null };
}

/**
 * @param {string | undefined} productKey
 * @param {string | undefined} deviceName
 */
function deviceNamed(productKey = '', deviceName = '') {
  return [productKey, deviceName].every((name) => name !== '' && isShort(name) && isStorable(name))
    ? { productKey, deviceName }
    : null;
}
