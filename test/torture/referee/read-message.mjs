// @ts-check
import { isUtf8 } from 'node:buffer';
import { isObject, parseJson, Unreadable } from './exact-json.mjs';
import { canonicalOrNull, heardEvent, object, Refused, Spelt } from './facts.mjs';
import { downlinkReply } from './kinds/replies.mjs';
import { eventBatch, eventPost } from './kinds/events.mjs';
import { found, topology } from './kinds/groups.mjs';
import { lifecycle, tags } from './kinds/lives.mjs';
import { userBinding } from './kinds/owners.mjs';
import { propertyBatch, propertyPost } from './kinds/reports.mjs';
import { enterpriseStatus, livingStatus } from './kinds/status.mjs';
import { moduleVersion, upgradeJob, upgradeProgress, upgradeResult } from './kinds/upgrades.mjs';
import { attributes, sameDevice, whoseMessage } from './naming.mjs';
import { isStorable, spelt } from './texts.mjs';
import { Times } from './times.mjs';
import { readTopic } from './topic.mjs';

/**
 * @import { Json, JsonObject } from './exact-json.mjs'
 * @import { Fact } from './facts.mjs'
 * @import { Kind } from './kinds/kind.mjs'
 * @import { DeviceName, Topic } from './topic.mjs'
 */

/** "Shape before topic": the first whose shape fits. @type {readonly Kind[]} */
const KINDS = [
  propertyPost,
  enterpriseStatus,
  livingStatus,
  eventPost,
  propertyBatch,
  eventBatch,
  downlinkReply,
  userBinding,
  topology,
  found,
  lifecycle,
  tags,
  upgradeProgress,
  upgradeResult,
  moduleVersion,
  upgradeJob,
];

/**
 * A message as a consumer hears it, without secrets.
 * @typedef {object} Heard
 * @property {string | null} topic
 * @property {string | null} generateTime
 * @property {Buffer} body
 */

/**
 * What a message tells, or why it tells nothing (protocol 6 and 7, promises 4 and 6).
 * @param {Heard} heard
 * @param {{ bodyIdentity: 'topic' | 'any', receipt: number }} options
 * @returns {{ facts: Fact[] } | { refused: string }}
 */
export function readMessage({ topic: topicText, generateTime, body }, { bodyIdentity, receipt }) {
  const topic = readTopic(topicText);
  const parsed = parsedBody(body);
  const json = parsed instanceof Unreadable ? undefined : parsed;
  const times = new Times(generateTime, isObject(json) ? json : null, receipt);
  try {
    switch (topic.by) {
      case 'platform': {
        const members = theObject(parsed);
        return { facts: read(theKind(members, topic), members, topic, times, topic.device) };
      }
      case 'device': {
        const device = /** @type {DeviceName} */ (topic.device);
        const believed = isObject(json) ? ownWords(json, topic, device, times, bodyIdentity) : null;
        if (believed !== null) return { facts: believed };
        const { at } = new Times(generateTime, null, receipt); // its own times are its own invention
        const value = object({ topic: spelt(topicText ?? ''), ...encoded(body, json) });
        return { facts: heardEvent(device, 'custom-message-received', at, value) };
      }
      case 'nobody':
        if (bodyIdentity !== 'any') return { refused: 'unknown-topic' };
        return { facts: byBodyAlone(parsed, topic, times) };
      case 'none':
        return { facts: byBodyAlone(parsed, topic, times) };
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { refused: topic.by === 'none' ? 'no-topic' : error.reason };
  }
}

/**
 * @param {Buffer} body
 * @returns {Json | Unreadable}
 */
function parsedBody(body) {
  if (!isUtf8(body)) return new Unreadable('not-json');
  try {
    return parseJson(body.toString());
  } catch (error) {
    if (error instanceof Unreadable) return error;
    throw error;
  }
}

/** @param {Json | Unreadable} parsed */
function theObject(parsed) {
  if (parsed instanceof Unreadable) throw new Refused(parsed.reason);
  if (!isObject(parsed)) throw new Refused('not-an-object');
  return parsed;
}

/**
 * On a topic of the platform: by shape, else by topic, and then it is not as it should be.
 * @param {JsonObject} body
 * @param {Topic} topic
 */
function theKind(body, topic) {
  const ofTopic = KINDS.filter((kind) => kind.topic === topic.kind);
  const [usual, other] = ofTopic;
  if (!usual) throw new Error(`No kind of message has the topic of ${topic.kind}`);
  // the one topic that names no device could be a device's own by chance: nothing else is believed on it
  const byShape = (topic.kind === 'job' ? ofTopic : KINDS).find((kind) => kind.fits(body, topic));
  return byShape ?? (other && typeof body.get('status') !== 'string' ? other : usual);
}

/**
 * @param {Kind} kind
 * @param {JsonObject} body
 * @param {Topic} topic
 * @param {Times} times
 * @param {DeviceName | null} ofTopic
 */
function read(kind, body, topic, times, ofTopic) {
  const { subject = 'device' } = kind;
  const message = { device: whoseMessage(body, subject, ofTopic), body, topic, times };
  const facts = kind.read(message);
  if (subject !== 'device') return facts;
  return [...attributes(message, message.device, body.get('iotId'), body.get('deviceType')), ...facts];
}

/**
 * "A device speaks for itself": on a topic of its own its word counts for itself; null where it is only its own affair.
 * @param {JsonObject} body
 * @param {Topic} topic
 * @param {DeviceName} device
 * @param {Times} times
 * @param {'topic' | 'any'} bodyIdentity
 */
function ownWords(body, topic, device, times, bodyIdentity) {
  const kind = KINDS.find((each) => each.fits(body, topic));
  if (!kind) return null;
  try {
    const named = [whoseMessage(body, kind.subject ?? 'device', null), ...(kind.others?.(body) ?? [])];
    if (bodyIdentity !== 'any' && !named.every((each) => sameDevice(each, device))) return null;
    return read(kind, body, topic, times, null);
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/**
 * @param {Json | Unreadable} parsed
 * @param {Topic} topic
 * @param {Times} times
 */
function byBodyAlone(parsed, topic, times) {
  const body = theObject(parsed);
  const kind = KINDS.find((each) => each.fits(body, topic));
  if (!kind) throw new Refused('invalid-body');
  return read(kind, body, topic, times, null);
}

/**
 * The bytes of a custom message: as JSON if they are, else as text, else as Base64.
 * @param {Buffer} body
 * @param {Json | undefined} json
 */
function encoded(body, json) {
  const value = json === undefined ? null : canonicalOrNull(json);
  if (value !== null) return { encoding: 'json', body: new Spelt(value) };
  const text = isUtf8(body) ? body.toString() : null;
  if (text !== null && isStorable(text)) return { encoding: 'text', body: text };
  return { encoding: 'base64', body: body.toString('base64') };
}
