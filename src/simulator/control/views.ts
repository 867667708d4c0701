import { randomUUID } from 'node:crypto';
import type { Device } from '../devices/device.js';
import type { Product } from '../devices/product.js';
import type { DataType, ModelField } from '../models/thing-model.js';
import type { ClientStatus, ConsumerGroup, GroupStatus } from '../platform/consumer-group.js';
import { deviceOf, type LogRecord } from '../platform/message-log.js';
import type { Accounts } from '../platform/tenants.js';
import { enterpriseGroup, enterpriseTenant, DEFAULT_GROUP, livingGroup, livingTenant } from '../platform/tenants.js';

// What the control API answers, as plain data. No secret leaves here but the one that `credentials` is asked for.

const timeOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function tenantViews({ apps, instances }: Accounts): readonly object[] {
  return [
    ...apps.map(({ appKey, sync = true, exclude = [] }) => ({
      tenant: livingTenant(appKey),
      flavour: 'living',
      appKey,
      groups: [livingGroup(appKey)],
      sync,
      exclude,
    })),
    ...instances.map(({ instanceId, accessKeys, consumerGroupIds, subscriptions }) => ({
      tenant: enterpriseTenant(instanceId),
      flavour: 'enterprise',
      instanceId,
      groups: [DEFAULT_GROUP, ...consumerGroupIds].map((id) => enterpriseGroup(instanceId, id)),
      accessKeys: accessKeys.map(({ accessKeyId, securityToken, expiresAt, mayConsume = true }) => ({
        accessKeyId,
        temporary: securityToken !== undefined,
        expiresAt: timeOf(expiresAt ?? null),
        mayConsume,
      })),
      /** Null: every group gets everything. */
      subscriptions: subscriptions ?? null,
    })),
  ];
}

export function productView({
  productKey,
  deviceType,
  voice,
  role,
  tenant,
  model,
  validation,
  ...product
}: Product): object {
  const fields = (list: Iterable<ModelField>): object[] =>
    [...list].map(({ identifier, name, dataType }) => ({ identifier, name, ...typeView(dataType) }));
  return {
    productKey,
    deviceType,
    voice,
    role,
    tenant,
    validation,
    scripts: { raw: product.rawScript !== null, message: product.messageScript !== null },
    model: model && {
      properties: [...model.properties.values()].map(({ identifier, name, dataType, writable }) => ({
        identifier,
        name,
        ...typeView(dataType),
        writable,
      })),
      events: [...model.events.values()].map(({ identifier, name, type, outputs }) => ({
        identifier,
        name,
        type,
        outputs: fields(outputs),
      })),
      services: [...model.services.values()].map(({ identifier, name, async, inputs, outputs }) => ({
        identifier,
        name,
        async,
        inputs: fields(inputs),
        outputs: fields(outputs),
      })),
    },
  };
}

function typeView(dataType: DataType): object {
  if ('names' in dataType) return { type: dataType.type, values: Object.fromEntries(dataType.names) };
  if ('min' in dataType) return dataType;
  if (dataType.type === 'array') return { type: 'array', size: dataType.size, item: typeView(dataType.item) };
  if (dataType.type !== 'struct') return dataType;
  const members = dataType.members.map((each) => ({
    identifier: each.identifier,
    name: each.name,
    ...typeView(each.dataType),
  }));
  return { type: 'struct', members };
}

export function deviceView(device: Device): object {
  const { key, productKey, deviceName, iotId, voice, online, activated, disabled, firmware, tags, gateway } = device;
  return {
    device: key,
    productKey,
    deviceName,
    iotId,
    voice,
    online,
    activated,
    disabled,
    /** A real device over MQTT has the place of the virtual one. */
    takenOver: device.takenOver,
    lastPacketAt: device.lastPacketAt === 0 ? null : timeOf(device.lastPacketAt),
    createdAt: timeOf(device.createdAt),
    firmware,
    tags,
    gateway: gateway?.key ?? null,
    owner: device.owner?.identityId ?? null,
    guests: device.guests.map(({ identityId }) => identityId),
  };
}

/** What `QueryConsumerGroupStatus` tells (protocol 10), and what only a simulator knows. */
export function groupView(group: ConsumerGroup): object {
  const { counts } = group;
  const status = group.status();
  const [flavour = '', owner = '', consumerGroupId = owner] = group.id.split('/');
  return {
    group: group.id,
    tenant: `${flavour}/${owner}`,
    consumerGroupId,
    status: statusView(status),
    queues: { realTime: Math.max(0, counts.queued - status.accumulationCount), backlog: status.accumulationCount },
    unacknowledged: counts.unsettled,
    totals: counts,
  };
}

/** The answer of `QueryConsumerGroupStatus`, field by field (protocol 10). */
function statusView(status: GroupStatus): object {
  return {
    RequestId: randomUUID().toUpperCase(),
    Success: true,
    Code: '',
    ErrorMessage: '',
    AccumulationCount: status.accumulationCount,
    ConsumerSpeed: status.consumerSpeed,
    RealTimeConsumeCountPerMinute: status.realTimeConsumeCountPerMinute,
    AccumulatedConsumeCountPerMinute: status.accumulatedConsumeCountPerMinute,
    LastConsumerTime: timeOf(status.lastConsumerTime) ?? '',
    ClientConnectionStatusList: {
      ConsumerGroupClientConnectionInfo: status.clients.map(clientView),
    },
  };
}

const clientView = (client: ClientStatus): object => ({
  ClientId: client.clientId,
  ClientIpPort: client.clientIpPort,
  OnlineTime: client.onlineTime,
  RealTimeConsumeCountPerMinute: client.realTimeConsumeCountPerMinute,
  AccumulatedConsumeCountPerMinute: client.accumulatedConsumeCountPerMinute,
});

/** The clients of a group, each with its group. */
export const clientViews = (group: ConsumerGroup): readonly object[] =>
  group.status().clients.map((client) => ({ group: group.id, ...clientView(client) }));

/** One line of the message log. */
export function recordView(record: LogRecord): object {
  const { seq, at } = record;
  const common = { seq, at: timeOf(at), device: deviceOf(record) };
  if (record.kind === 'refused') {
    const { what, door, who, reason, topic = null, body } = record.refusal;
    return { ...common, kind: 'refused', what, door, who, reason, topic, bytes: body?.length ?? 0 };
  }
  const { message, origin, forwarded, notes, again } = record;
  return {
    ...common,
    kind: 'message',
    messageId: message.id,
    topic: message.topic,
    bytes: message.body.length,
    tenant: message.tenant,
    origin: origin?.from ?? 'control',
    by: origin?.by ?? null,
    notes: notes.length,
    publishedAgain: again.length,
    fates: forwarded.map(({ group, outcome, deliveries }) => ({ group, outcome, deliveries })),
  };
}

export type BodyForm = 'text' | 'hex' | 'base64';

/** A record with all that is known: arrival, processing, forwarding (protocol 12), and its whole body. */
export function recordDetail(record: LogRecord, as: BodyForm | undefined): object {
  if (record.kind === 'refused') {
    const { body } = record.refusal;
    return { ...recordView(record), body: body ? bodyView(body, as) : null };
  }
  const { message, origin, forwarded, notes, again } = record;
  const uplink = origin?.uplink;
  return {
    ...recordView(record),
    arrival: {
      at: timeOf(record.at),
      from: origin?.from ?? 'control',
      by: origin?.by ?? null,
      /** The message that a rule made this one of. */
      of: origin?.of ?? null,
      topic: uplink?.topic ?? null,
      body: uplink ? bodyView(uplink.body, as) : null,
    },
    processing: {
      topic: message.topic,
      generateTime: message.generateTime,
      qos: message.qos,
      properties: message.properties,
      bodyForm: message.bodyForm,
      withoutMessageId: message.anonymous,
      checkFailedData: checkFailedData(message.body),
      notes: notes.map(({ at, by, text }) => ({ at: timeOf(at), by, text })),
    },
    forwarding: forwarded.map(({ group, outcome, deliveries, attempts, droppedAt }) => ({
      group,
      outcome,
      deliveries,
      /** Deliveries in the middle that are counted but not listed. */
      leftOut: deliveries - attempts.length,
      attempts: attempts.map(({ at, client, answer, answeredAt }) => ({
        at: timeOf(at),
        client,
        answer,
        answeredAt: timeOf(answeredAt),
      })),
      droppedAt: timeOf(droppedAt),
    })),
    again: again.map((one) => ({
      at: timeOf(one.at),
      same: one.message.topic === message.topic && one.message.body.equals(message.body),
      topic: one.message.topic,
      body: bodyView(one.message.body, as),
    })),
    body: bodyView(message.body, as),
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** All bytes of a body: as text where they are UTF-8, as Base64 where not, or as asked. */
function bodyView(body: Uint8Array, as: BodyForm | undefined): object {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const form = as ?? (isText(bytes) ? 'text' : 'base64');
  const content = form === 'text' ? bytes.toString('utf8') : bytes.toString(form);
  // Asked for as text although they are none, some bytes come out as U+FFFD.
  return { bytes: bytes.length, form, ...(form === 'text' && !isText(bytes) ? { exact: false } : {}), content };
}

function isText(bytes: Buffer): boolean {
  try {
    UTF8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** What the platform's validation found wrong (protocol 7.1), from the body that it made. */
function checkFailedData(body: Buffer): unknown {
  if (!body.includes('checkFailedData')) return null;
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && 'checkFailedData' in parsed ? parsed.checkFailedData : null;
  } catch {
    return null;
  }
}
