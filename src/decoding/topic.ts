import type { DeviceKey } from '../domain/device-key.js';
import { isShort, isStorable } from './storable-text.js';

/** The kinds of message that have a topic of the platform's own (protocol 6). */
export type TopicKind =
  | 'status'
  | 'property-post'
  | 'property-batch'
  | 'event-post'
  | 'event-batch'
  | 'downlink-reply'
  | 'user-binding'
  | 'lifecycle'
  | 'topology'
  | 'sub-devices-found'
  | 'tags'
  | 'upgrade-result'
  | 'upgrade-progress'
  | 'module-version'
  | 'upgrade-job';

/** What a topic says of its message, and who chose it. */
export type Topic =
  /** One that only the platform writes to. `eventId` where the topic names one. */
  | {
      readonly scope: 'platform';
      readonly text: string;
      readonly kind: TopicKind;
      readonly device: DeviceKey | null;
      readonly eventId: string | null;
    }
  /** `/{pk}/{dn}/…`: the device writes what it likes. */
  | { readonly scope: 'custom'; readonly text: string; readonly device: DeviceKey }
  /** Anything else. */
  | { readonly scope: 'foreign'; readonly text: string }
  | { readonly scope: 'none' };

/** What follows `/{pk}/{dn}/`. */
const SUFFIXES: ReadonlyMap<string, TopicKind> = new Map<string, TopicKind>([
  ['mqtt/status', 'status'],
  ['device/status/notify', 'status'],
  ['thing/event/property/post', 'property-post'],
  ['thing/event/property/history/post', 'property-post'],
  ['thing/property/batch/post', 'property-batch'],
  ['thing/event/batch/post', 'event-batch'],
  ['thing/downlink/reply/message', 'downlink-reply'],
  ['thing/awss/enrollee/user', 'user-binding'],
  ['thing/lifecycle', 'lifecycle'],
  ['thing/topo/lifecycle', 'topology'],
  ['thing/list/found', 'sub-devices-found'],
  ['thing/deviceinfo/update', 'tags'],
  ['ota/upgrade', 'upgrade-result'],
  ['ota/progress/post', 'upgrade-progress'],
  ['ota/version/post', 'module-version'],
]);

/** First segments that belong to the platform's own topics and are no product key. */
const RESERVED = new Set(['as', 'mqtt', 'sys', 'ext', 'ota', 'shadow', 'broadcast']);

/** Reads a topic by its segments, never by prefix: an event may have any name. A leading `/sys` is tolerated. */
export function readTopic(text: string | null): Topic {
  if (text === null) return { scope: 'none' };
  const segments = text.split('/');
  if (segments.shift() !== '') return { scope: 'foreign', text };
  if (segments[0] === 'sys') segments.shift();
  return statusTopic(text, segments) ?? deviceTopic(text, segments) ?? { scope: 'foreign', text };
}

/** `/mqtt/status/{pk}/{dn}`, `/as/mqtt/status/{pk}/{dn}`. */
function statusTopic(text: string, segments: readonly string[]): Topic | null {
  const path = segments[0] === 'as' ? segments.slice(1) : segments;
  if (path.length !== 4 || path[0] !== 'mqtt' || path[1] !== 'status') return null;
  return { scope: 'platform', text, kind: 'status', device: deviceOf(path[2], path[3]), eventId: null };
}

function deviceTopic(text: string, segments: readonly string[]): Topic | null {
  const [first = '', second] = segments;
  if (segments.length < 3 || RESERVED.has(first)) return null;
  const device = deviceOf(first, second);
  const rest = segments.slice(2);
  const kind = SUFFIXES.get(rest.join('/'));
  if (kind !== undefined) return { scope: 'platform', text, kind, device, eventId: null };
  const eventId = eventIdOf(rest);
  if (eventId !== null) return { scope: 'platform', text, kind: 'event-post', device, eventId };
  // `/{pk}/{packageId}/{jobId}/ota/job/status` has no device; `/{pk}/{dn}/user/ota/job/status` is a custom topic
  if (rest[0] !== 'user' && rest.slice(1).join('/') === 'ota/job/status') {
    return { scope: 'platform', text, kind: 'upgrade-job', device: null, eventId: null };
  }
  return device === null || rest.every((segment) => segment === '') ? null : { scope: 'custom', text, device };
}

/** `thing/event/{eventId}/post`, `thing/event/{eventId}/history/post`. */
function eventIdOf([thing, event, eventId, ...end]: readonly string[]): string | null {
  if (thing !== 'thing' || event !== 'event' || eventId === undefined || eventId === '') return null;
  const tail = end.join('/');
  return tail === 'post' || tail === 'history/post' ? eventId : null;
}

function deviceOf(productKey: string | undefined, deviceName: string | undefined): DeviceKey | null {
  return isName(productKey) && isName(deviceName) ? { productKey, deviceName } : null;
}

function isName(text: string | undefined): text is string {
  return text !== undefined && text !== '' && isShort(text) && isStorable(text);
}
