import { isUtf8 } from 'node:buffer';
import type { About, DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import type { DeviceEvent } from '../domain/device-event.js';
import type { RawMessage, Refusal } from '../domain/raw-message.js';
import { aboutBody, aboutTopic } from './about-message.js';
import type { Decoder } from './decoder.js';
import { customMessage } from './decoders/custom-message.js';
import { downlinkReply } from './decoders/downlink-reply.decoder.js';
import { enterpriseStatus } from './decoders/enterprise-status.decoder.js';
import { eventBatch } from './decoders/event-batch.decoder.js';
import { eventPost } from './decoders/event-post.decoder.js';
import { lifecycle } from './decoders/lifecycle.decoder.js';
import { livingStatus } from './decoders/living-status.decoder.js';
import { moduleVersion } from './decoders/module-version.decoder.js';
import { propertyBatch } from './decoders/property-batch.decoder.js';
import { propertyPost } from './decoders/property-post.decoder.js';
import { subDevicesFound } from './decoders/sub-devices-found.decoder.js';
import { tags } from './decoders/tags.decoder.js';
import { topology } from './decoders/topology.decoder.js';
import { upgradeJob } from './decoders/upgrade-job.decoder.js';
import { upgradeProgress } from './decoders/upgrade-progress.decoder.js';
import { upgradeResult } from './decoders/upgrade-result.decoder.js';
import { userBinding } from './decoders/user-binding.decoder.js';
import { isSameDevice, subjectOf } from './device-identity.js';
import { isJsonArray, isJsonNumber, isJsonObject, type Json, type JsonObject } from './json.js';
import { messageKey } from './message-key.js';
import { MessageTimes } from './message-times.js';
import { parseJson } from './parse-json.js';
import { redactSecrets } from './redact-secrets.js';
import { visibleShort } from './storable-text.js';
import { readTopic, type Topic } from './topic.js';

export interface DecodeOptions {
  /** Whether a body on a topic of the device's own choosing is believed when it names another device (promise 6). */
  readonly bodyIdentity: 'topic' | 'any';
}

/** Every kind of message, the most frequent first. The first whose shape fits decides. */
const DECODERS: readonly Decoder[] = [
  propertyPost,
  enterpriseStatus,
  livingStatus,
  eventPost,
  propertyBatch,
  eventBatch,
  downlinkReply,
  userBinding,
  topology,
  subDevicesFound,
  lifecycle,
  tags,
  upgradeProgress,
  upgradeResult,
  moduleVersion,
  upgradeJob,
];

const DETAIL_LIMIT = 500;

type Decoding = readonly DeviceEvent[] | Refusal;
type Parsed = ReturnType<typeof parseJson>;

/** A message on its way through the steps below. */
interface Heard {
  readonly raw: RawMessage;
  readonly parsed: Parsed;
  /** The parsed body where it is an object. */
  readonly body: JsonObject | null;
  readonly times: MessageTimes;
  readonly options: DecodeOptions;
}

/** A message with its key, and without its secrets: as it is kept, whatever becomes of it. */
export interface IdentifiedMessage {
  readonly key: MessageKey;
  readonly raw: RawMessage;
}

/** The first half of decoding, which looks at bytes only. */
export function identifyMessage(raw: RawMessage): IdentifiedMessage {
  return { key: messageKey(raw), raw: redactSecrets(raw) };
}

/** What a message tells, or why it tells nothing. Never throws: a message that breaks a decoder is refused. */
export function decodeMessage(raw: RawMessage, options: DecodeOptions): DecodedMessage {
  return decodeIdentified(identifyMessage(raw), options);
}

/** The second half of decoding. */
export function decodeIdentified({ key, raw: kept }: IdentifiedMessage, options: DecodeOptions): DecodedMessage {
  let sentAt: Date | null = null;
  let decoding: Decoding;
  let body: JsonObject | null = null;
  try {
    const parsed = parseBody(kept.body);
    body = 'value' in parsed && isJsonObject(parsed.value) ? parsed.value : null;
    const times = new MessageTimes(kept.generateTime, body, kept.receivedAt);
    sentAt = times.sentAt;
    decoding = decode({ raw: kept, parsed, body, times, options });
  } catch (error) {
    decoding = { reason: 'invalid-body', detail: `Decoding failed: ${String(error)}` };
  }
  if (!isRefusal(decoding)) return { key, raw: kept, sentAt, events: decoding, refusal: null };
  const detail = visibleShort(decoding.detail, DETAIL_LIMIT);
  const refusal = { reason: decoding.reason, detail };
  return { key, raw: kept, sentAt, events: [], refusal, about: aboutRefused(readTopic(kept.topic), body) };
}

function aboutRefused(topic: Topic, body: JsonObject | null): About {
  try {
    return body === null ? aboutTopic(topic) : aboutBody(body, topic, DECODERS);
  } catch {
    return aboutTopic(topic); // a body that breaks decoders
  }
}

function parseBody(body: Buffer): Parsed {
  if (isUtf8(body)) return parseJson(body.toString('utf8'));
  return { refusal: { reason: 'not-json', detail: 'The body is not UTF-8.' } };
}

/** Who chose the topic decides how far the body is believed. */
function decode(heard: Heard): Decoding {
  const { raw, options } = heard;
  if (raw.fault !== null) {
    return { reason: raw.fault, detail: 'The transport could not decode the body as it was asked to.' };
  }
  const topic = readTopic(raw.topic);
  switch (topic.scope) {
    case 'platform':
      return decodePlatform(heard, topic);
    case 'custom':
      return decodeCustom(heard, topic);
    case 'foreign':
      return options.bodyIdentity === 'any'
        ? decodeByBodyAlone(heard, topic)
        : {
            reason: 'unknown-topic',
            detail: `The topic \`${topic.text}\` belongs to no device, and BODY_IDENTITY=topic believes no body on it.`,
          };
    case 'none': {
      const decoding = decodeByBodyAlone(heard, topic);
      return isRefusal(decoding)
        ? {
            reason: 'no-topic',
            detail: `The message has no topic, and its body alone does not tell: ${decoding.detail}`,
          }
        : decoding;
    }
    default:
      return topic satisfies never;
  }
}

/** Only the platform writes here: its bodies are believed, whomever they name. */
function decodePlatform({ parsed, body, times }: Heard, topic: Extract<Topic, { scope: 'platform' }>): Decoding {
  if ('refusal' in parsed) return parsed.refusal;
  if (body === null) return notAnObject(parsed.value);
  const ofTopic = DECODERS.filter(({ topics }) => topics.includes(topic.kind));
  // the pattern of this one topic is so open that a device's own could match it: no other shape is believed there
  const candidates = topic.kind === 'upgrade-job' ? ofTopic : DECODERS;
  const decoder = candidates.find(({ shape }) => shape(body, topic)) ?? closest(ofTopic, body);
  const device = subjectOf(body, decoder.subject, topic.device);
  return isRefusal(device) ? device : decoder.decode({ device, body, topic, times });
}

/** The device writes here what it likes: its word counts for itself, for others only if the settings say so. */
function decodeCustom(heard: Heard, topic: Extract<Topic, { scope: 'custom' }>): Decoding {
  const { raw, parsed, body, times, options } = heard;
  const decoder = body === null ? undefined : DECODERS.find(({ shape }) => shape(body, topic));
  if (body !== null && decoder !== undefined) {
    const device = subjectOf(body, decoder.subject, null);
    // a message about a product names no device, and so never the topic's
    const speaksForItself = (): boolean =>
      [device, ...decoder.others(body)].every((named) => !isRefusal(named) && isSameDevice(named, topic.device));
    if (!isRefusal(device) && (options.bodyIdentity === 'any' || speaksForItself())) {
      const decoding = decoder.decode({ device, body, topic, times });
      if (!isRefusal(decoding)) return decoding;
    }
  }
  // the body's time is the device's own invention here
  const at = new MessageTimes(raw.generateTime, null, raw.receivedAt).at;
  return [customMessage(topic.device, topic.text, at, raw.body, 'value' in parsed ? parsed.value : undefined)];
}

/** No topic to go by: the body must be of a known kind and name its device. */
function decodeByBodyAlone({ parsed, body, times }: Heard, topic: Topic): Decoding {
  if ('refusal' in parsed) return parsed.refusal;
  if (body === null) return notAnObject(parsed.value);
  const decoder = DECODERS.find(({ shape }) => shape(body, topic));
  if (decoder === undefined) return { reason: 'invalid-body', detail: 'The body is of no known kind.' };
  const device = subjectOf(body, decoder.subject, null);
  return isRefusal(device) ? device : decoder.decode({ device, body, topic, times });
}

/** Of the decoders of a topic, none of whose shapes fits: the one that says best what is missing. */
function closest(decoders: readonly Decoder[], body: JsonObject): Decoder {
  const [first, second] = decoders;
  if (first === undefined) throw new Error('A topic of the platform has no decoder');
  if (second === undefined) return first;
  return typeof body['status'] === 'string' ? first : second; // the two flavours of a status
}

function notAnObject(value: Json): Refusal {
  const what = isJsonArray(value)
    ? 'an array'
    : isJsonNumber(value)
      ? 'a number'
      : value === null
        ? 'null'
        : `a ${typeof value}`;
  return { reason: 'not-an-object', detail: `The body is JSON, but ${what} and not an object.` };
}

function isRefusal(value: object): value is Refusal {
  return 'reason' in value && 'detail' in value;
}
