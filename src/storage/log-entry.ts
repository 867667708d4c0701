import type { DeviceEvent } from '../domain/device-event.js';
import type { DeviceKey } from '../domain/device-key.js';
import type { CanonicalJson } from '../domain/value.js';

/** What EventLog says of an event, beside its kind, device and time. */
export interface LogEntry {
  readonly identifier: string | null;
  readonly name: string | null;
  readonly type: string | null;
  readonly requestId: string | null;
  /** JSON text. Part of the event's identity: equal facts must have equal texts. */
  readonly value: CanonicalJson;
}

/** The log entry of an event, or null for what has its own table and no place in the log. */
export function logEntry(event: DeviceEvent): LogEntry | null {
  switch (event.kind) {
    case 'device-identified':
    case 'properties-reported':
      return null;
    case 'event-raised':
      return entry(event.value, event);
    case 'presence-changed': {
      const { online, reason, orderedBy } = event;
      return entry(withPart({ online, reason, orderedBy }, 'detail', event.detail), {
        type: online ? 'online' : 'offline',
      });
    }
    case 'command-replied':
      return entry(event.value, { requestId: event.requestId });
    case 'user-bound':
    case 'user-unbound': {
      const { identityId, scopeId, tenantId } = event.user;
      return entry(JSON.stringify({ identityId, scopeId, tenantId, owned: event.owned }), { identifier: identityId });
    }
    case 'lifecycle-changed':
      return entry(JSON.stringify({ action: event.action }), { type: event.action });
    case 'topology-changed':
      return entry(JSON.stringify({ action: event.action, subDevices: event.subDevices.map(named) }), {
        type: event.action,
      });
    case 'gateway-changed':
      return entry(JSON.stringify({ action: event.action, gateway: named(event.gateway) }), { type: event.action });
    case 'sub-devices-found':
      return entry(JSON.stringify({ subDevices: event.subDevices.map(named) }));
    case 'tags-changed':
      return entry(JSON.stringify({ tags: event.tags.map(({ key, value }) => ({ key, value })) }));
    case 'upgrade-finished':
    case 'upgrade-progressed':
    case 'version-reported':
    case 'upgrade-job-changed':
      return entry(event.value);
    case 'value-rejected':
      return entry(withPart({ reason: event.reason }, 'sent', event.value), {
        identifier: event.identifier,
        type: event.reason,
      });
    case 'custom-message-received': {
      const { topic, encoding } = event;
      return entry(withPart({ topic, encoding }, 'body', event.value));
    }
    default:
      return event satisfies never;
  }
}

function entry(value: CanonicalJson, columns: Partial<Omit<LogEntry, 'value'>> = {}): LogEntry {
  const { identifier = null, name = null, type = null, requestId = null } = columns;
  return { identifier, name, type, requestId, value };
}

/** JSON of `fields` and one more field that is JSON text already. */
function withPart(fields: object, part: string, json: CanonicalJson): string {
  return `${JSON.stringify(fields).slice(0, -1)},${JSON.stringify(part)}:${json}}`;
}

function named({ productKey, deviceName }: DeviceKey): string {
  return `${productKey}:${deviceName}`;
}
