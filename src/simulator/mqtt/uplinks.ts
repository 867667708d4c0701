import type { Device } from '../devices/device.js';
import { toJson, type Json } from '../devices/json.js';
import * as messages from '../devices/messages.js';
import type { Fields, Item } from '../devices/messages.js';
import type { Registry } from '../devices/registry.js';
import type { Publication } from '../platform/platform-message.js';
import {
  ALINK,
  isFields,
  isList,
  parseJson,
  plainJson,
  readReply,
  readRequest,
  replyFields,
  type Result,
} from './alink.js';
import { readUplink, uplinkOfMethod, type Uplink } from './device-topic.js';
import type { PendingCommands } from './pending-commands.js';
import type { ProductScripts } from './product-scripts.js';
import * as reports from './reports.js';

/** A message to the device. */
export interface Downward {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What the platform does about an uplink. */
export interface Reaction {
  /** What the consumers get. */
  readonly publications: readonly Publication[];
  readonly answer: Downward | null;
  /** Why nothing was forwarded, for people; null when something was, or when nothing had to be. */
  readonly refused: string | null;
}

/** Of one report. */
const MAX_PROPERTIES = 200;
const MAX_TAGS = 100;
const MAX_MODULES = 10;

/** What is said in Alink JSON and answered in it. */
type Request = Extract<Uplink, { kind: (typeof REQUESTS)[number] | 'event-post' }>;
const REQUESTS = ['property-post', 'batch', 'history', 'pack', 'tags-update', 'tags-delete'] as const;

/** What came of a request in Alink JSON, before it is answered. */
interface Outcome {
  readonly result: Result;
  readonly publications?: readonly Publication[];
  /** Told to the device: what failed validation, by identifier. */
  readonly data?: Fields;
  readonly refused?: string;
}

/** The platform's side of what devices say: checks it, answers it, and makes of it what the consumers get. */
export class Uplinks {
  /** Versions of modules other than the firmware. */
  private readonly modulesOf = new WeakMap<Device, Map<string, string>>();

  constructor(
    private readonly registry: Registry,
    private readonly pending: PendingCommands,
    private readonly scripts: ProductScripts,
    /** Milliseconds since 1970, the simulated time. */
    private readonly now: () => number,
  ) {}

  /** Never throws, whatever the bytes. */
  handle(device: Device, topic: string, body: Uint8Array): Reaction {
    const uplink = readUplink(device, topic);
    if (!uplink) return nothing('not a topic of this device');
    let reaction: Reaction;
    try {
      reaction = this.react(device, uplink, topic, body);
    } catch (error) {
      // Such as JSON nested so deep that writing it again fails.
      const why = error instanceof Error ? error.message : String(error);
      return { ...nothing(`cannot be processed: ${why}`), answer: plainAnswer(topic, body, ALINK.systemError) };
    }
    const origin = { from: 'mqtt', uplink: { topic, body } } as const;
    return { ...reaction, publications: reaction.publications.map((each) => ({ ...each, origin })) };
  }

  private react(device: Device, uplink: Uplink, topic: string, body: Uint8Array): Reaction {
    switch (uplink.kind) {
      case 'property-post':
      case 'event-post':
      case 'batch':
      case 'history':
      case 'pack':
      case 'tags-update':
      case 'tags-delete':
        return this.request(device, uplink, topic, body);
      case 'service-reply':
        return this.commandReply(device, parseJson(body));
      case 'raw':
      case 'raw-reply':
        return this.raw(device, body, uplink.kind === 'raw');
      case 'ntp':
        return this.clock(device, body);
      case 'firmware':
        return this.firmware(device, body);
      case 'progress':
        return this.progress(device, body);
      case 'custom':
        return this.custom(device, uplink.topic, uplink.scripted, body);
      case 'other':
        return nothing('the simulator does not imitate this topic');
      default:
        return uplink satisfies never;
    }
  }

  /** A request in Alink JSON, answered in it. */
  private request(device: Device, uplink: Request, topic: string, body: Uint8Array): Reaction {
    const parsed = parseJson(body);
    const { publications = [], result, data, refused, ack, id } = this.alink(device, uplink, parsed);
    const payload = Buffer.from(toJson(replyFields(id, methodOf(topic), result, data)));
    return { publications, answer: ack ? { topic: `${topic}_reply`, payload } : null, refused: refused ?? null };
  }

  private alink(
    device: Device,
    uplink: Request,
    body: Json | undefined,
  ): Outcome & { ack: boolean; id: string | null } {
    const request = readRequest(body);
    if (!request) return { ...parameterError('the body is no JSON object'), ack: true, id: null };
    const { id, params, ack } = request;
    const outcome = this.outcome(device, uplink, params, id ?? 'null');
    return { ...outcome, ack, id };
  }

  private outcome(device: Device, uplink: Request, params: Json | undefined, requestId: string): Outcome {
    switch (uplink.kind) {
      case 'property-post':
        return this.propertyPost(device, params, requestId, false);
      case 'event-post':
        return this.eventPost(device, uplink.identifier, params, requestId, false);
      case 'batch':
        return forEnterprise(device, this.batch(device, params, requestId));
      case 'history':
        return forEnterprise(device, this.history(device, params, requestId));
      case 'pack':
        return this.pack(device, params, requestId);
      case 'tags-update':
      case 'tags-delete':
        return forEnterprise(device, this.tags(device, params, uplink.kind === 'tags-delete'));
      default:
        return uplink satisfies never;
    }
  }

  /** 7.1 */
  private propertyPost(device: Device, params: Json | undefined, requestId: string, history: boolean): Outcome {
    const now = this.now();
    const values = reports.readValues(params, now);
    if (typeof values === 'string') return parameterError(values);
    const count = Object.keys(values).length;
    if (count === 0) return parameterError('params names no property');
    if (count > MAX_PROPERTIES) return { result: ALINK.tooManyProperties, refused: `params names ${count} properties` };
    const { passed, failed } = reports.validate(device, reports.plain(values));
    const items = reports.pick(values, passed);
    const failures = reports.withTimes(failed, (identifier) => values[identifier]?.time ?? now);
    const publication = messages.propertyPost(device, items, now, failures, history, requestId);
    return { result: ALINK.success, publications: [publication], data: reports.reasons(failed) };
  }

  /** 7.2 */
  private eventPost(
    device: Device,
    identifier: string,
    params: Json | undefined,
    requestId: string,
    history: boolean,
  ): Outcome {
    const now = this.now();
    const event = reports.readEvent(params, now);
    if (typeof event === 'string') return parameterError(event);
    const type = reports.eventType(device, identifier);
    if (!type) return parameterError(`the model has no event ${identifier}`);
    const { passed, failed } = reports.validateEvent(device, type, event.value);
    const publication = messages.eventPost(
      device,
      { identifier, name: type.name, type: type.type, value: passed },
      event.time,
      now,
      history,
      requestId,
      reports.withTimes(failed, () => event.time),
    );
    return { result: ALINK.success, publications: [publication], data: reports.reasons(failed) };
  }

  /** 7.10 and 7.11 */
  private batch(device: Device, params: Json | undefined, requestId: string): Outcome {
    const now = this.now();
    if (!isFields(params)) return parameterError('params is no object');
    const { properties = {}, events = {} } = params;
    if (!isFields(properties) || !isFields(events)) return parameterError('properties or events are no object');
    const failures: Record<string, Json> = {};
    const samples = reports.readSamples(properties, now);
    const eventSamples = reports.readSamples(events, now);
    if (typeof samples === 'string') return parameterError(samples);
    if (typeof eventSamples === 'string') return parameterError(eventSamples);
    const good: [string, Item[]][] = [];
    for (const [identifier, list] of Object.entries(samples)) {
      const passing = list.filter(({ value }) => {
        const { failed } = reports.validate(device, { [identifier]: value });
        Object.assign(failures, reports.reasons(failed));
        return Object.keys(failed).length === 0;
      });
      if (passing.length > 0) good.push([identifier, passing]);
    }
    const goodEvents: [string, Item[]][] = [];
    for (const [identifier, list] of Object.entries(eventSamples)) {
      const type = reports.eventType(device, identifier);
      if (!type) failures[identifier] = 'event not found';
      else {
        const passing = list.map(({ value, time }) => ({
          value: reports.validateEvent(device, type, isFields(value) ? value : {}).passed,
          time,
        }));
        goodEvents.push([identifier, passing]);
      }
    }
    const publications = [
      ...(good.length > 0 ? [messages.propertyBatch(device, Object.fromEntries(good), now, requestId)] : []),
      ...(goodEvents.length > 0 ? [messages.eventSamples(device, Object.fromEntries(goodEvents), now, requestId)] : []),
    ];
    if (publications.length === 0 && Object.keys(failures).length === 0) return parameterError('params names nothing');
    const refused = publications.length === 0 ? 'nothing of it passed validation' : undefined;
    return { result: ALINK.success, publications, data: failures, ...(refused === undefined ? {} : { refused }) };
  }

  /** 7.12: a list of reports of the past, of the device itself or, from a gateway, of its sub-devices. */
  private history(device: Device, params: Json | undefined, requestId: string): Outcome {
    if (!isList(params) || params.length === 0) return parameterError('params is no list of reports');
    const outcomes = params.map((entry): Outcome => {
      const whose = isFields(entry) ? this.named(device, entry.identity) : null;
      if (!isFields(entry) || !whose) return parameterError('identity names neither the device nor a sub-device of it');
      const { properties = [], events = [] } = entry;
      return together([
        ...reports.listOf(properties).map((each) => this.propertyPost(whose, each, requestId, true)),
        ...reports
          .listOf(events)
          .flatMap((each) =>
            isFields(each)
              ? Object.entries(each).map(([id, event]) => this.eventPost(whose, id, event, requestId, true))
              : [parameterError('events holds something that is no object')],
          ),
      ]);
    });
    return together(outcomes);
  }

  /** A gateway reports for itself and its sub-devices at once: 7.1 and 7.2 of each. */
  private pack(device: Device, params: Json | undefined, requestId: string): Outcome {
    if (!isFields(params)) return parameterError('params is no object');
    const of = (whose: Device, { properties, events }: Fields): Outcome[] => [
      ...(isFields(properties) && Object.keys(properties).length > 0
        ? [this.propertyPost(whose, properties, requestId, false)]
        : []),
      ...(isFields(events)
        ? Object.entries(events).map(([id, event]) => this.eventPost(whose, id, event, requestId, false))
        : []),
    ];
    const subs = reports.listOf(params.subDevices ?? []).flatMap((sub): Outcome[] => {
      const whose = isFields(sub) ? this.named(device, sub.identity) : null;
      return isFields(sub) && whose ? of(whose, sub) : [parameterError('identity names no sub-device of this gateway')];
    });
    return together([...of(device, params), ...subs]);
  }

  /** 7.13. What is deleted is told nobody: the platform documents a message for updates alone. */
  private tags(device: Device, params: Json | undefined, remove: boolean): Outcome {
    const entries: [string, string][] = [];
    for (const each of isList(params) ? params : []) {
      if (!isFields(each)) return parameterError('params holds something that is no object');
      const { attrKey, attrValue } = each;
      if (typeof attrKey !== 'string' || attrKey === '') return parameterError('attrKey is missing');
      if (!remove && typeof attrValue !== 'string') return parameterError('attrValue is no text');
      entries.push([attrKey, typeof attrValue === 'string' ? attrValue : '']);
    }
    if (entries.length === 0 || entries.length > MAX_TAGS)
      return parameterError(`params is no list of 1 to ${MAX_TAGS}`);
    const kept = new Map(Object.entries(device.tags));
    for (const [key, value] of entries) {
      if (remove) kept.delete(key);
      else kept.set(key, value);
    }
    if (kept.size > MAX_TAGS) return parameterError(`a device has at most ${MAX_TAGS} tags`);
    device.tags = Object.fromEntries(kept);
    const publications = remove ? [] : [messages.tags(device, Object.fromEntries(entries), this.now())];
    return { result: ALINK.success, publications };
  }

  /** 7.3, when the id is that of a command that waits. */
  private commandReply(device: Device, body: Json | undefined): Reaction {
    const reply = readReply(body);
    if (!reply) return nothing('a reply that is no JSON object');
    const { id, code, data } = reply;
    if (id === null || code === null) return nothing('a reply without id or code');
    const service = this.pending.take(device, id);
    if (service === null) return nothing(`no command waits for an answer under id ${id.slice(0, 64)}`);
    const message = reply.message ?? (code === 200 ? 'success' : 'request error');
    const told = messages.downlinkReply(device, { requestId: id, service, code, message, data }, this.now());
    return { publications: [told], answer: null, refused: null };
  }

  /** 7.19: the product's script makes Alink JSON of it, and bytes of the answer. */
  private raw(device: Device, bytes: Uint8Array, answered: boolean): Reaction {
    const { product } = device;
    const made = this.scripts.fromRaw(product, bytes);
    if ('failed' in made) return nothing(made.failed);
    const method = isFields(made.value) && typeof made.value.method === 'string' ? made.value.method : null;
    if (method === null || !answered) {
      const reaction = this.commandReply(device, made.value);
      if (method !== null || reaction.refused === null) return reaction;
      return nothing(`the script gave no method (6450), and ${reaction.refused}`);
    }
    const uplink = uplinkOfMethod(method);
    if (method.startsWith('thing.service.')) return this.commandReply(device, made.value);
    if (!isRequest(uplink)) return nothing(`the script gave the method ${method.slice(0, 64)}, which is not imitated`);
    const { publications = [], result, data, refused, ack, id } = this.alink(device, uplink, made.value);
    const reaction: Reaction = { publications, answer: null, refused: refused ?? null };
    if (!ack) return reaction;
    const reply = this.scripts.toRaw(product, replyFields(id, method, result, data));
    if ('failed' in reply) return { ...reaction, refused: refused ?? `the answer: ${reply.failed}` };
    const topic = `/sys/${device.productKey}/${device.deviceName}/thing/model/up_raw_reply`;
    return { ...reaction, answer: { topic, payload: reply.bytes } };
  }

  /** What a device needs to set its clock. Never forwarded. */
  private clock({ productKey, deviceName }: Device, body: Uint8Array): Reaction {
    const request = parseJson(body);
    const deviceSendTime = isFields(request) ? request.deviceSendTime : undefined;
    if (deviceSendTime === undefined) return nothing('deviceSendTime is missing');
    const now = String(this.now());
    const fields = { deviceSendTime, serverRecvTime: now, serverSendTime: now };
    const topic = `/ext/ntp/${productKey}/${deviceName}/response`;
    return { publications: [], answer: { topic, payload: Buffer.from(toJson(fields)) }, refused: null };
  }

  /** 7.16, when the version is another one than before. The platform does not answer. */
  private firmware(device: Device, body: Uint8Array): Reaction {
    const params = readRequest(parseJson(body))?.params;
    if (!isFields(params)) return nothing('params is no object');
    const { version, module = 'default' } = params;
    if (typeof version !== 'string' || version === '' || typeof module !== 'string')
      return nothing('version is no text');
    const known = this.modules(device);
    const before = module === 'default' ? device.firmware : known.get(module);
    if (before === version) return NOTHING;
    if (module === 'default') device.firmware = version;
    else if (before === undefined && known.size >= MAX_MODULES) return nothing(`a device has ${MAX_MODULES} modules`);
    else known.set(module, version);
    return onlyEnterprise(device, messages.moduleVersion(device, version, this.now(), module));
  }

  /** 7.15. The simulator plans no updates for real devices, so job, task and target are empty. */
  private progress(device: Device, body: Uint8Array): Reaction {
    const params = readRequest(parseJson(body))?.params;
    if (!isFields(params)) return nothing('params is no object');
    const { step, desc = '', module = 'default' } = params;
    const given = plainJson(step ?? null);
    const percent = typeof given === 'number' || typeof given === 'string' ? Number(given) : Number.NaN;
    if (!Number.isInteger(percent) || percent < -100 || percent > 100) return nothing('step is not -100 to 100');
    if (typeof desc !== 'string' || typeof module !== 'string') return nothing('desc or module is no text');
    const upgrade = { jobId: '', taskId: '', srcVersion: device.firmware, destVersion: '' };
    const told = messages.upgradeProgress(device, upgrade, percent, this.now(), { desc, moduleName: module });
    return onlyEnterprise(device, told);
  }

  /** 7.18 */
  private custom(device: Device, topic: string, scripted: boolean, body: Uint8Array): Reaction {
    if (!scripted || device.product.messageScript === null) {
      return onlyEnterprise(device, messages.forwarded(device, topic, body, this.now()));
    }
    const made = this.scripts.fromCustom(device.product, topic, body);
    if ('failed' in made) return nothing(made.failed);
    return onlyEnterprise(device, messages.forwarded(device, topic, toJson(made.value), this.now()));
  }

  /** The device itself, or a sub-device behind it; without an identity the device. */
  private named(device: Device, identity: Json | undefined): Device | null {
    if (identity === undefined) return device;
    if (!isFields(identity)) return null;
    const { productKey, deviceName } = identity;
    if (typeof productKey !== 'string' || typeof deviceName !== 'string') return null;
    const named = this.registry.device(productKey, deviceName);
    return named && (named === device || named.gateway === device) ? named : null;
  }

  private modules(device: Device): Map<string, string> {
    let modules = this.modulesOf.get(device);
    if (!modules) {
      modules = new Map();
      this.modulesOf.set(device, modules);
    }
    return modules;
  }
}

const NOTHING: Reaction = { publications: [], answer: null, refused: null };
const isRequest = (uplink: Uplink): uplink is Request =>
  uplink.kind === 'event-post' || REQUESTS.some((kind) => kind === uplink.kind);
const nothing = (refused: string): Reaction => ({ ...NOTHING, refused });
const parameterError = (refused: string): Outcome => ({ result: ALINK.parameterError, refused });

/** The answer to a request that could not even be processed. */
function plainAnswer(topic: string, body: Uint8Array, result: Result): Downward {
  const id = readRequest(parseJson(body))?.id ?? null;
  return { topic: `${topic}_reply`, payload: Buffer.from(toJson(replyFields(id, methodOf(topic), result))) };
}

/** `thing.event.property.post` of `/sys/{pk}/{dn}/thing/event/property/post`. */
const methodOf = (topic: string): string => topic.split('/').slice(4).join('.');

/** The Living platform documents no such message: the device is answered, and nobody told. */
function forEnterprise(device: Device, outcome: Outcome): Outcome {
  if (device.voice === 'enterprise' || !outcome.publications?.length) return outcome;
  return { ...outcome, publications: [], refused: NOT_LIVING };
}

function onlyEnterprise(device: Device, publication: Publication): Reaction {
  return device.voice === 'enterprise' ? { ...NOTHING, publications: [publication] } : nothing(NOT_LIVING);
}

const NOT_LIVING = 'the Living platform forwards no such message';

/** Several requests in one: everything good is forwarded, the first error is answered. */
function together(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.length === 0) return parameterError('params names nothing');
  const bad = outcomes.find(({ result }) => result[0] !== 200);
  return {
    result: bad?.result ?? ALINK.success,
    publications: outcomes.flatMap(({ publications = [] }) => publications),
    data: Object.assign({}, ...outcomes.map(({ data }) => data)) as Fields,
    ...(bad?.refused === undefined ? {} : { refused: bad.refused }),
  };
}
