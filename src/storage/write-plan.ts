import { createHash } from 'node:crypto';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type {
  DeviceEvent,
  DeviceIdentified,
  GatewayChanged,
  LifecycleAction,
  LifecycleChanged,
  PlatformUser,
  PresenceChanged,
  PropertiesReported,
  TagsChanged,
  UserBound,
  UserUnbound,
} from '../domain/device-event.js';
import { deviceKeyText, type DeviceKey } from '../domain/device-key.js';
import { compareText, compareValues, type Value } from '../domain/value.js';
import { HistoryFolding, type HistoryRows } from './history-plan.js';
import { logEntry, type LogEntry } from './log-entry.js';

/** An attribute's value with the time that won it. */
export interface Timed<T> {
  readonly value: T;
  readonly at: Date;
}

/** The winning status message of a device. */
export interface Presence {
  readonly online: boolean;
  readonly since: Date;
  readonly order: Date;
  readonly reason: number | null;
}

/** What a batch says of one device, folded to the newest of each attribute. */
export interface DevicePlan {
  readonly device: DeviceKey;
  iotId: Timed<string> | null;
  deviceType: Timed<string> | null;
  presence: Presence | null;
  lifecycle: Timed<LifecycleAction> | null;
  createdAt: Date | null;
  /** The gateway, or null for having been detached. */
  gateway: Timed<DeviceKey | null> | null;
  firstSeen: Date | null;
  lastSeen: Date | null;
  /** The earliest time of what is told of it beside readings. */
  mentioned: Date | null;
}

/** One series of a batch: its newest value, and every value by time. */
export interface SeriesPlan {
  readonly device: DeviceKey;
  readonly identifier: string;
  newest: Timed<Value>;
  /** By epoch milliseconds: the different values of that instant in their fixed order. Without what retention has no room for. */
  readonly readings: Map<number, Value[]>;
}

/** A row of EventLog. */
export interface EventPlan extends LogEntry {
  readonly device: DeviceKey | null;
  readonly productKey: string | null;
  readonly kind: DeviceEvent['kind'];
  readonly at: Date;
  readonly hash: string;
  readonly receivedAt: Date;
}

/** A fact of UserBinding. */
export interface BindingPlan {
  readonly device: DeviceKey;
  readonly user: PlatformUser;
  readonly at: Date;
  readonly bound: boolean;
  readonly owned: boolean;
}

/** A row of DeviceTag. */
export interface TagPlan {
  readonly device: DeviceKey;
  readonly key: string;
  readonly value: string;
  readonly at: Date;
}

/** Everything a batch writes, each row once, in the order in which rows are locked. */
export interface WritePlan extends HistoryRows {
  readonly devices: readonly DevicePlan[];
  readonly series: readonly SeriesPlan[];
  readonly events: readonly EventPlan[];
  readonly bindings: readonly BindingPlan[];
  readonly tags: readonly TagPlan[];
  readonly refused: readonly DecodedMessage[];
  /** Keys of messages of which something was older than retention keeps it. */
  readonly expired: ReadonlySet<string>;
}

/** History older than this is not written any more. Null keeps everything. */
export interface KeptFrom {
  readonly readingsFrom: Date | null;
  readonly eventsFrom: Date | null;
  /** The same of products with a retention of their own, by product key. */
  readonly products?: ReadonlyMap<string, Omit<KeptFrom, 'products'>>;
}

/** Folds a batch of messages into rows. Pure; the result does not depend on the order of the messages. */
export function planWrites(messages: readonly DecodedMessage[], retention: KeptFrom): WritePlan {
  const plan = new Folding(retention);
  for (const message of messages) plan.add(message);
  return plan.result();
}

class Folding {
  private readonly devices = new Map<string, DevicePlan>();
  private readonly series = new Map<string, SeriesPlan>();
  private readonly events = new Map<string, EventPlan>();
  private readonly bindings = new Map<string, BindingPlan>();
  private readonly tags = new Map<string, TagPlan>();
  private readonly history = new HistoryFolding();
  private readonly refused: DecodedMessage[] = [];
  private readonly expired = new Set<string>();

  constructor(private readonly retention: KeptFrom) {}

  add(message: DecodedMessage): void {
    if (message.refusal) {
      this.refused.push(message);
      return;
    }
    for (const event of message.events) {
      this.addState(event, message);
      this.addToLog(event, message);
    }
  }

  result(): WritePlan {
    return {
      devices: sortedByKey(this.devices),
      series: sortedByKey(this.series),
      events: [...this.events.values()],
      bindings: [...this.bindings.values()],
      tags: [...this.tags.values()],
      ...this.history.result(),
      refused: this.refused,
      expired: this.expired,
    };
  }

  private addState(event: DeviceEvent, message: DecodedMessage): void {
    if (event.kind === 'upgrade-job-changed') return; // concerns a product, not a device
    const device = this.device(event.device);
    if (event.kind !== 'properties-reported') mentioned(device, event.at);
    switch (event.kind) {
      case 'device-identified':
        this.history.addIdentity(event);
        return foldIdentity(device, event);
      case 'properties-reported':
        return this.addReadings(device, event, message);
      case 'presence-changed':
        heard(device, event.orderedBy);
        this.history.addPresence(event);
        return foldPresence(device, event);
      case 'user-bound':
      case 'user-unbound':
        return this.addBinding(event);
      case 'lifecycle-changed':
        this.history.addLifecycle(event);
        return foldLifecycle(device, event);
      case 'gateway-changed':
        this.history.addGateway(event);
        return foldGateway(device, event);
      case 'tags-changed':
        this.history.addTags(event);
        return this.addTags(event);
      case 'command-replied':
        if (event.byDevice) heard(device, event.at);
        return;
      case 'event-raised':
      case 'sub-devices-found':
      case 'upgrade-finished':
      case 'upgrade-progressed':
      case 'version-reported':
      case 'value-rejected':
      case 'custom-message-received':
        return heard(device, event.at);
      case 'topology-changed':
        return;
      default:
        event satisfies never;
    }
  }

  private device(key: DeviceKey): DevicePlan {
    const text = deviceKeyText(key);
    let device = this.devices.get(text);
    if (!device) {
      device = {
        device: key,
        iotId: null,
        deviceType: null,
        presence: null,
        lifecycle: null,
        createdAt: null,
        gateway: null,
        firstSeen: null,
        lastSeen: null,
        mentioned: null,
      };
      this.devices.set(text, device);
    }
    return device;
  }

  private addReadings(device: DevicePlan, event: PropertiesReported, message: DecodedMessage): void {
    const from = this.keptFrom(event.device.productKey).readingsFrom;
    const keyPrefix = `${deviceKeyText(event.device)}\0`;
    for (const { identifier, value, at } of event.readings) {
      heard(device, at);
      const key = keyPrefix + identifier;
      let series = this.series.get(key);
      if (!series) {
        series = { device: event.device, identifier, newest: { value, at }, readings: new Map() };
        this.series.set(key, series);
      } else if (
        newer(at, series.newest.at) ||
        (same(at, series.newest.at) && compareValues(value, series.newest.value) > 0)
      ) {
        series.newest = { value, at };
      }
      if (from && at < from) this.expired.add(message.key);
      else addValue(series.readings, at.getTime(), value);
    }
  }

  private keptFrom(productKey: string): KeptFrom {
    return this.retention.products?.get(productKey) ?? this.retention;
  }

  private addBinding(event: UserBound | UserUnbound): void {
    const { device, user, at, owned } = event;
    const bound = event.kind === 'user-bound';
    const key = JSON.stringify([deviceKeyText(device), user.identityId, user.scopeId, user.tenantId, at, bound, owned]);
    this.bindings.set(key, { device, user, at, bound, owned });
  }

  private addTags(event: TagsChanged): void {
    for (const { key, value } of event.tags) {
      const id = `${deviceKeyText(event.device)}\0${key}`;
      const known = this.tags.get(id);
      const wins =
        !known || newer(event.at, known.at) || (same(event.at, known.at) && compareText(value, known.value) > 0);
      if (wins) this.tags.set(id, { device: event.device, key, value, at: event.at });
    }
  }

  private addToLog(event: DeviceEvent, message: DecodedMessage): void {
    const entry = logEntry(event);
    if (!entry) return;
    const device = 'device' in event ? event.device : null;
    const productKey = 'device' in event ? null : event.productKey;
    const from = this.keptFrom(device?.productKey ?? productKey ?? '').eventsFrom;
    if (from && event.at < from) {
      this.expired.add(message.key);
      return;
    }
    const hash = contentHash([
      event.kind,
      device?.productKey ?? productKey,
      device?.deviceName ?? null,
      entry.identifier,
      event.at.getTime(),
      entry.value,
      event.kind === 'custom-message-received' ? message.key : null,
    ]);
    const known = this.events.get(hash);
    const row = {
      ...entry,
      device,
      productKey,
      kind: event.kind,
      at: event.at,
      hash,
      receivedAt: message.raw.receivedAt,
    };
    this.events.set(hash, known ? merged(known, row) : row);
  }
}

/** The same fact told twice: what is not part of its identity is merged so that the order of telling does not matter. */
function merged(known: EventPlan, told: EventPlan): EventPlan {
  return {
    ...known,
    name: greater(known.name, told.name),
    type: greater(known.type, told.type),
    requestId: greater(known.requestId, told.requestId),
  };
}

function foldIdentity(device: DevicePlan, event: DeviceIdentified): void {
  const { at } = event;
  device.iotId = newerText(device.iotId, event.iotId === null ? null : { value: event.iotId, at });
  device.deviceType = newerText(device.deviceType, event.deviceType === null ? null : { value: event.deviceType, at });
}

function foldPresence(device: DevicePlan, event: PresenceChanged): void {
  const told: Presence = { online: event.online, since: event.at, order: event.orderedBy, reason: event.reason };
  if (!device.presence || comparePresence(told, device.presence) > 0) device.presence = told;
}

/** By the last packet's time, then by the status message's own; at equal times online beats offline. */
function comparePresence(a: Presence, b: Presence): number {
  return (
    a.order.getTime() - b.order.getTime() ||
    a.since.getTime() - b.since.getTime() ||
    Number(a.online) - Number(b.online) ||
    (a.reason ?? -Infinity) - (b.reason ?? -Infinity) ||
    0
  );
}

function foldLifecycle(device: DevicePlan, event: LifecycleChanged): void {
  const { action, at } = event;
  device.lifecycle = newerText(device.lifecycle, { value: action, at });
  if (action === 'create' && (!device.createdAt || newer(at, device.createdAt))) device.createdAt = at;
}

function foldGateway(device: DevicePlan, event: GatewayChanged): void {
  if (event.action !== 'create' && event.action !== 'delete') return;
  const { at } = event;
  const told = { value: event.action === 'create' ? event.gateway : null, at };
  const known = device.gateway;
  if (!known || newer(at, known.at) || (same(at, known.at) && compareGateways(told.value, known.value) > 0))
    device.gateway = told;
}

/** At equal times attached beats detached, and between two gateways their names decide. */
function compareGateways(a: DeviceKey | null, b: DeviceKey | null): number {
  if (!a || !b) return Number(a !== null) - Number(b !== null);
  return compareText(a.productKey, b.productKey) || compareText(a.deviceName, b.deviceName);
}

function heard(device: DevicePlan, at: Date): void {
  if (!device.firstSeen || at < device.firstSeen) device.firstSeen = at;
  if (!device.lastSeen || at > device.lastSeen) device.lastSeen = at;
}

function mentioned(device: DevicePlan, at: Date): void {
  if (!device.mentioned || at < device.mentioned) device.mentioned = at;
}

function addValue(readings: Map<number, Value[]>, at: number, value: Value): void {
  const values = readings.get(at);
  if (!values) {
    readings.set(at, [value]);
    return;
  }
  const place = placeOf(values, value);
  const next = values[place];
  if (next && compareValues(next, value) === 0) return;
  values.splice(place, 0, value);
}

/** Where a value goes among sorted ones; found by halving, since a message may tell thousands of values of one instant. */
function placeOf(values: readonly Value[], value: Value): number {
  let from = 0;
  let to = values.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const known = values[middle];
    if (known && compareValues(known, value) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function newerText<T extends string>(known: Timed<T> | null, told: Timed<T> | null): Timed<T> | null {
  if (!known || !told) return known ?? told;
  if (same(told.at, known.at)) return compareText(told.value, known.value) > 0 ? told : known;
  return newer(told.at, known.at) ? told : known;
}

function greater(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareText(a, b) >= 0 ? a : b;
}

function newer(a: Date, b: Date): boolean {
  return a.getTime() > b.getTime();
}

function same(a: Date, b: Date): boolean {
  return a.getTime() === b.getTime();
}

function contentHash(content: readonly (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}

function sortedByKey<T>(rows: ReadonlyMap<string, T>): T[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
