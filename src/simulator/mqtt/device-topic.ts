import type { Device } from '../devices/device.js';

/** What a device says on a topic of its own. */
export type Uplink =
  | { readonly kind: 'property-post' | 'batch' | 'history' | 'pack' | 'tags-update' | 'tags-delete' }
  | { readonly kind: 'event-post'; readonly identifier: string }
  /** `service` is `property/set` or the identifier of a service. */
  | { readonly kind: 'service-reply'; readonly service: string }
  | { readonly kind: 'raw' | 'raw-reply' | 'ntp' | 'firmware' | 'progress' }
  /** The topic that is forwarded, and whether the product's message script is to look at the body first. */
  | { readonly kind: 'custom'; readonly topic: string; readonly scripted: boolean }
  /** A topic of the platform that the simulator takes and does nothing with. */
  | { readonly kind: 'other' };

/** How a custom topic asks for the message script (protocol 7.18). */
const SCRIPTED = '?_sn=default';
/** First segments that are the platform's own: a device that could publish there would forge messages of the platform. */
const RESERVED = new Set(['thing', 'ota', 'mqtt', 'device', 'rrpc', '']);
/** With the device's name for a package, a topic of old custom form that would tell of an update of the whole product. */
const OTA_JOB = /^[^/]+\/ota\/job\/status$/;

/** What a device may say on this topic; null when the topic is not its own to publish on. */
export function readUplink({ productKey, deviceName }: Device, topic: string): Uplink | null {
  const own = `${productKey}/${deviceName}`;
  const sys = after(topic, `/sys/${own}/`);
  if (sys !== null) return sys.includes('?') ? null : readThing(sys);
  switch (topic) {
    case `/ext/ntp/${own}/request`:
      return { kind: 'ntp' };
    case `/ota/device/inform/${own}`:
      return { kind: 'firmware' };
    case `/ota/device/progress/${own}`:
      return { kind: 'progress' };
    case `/ota/device/request/${own}`:
    case `/shadow/update/${own}`:
      return { kind: 'other' };
    default:
  }
  const rest = after(topic, `/${own}/`);
  if (rest === null) return topic.startsWith(`/ext/session/${own}/`) ? { kind: 'other' } : null;
  const scripted = rest.endsWith(SCRIPTED);
  const suffix = scripted ? rest.slice(0, -SCRIPTED.length) : rest;
  const [first = '', second] = suffix.split('/');
  if (RESERVED.has(first) || (first === 'user' && !second)) return null;
  if (first !== 'user' && OTA_JOB.test(suffix)) return null;
  return { kind: 'custom', topic: `/${own}/${suffix}`, scripted };
}

/** What comes after `/sys/{pk}/{dn}/`. More specific forms first: an event may have any name but `property`. */
function readThing(rest: string): Uplink {
  switch (rest) {
    case 'thing/event/property/post':
      return { kind: 'property-post' };
    case 'thing/event/property/batch/post':
      return { kind: 'batch' };
    case 'thing/event/property/history/post':
      return { kind: 'history' };
    case 'thing/event/property/pack/post':
      return { kind: 'pack' };
    case 'thing/deviceinfo/update':
      return { kind: 'tags-update' };
    case 'thing/deviceinfo/delete':
      return { kind: 'tags-delete' };
    case 'thing/model/up_raw':
      return { kind: 'raw' };
    case 'thing/model/down_raw_reply':
      return { kind: 'raw-reply' };
    default:
  }
  const event = /^thing\/event\/([^/]+)\/post$/.exec(rest)?.[1];
  if (event !== undefined) return { kind: 'event-post', identifier: event };
  const service = /^thing\/service\/(property\/(?:set|get)|[^/]+)_reply$/.exec(rest)?.[1];
  if (service !== undefined) return { kind: 'service-reply', service };
  return { kind: 'other' };
}

/** The uplink that a parsing script means by its `method`, such as `thing.event.property.post`. */
export const uplinkOfMethod = (method: string): Uplink => readThing(method.replaceAll('.', '/'));

/** Whether a device may subscribe to a filter: to topics of its own, wildcards only after its name. */
export function maySubscribe({ productKey, deviceName }: Device, filter: string): boolean {
  const own = `${productKey}/${deviceName}`;
  const folders = [`/sys/${own}/`, `/${own}/`, `/ext/ntp/${own}/`, `/ext/session/${own}/`, `/broadcast/${productKey}/`];
  if (folders.some((folder) => filter.startsWith(folder))) return true;
  if (/^\/ota\/device\/(upgrade|request|inform|progress)\/[^/]+\/[^/]+$/.test(filter))
    return filter.endsWith(`/${own}`);
  return filter === `/shadow/get/${own}`;
}

/** Whether a topic matches a filter of MQTT with `+` and `#`. */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const given = topic.split('/');
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= given.length || (level !== '+' && level !== given[index])) return false;
  }
  return wanted.length === given.length;
}

const after = (text: string, start: string): string | null =>
  text.startsWith(start) ? text.slice(start.length) : null;
