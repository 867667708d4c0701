import type { Publication } from '../platform/platform-message.js';
import type { Device, User } from './device.js';
import { toJson, type Json } from './json.js';
import type { Product } from './product.js';
import type { EventType } from '../models/thing-model.js';

// The bodies of protocol section 7, in both flavours. `now` is the platform's time of the message, ms since 1970.

export interface Item {
  readonly value: Json;
  readonly time: number;
}
/** An event of a thing model, raised now. */
export interface ModelEvent {
  readonly identifier: string;
  readonly name: string;
  readonly type: EventType;
  readonly value: Readonly<Record<string, Json>>;
}

export type Items = Readonly<Record<string, Item>>;
export type Fields = Readonly<Record<string, Json>>;

const identity = ({ iotId, productKey, deviceName }: Device): Fields => ({ iotId, productKey, deviceName });
const path = ({ productKey, deviceName }: Device): string => `/${productKey}/${deviceName}`;
const json = ({ product }: Device, topic: string, body: Fields, now: number): Publication => ({
  topic,
  body: toJson(body),
  generateTime: now,
  tenant: product.tenant,
});

/**
 * 7.1; with `failed`, part of it did not pass validation. `history` is 7.12. A device that numbers its requests itself gives
 * `requestId`.
 */
export function propertyPost(
  device: Device,
  items: Items,
  now: number,
  failed: Fields = {},
  history = false,
  requestId?: string,
): Publication {
  const body: Fields = {
    deviceType: device.product.deviceType,
    iotId: device.iotId,
    ...(device.voice === 'enterprise'
      ? { requestId: requestId ?? device.nextRequestId(), checkFailedData: failed }
      : {}),
    productKey: device.productKey,
    gmtCreate: now,
    deviceName: device.deviceName,
    items: itemFields(items),
  };
  return json(device, `${path(device)}/thing/event/property/${history ? 'history/' : ''}post`, body, now);
}

function itemFields(items: Items): Fields {
  return Object.fromEntries(Object.entries(items).map(([id, { value, time }]) => [id, { value, time }]));
}

/** 7.2, and 7.12 with `history`. */
export function eventPost(
  device: Device,
  event: ModelEvent,
  at: number,
  now: number,
  history = false,
  requestId?: string,
  failed: Fields = {},
): Publication {
  const { identifier, name, type, value } = event;
  const body: Fields = {
    identifier,
    name,
    type,
    ...(device.voice === 'living'
      ? { deviceType: device.product.deviceType }
      : { requestId: requestId ?? device.nextRequestId(), checkFailedData: failed, gmtCreate: now }),
    ...identity(device),
    time: at,
    value,
  };
  return json(device, `${path(device)}/thing/event/${identifier}/${history ? 'history/' : ''}post`, body, now);
}

/** 7.10 */
export function propertyBatch(
  device: Device,
  samples: Readonly<Record<string, readonly Item[]>>,
  now: number,
  requestId?: string,
): Publication {
  const payload = Object.fromEntries(
    Object.entries(samples).map(([id, list]) => [id, list.map(({ value, time }) => ({ value, time }))]),
  );
  const body: Fields = {
    ...identity(device),
    requestId: requestId ?? device.nextRequestId(),
    gmtCreate: now,
    payload,
  };
  return json(device, `${path(device)}/thing/property/batch/post`, body, now);
}

/** 7.11 */
export function eventBatch(device: Device, event: ModelEvent, times: readonly number[], now: number): Publication {
  const samples = { [event.identifier]: times.map((time) => ({ value: event.value, time })) };
  return eventSamples(device, samples, now, device.nextRequestId());
}

/** 7.11, of several events with parameters of their own. */
export function eventSamples(
  device: Device,
  samples: Readonly<Record<string, readonly Item[]>>,
  now: number,
  requestId: string,
): Publication {
  const payload = Object.fromEntries(
    Object.entries(samples).map(([id, list]) => [id, list.map(({ value, time }) => ({ value, time }))]),
  );
  const body: Fields = { ...identity(device), requestId, gmtCreate: now, payload };
  return json(device, `${path(device)}/thing/event/batch/post`, body, now);
}

/** What a device answered to a command, or the platform in its place. */
export interface Reply {
  /** Of the command. */
  readonly requestId: string;
  /** `property/set`, or the identifier of a service. */
  readonly service: string;
  readonly code: number;
  readonly message: string;
  readonly data: Fields;
}

/** 7.3 */
export function downlinkReply(
  device: Device,
  { requestId, service, code, message, data }: Reply,
  now: number,
): Publication {
  const body: Fields = {
    gmtCreate: now,
    ...identity(device),
    requestId: device.voice === 'enterprise' && requestId !== 'null' ? Number(requestId) : requestId,
    code,
    message,
    topic: `/sys${path(device)}/thing/service/${service}`,
    data,
  };
  return json(device, `${path(device)}/thing/downlink/reply/message`, body, now);
}

/**
 * Why a device went offline. What the platform means by which code is unknown (protocol 14): 427 is documented as an example,
 * 425 seen, 400 is its log's code for a device that another connection has taken over, 403 a guess.
 */
export const OFFLINE_REASONS = { closed: 427, silent: 425, 'taken-over': 400, disabled: 403 } as const;
export type OfflineReason = keyof typeof OFFLINE_REASONS;

/**
 * 7.4 and 7.5. `at` is when the platform noticed, `lastPacketAt` when it last heard of the device; Living knows the
 * former only. Without a reason a long silence tells one.
 */
export function status(
  device: Device,
  online: boolean,
  at: number,
  lastPacketAt: number,
  now: number,
  reason: OfflineReason = at - lastPacketAt > 60_000 ? 'silent' : 'closed',
): Publication {
  if (device.voice === 'living') {
    const body: Fields = {
      deviceType: device.product.deviceType,
      iotId: device.iotId,
      action: online ? 'online' : 'offline',
      productKey: device.productKey,
      gmtCreate: now,
      deviceName: device.deviceName,
      status: { time: at, value: online ? '1' : '0' },
    };
    return json(device, `/mqtt/status${path(device)}`, body, now);
  }
  const body: Fields = {
    status: online ? 'online' : 'offline',
    iotId: device.iotId,
    ...(online ? {} : { offlineReasonCode: OFFLINE_REASONS[reason] }),
    productKey: device.productKey,
    deviceName: device.deviceName,
    time: regionTime(at),
    utcTime: new Date(at).toISOString(),
    lastTime: regionTime(lastPacketAt),
    utcLastTime: new Date(lastPacketAt).toISOString(),
    ...(device.clientIp === null ? {} : { clientIp: device.clientIp }),
  };
  return json(device, `/as/mqtt/status${path(device)}`, body, now);
}

/** Local time of the mainland region, UTC+8, as status messages write it. */
function regionTime(at: number): string {
  return new Date(at + 8 * 3_600_000).toISOString().replace('T', ' ').replace('Z', '');
}

/** 7.6, of one user. The iotId is often empty in these. */
export function binding(
  device: Device,
  user: User,
  bind: boolean,
  owned: boolean,
  at: number,
  iotId: string,
): Publication {
  const body: Fields = {
    bind,
    productKey: device.productKey,
    deviceName: device.deviceName,
    iotId,
    messageCreateTime: at,
    identityInfos: [{ identityId: user.identityId, scopeId: '', tenantId: user.tenantId, owned: owned ? 1 : 0 }],
    params: {},
  };
  return json(device, `${path(device)}/thing/awss/enrollee/user`, body, at);
}

export type LifecycleAction = 'create' | 'delete' | 'enable' | 'disable';

/** 7.7; a `create` carries the device's secret. */
export function lifecycle(device: Device, action: LifecycleAction, at: number, secret: string): Publication {
  const body: Fields = {
    action,
    ...identity(device),
    ...(action === 'create' ? { deviceSecret: secret } : {}),
    messageCreateTime: at,
  };
  return json(device, `${path(device)}/thing/lifecycle`, body, at);
}

const gatewayIdentity = ({ iotId, productKey, deviceName }: Device): Fields => ({
  gwIotId: iotId,
  gwProductKey: productKey,
  gwDeviceName: deviceName,
});

/** 7.8 */
export function topology(gateway: Device, action: LifecycleAction, subs: readonly Device[], at: number): Publication {
  const body: Fields = { action, ...gatewayIdentity(gateway), devices: subs.map(identity), messageCreateTime: at };
  return json(gateway, `${path(gateway)}/thing/topo/lifecycle`, body, at);
}

/** 7.9: no time in the body. */
export function found(gateway: Device, subs: readonly Device[], now: number): Publication {
  return json(
    gateway,
    `${path(gateway)}/thing/list/found`,
    { ...gatewayIdentity(gateway), devices: subs.map(identity) },
    now,
  );
}

/** 7.13 */
export function tags(device: Device, values: Readonly<Record<string, string>>, at: number): Publication {
  const value = Object.entries(values).map(([attrKey, attrValue]) => ({ attrKey, attrValue }));
  return json(
    device,
    `${path(device)}/thing/deviceinfo/update`,
    { ...identity(device), value, messageCreateTime: at },
    at,
  );
}

/** A firmware update of one device within a batch. */
export interface Upgrade {
  readonly jobId: string;
  readonly taskId: string;
  readonly srcVersion: string;
  readonly destVersion: string;
}

/** 7.14 */
export function upgradeResult(device: Device, upgrade: Upgrade, succeeded: boolean, at: number): Publication {
  const body: Fields = {
    ...identity(device),
    status: succeeded ? 'SUCCEEDED' : 'FAILED',
    messageCreateTime: at,
    srcVersion: upgrade.srcVersion,
    destVersion: upgrade.destVersion,
    desc: succeeded ? 'success' : 'verification failed',
    jobId: upgrade.jobId,
    taskId: upgrade.taskId,
    moduleName: 'default',
  };
  return json(device, `${path(device)}/ota/upgrade`, body, at);
}

/** 7.15 */
export function upgradeProgress(
  device: Device,
  upgrade: Upgrade,
  step: number,
  at: number,
  { desc = 'downloading', moduleName = 'default' }: { readonly desc?: string; readonly moduleName?: string } = {},
): Publication {
  const body: Fields = {
    ...identity(device),
    messageCreateTime: at,
    srcVersion: upgrade.srcVersion,
    destVersion: upgrade.destVersion,
    desc,
    jobId: upgrade.jobId,
    taskId: upgrade.taskId,
    moduleName,
    step: String(step),
  };
  return json(device, `${path(device)}/ota/progress/post`, body, at);
}

/** 7.16 */
export function moduleVersion(device: Device, version: string, at: number, moduleName = 'default'): Publication {
  const body: Fields = { ...identity(device), moduleName, moduleVersion: version, messageCreateTime: at };
  return json(device, `${path(device)}/ota/version/post`, body, at);
}

/** 7.17: of a whole batch, with no device in it. */
export function upgradeJob(
  { productKey, tenant }: Product,
  packageId: string,
  jobId: string,
  state: 'PLANNED' | 'IN_PROGRESS' | 'COMPLETED',
  at: number,
): Publication {
  const body: Fields = { productKey, moduleName: 'default', packageId, jobId, status: state, messageCreateTime: at };
  const topic = `/${productKey}/${packageId}/${jobId}/ota/job/status`;
  return { topic, body: toJson(body), generateTime: at, tenant };
}

/** 7.18: whatever bytes the device chose. */
export function custom(device: Device, suffix: string, body: string | Uint8Array, now: number): Publication {
  return forwarded(device, `${path(device)}/user/${suffix}`, body, now);
}

/** 7.18 under a topic as the device gave it: products of the first years have custom topics without `/user/`. */
export function forwarded(device: Device, topic: string, body: string | Uint8Array, now: number): Publication {
  return { topic, body, generateTime: now, tenant: device.product.tenant };
}
