import fc from 'fast-check';
import type { DeviceEvent, LifecycleAction } from '../../src/domain/device-event.js';
import type { DeviceKey } from '../../src/domain/device-key.js';
import { NOON } from '../support/messages.js';

/** The product that the devices below are of until they are given another. */
const SOME = 'some';

/** The same event of a device of another product. */
export function ofProduct(event: DeviceEvent, productKey: string): DeviceEvent {
  return JSON.parse(JSON.stringify(event), (key, value: unknown) =>
    key === 'productKey' ? productKey : key === 'at' || key === 'orderedBy' ? new Date(String(value)) : value,
  ) as DeviceEvent;
}

/** One of few moments, so that many coincide. */
export const moment = (index: number): Date => new Date(NOON + index * 1000);
export const MOMENTS = 7;

const NAMES = ['d1', 'd2'] as const;
const VALUES = [
  { kind: 'number', text: '1' },
  { kind: 'number', text: '31' },
  { kind: 'json', text: '"x"' },
  { kind: 'json', text: '{"a": 1}' },
] as const;

const time = fc.integer({ min: 0, max: MOMENTS - 1 });
const name = fc.constantFrom(...NAMES);

function about<T>(
  fields: fc.Arbitrary<T>,
  event: (device: DeviceKey, at: Date, fields: T, index: number) => DeviceEvent,
): fc.Arbitrary<DeviceEvent> {
  return fc
    .record({ name, time, fields })
    .map((given) => event({ productKey: SOME, deviceName: given.name }, moment(given.time), given.fields, given.time));
}

const report = about(
  fc.array(fc.record({ identifier: fc.constantFrom('p', 'q'), value: fc.constantFrom(...VALUES), time }), {
    maxLength: 4,
  }),
  (device, at, readings) => ({
    kind: 'properties-reported',
    device,
    at,
    readings: readings.map((reading) => ({ ...reading, at: moment(reading.time) })),
  }),
);

/** An iotId that was given up does not come back: that one thing the history cannot tell. */
const identity = about(fc.boolean(), (device, at, typed, index) => ({
  kind: 'device-identified',
  device,
  at,
  iotId: `i${Math.floor(index / 2)}`,
  deviceType: typed ? `T${Math.floor(index / 3)}` : null,
}));

const status = about(
  fc.record({ online: fc.boolean(), lag: fc.nat(3), reason: fc.constantFrom(null, 427, 428) }),
  (device, at, { online, lag, reason }, index) => ({
    kind: 'presence-changed',
    device,
    at,
    online,
    orderedBy: moment(Math.max(0, index - lag)),
    reason: online ? null : reason,
    detail: '{}',
  }),
);

const lifecycle = about(
  fc.constantFrom<LifecycleAction>('create', 'create', 'delete', 'enable'),
  (device, at, action) => ({ kind: 'lifecycle-changed', device, at, action }),
);

const gateway = about(
  fc.record({
    to: fc.constantFrom('g1', 'g2'),
    action: fc.constantFrom<LifecycleAction>('create', 'delete', 'enable'),
  }),
  (device, at, { to, action }) => ({
    kind: 'gateway-changed',
    device,
    at,
    action,
    gateway: { productKey: device.productKey, deviceName: to },
  }),
);

const tags = about(
  fc.array(fc.record({ key: fc.constantFrom('k', 'l'), value: fc.constantFrom('x', 'y') }), {
    minLength: 1,
    maxLength: 2,
  }),
  (device, at, told) => ({ kind: 'tags-changed', device, at, tags: told }),
);

const binding = about(
  fc.record({ bound: fc.boolean(), owned: fc.boolean(), identityId: fc.constantFrom('u1', 'u2') }),
  (device, at, { bound, owned, identityId }) => ({
    kind: bound ? 'user-bound' : 'user-unbound',
    device,
    at,
    owned,
    user: { identityId, scopeId: 's', tenantId: 't' },
  }),
);

const reply = about(fc.boolean(), (device, at, byDevice) => ({
  kind: 'command-replied',
  device,
  at,
  requestId: '1',
  byDevice,
  value: `{"code": ${byDevice ? 200 : 9201}}`,
}));

const heard = about(
  fc.constantFrom('version-reported' as const, 'upgrade-progressed' as const),
  (device, at, kind) => ({
    kind,
    device,
    at,
    value: '{}',
  }),
);

const mentioned = about(fc.constant(null), (device, at) => ({
  kind: 'topology-changed',
  device,
  at,
  action: 'create',
  subDevices: [],
}));

const KINDS = [report, report, identity, status, status, lifecycle, gateway, tags, binding, reply, heard, mentioned];

/** Of all kinds, or of two that contend. */
export const happenings: fc.Arbitrary<DeviceEvent[]> = fc.oneof(
  fc.array(fc.oneof(...KINDS), { minLength: 1, maxLength: 12 }),
  fc.array(fc.oneof(status, lifecycle), { minLength: 2, maxLength: 8 }),
  fc.array(fc.oneof(report, lifecycle), { minLength: 2, maxLength: 8 }),
);

/** What of an event had happened by then, by device time; null when nothing of it. */
export function upTo(event: DeviceEvent, at: Date): DeviceEvent | null {
  if (event.kind !== 'properties-reported') return event.at <= at ? event : null;
  const readings = event.readings.filter((reading) => reading.at <= at);
  return readings.length > 0 ? { ...event, readings } : null;
}

/** The moments at which an event says that its device was heard. */
export function heardAt(event: DeviceEvent): readonly Date[] {
  switch (event.kind) {
    case 'properties-reported':
      return event.readings.map((reading) => reading.at);
    case 'presence-changed':
      return [event.orderedBy];
    case 'command-replied':
      return event.byDevice ? [event.at] : [];
    case 'version-reported':
    case 'upgrade-progressed':
      return [event.at];
    case 'device-identified':
    case 'event-raised':
    case 'user-bound':
    case 'user-unbound':
    case 'lifecycle-changed':
    case 'topology-changed':
    case 'gateway-changed':
    case 'sub-devices-found':
    case 'tags-changed':
    case 'upgrade-finished':
    case 'upgrade-job-changed':
    case 'value-rejected':
    case 'custom-message-received':
      return [];
    default:
      return event satisfies never;
  }
}
