import type {
  DeviceIdentified,
  GatewayChanged,
  LifecycleChanged,
  PresenceChanged,
  TagsChanged,
} from '../domain/device-event.js';
import { deviceKeyText, type DeviceKey } from '../domain/device-key.js';
import { compareText } from '../domain/value.js';

/** A row of DeviceIdentity: the earliest message of the batch that told this value. */
export interface IdentityPlan {
  readonly device: DeviceKey;
  readonly attribute: 'iotId' | 'deviceType';
  readonly value: string;
  readonly at: Date;
}

/** A row of DeviceHistory. */
export interface HistoryPlan {
  readonly device: DeviceKey;
  readonly attribute: 'lifecycle' | 'create' | 'gateway' | 'tag';
  readonly key: string;
  readonly at: Date;
  readonly value: string | null;
  readonly part: string | null;
}

/** A row of PresenceHistory. */
export interface PresencePlan {
  readonly device: DeviceKey;
  readonly at: Date;
  readonly orderedBy: Date;
  readonly online: boolean;
  readonly reason: number | null;
}

/** What devices were at other times, as far as a batch tells it; readings and bindings have tables of their own. */
export interface HistoryRows {
  readonly identities: readonly IdentityPlan[];
  readonly history: readonly HistoryPlan[];
  /** Of each device in the order of `at`, each outranking the one before. */
  readonly presence: readonly PresencePlan[];
}

/** Folds events into rows of history. The result does not depend on their order. */
export class HistoryFolding {
  private readonly identities = new Map<string, IdentityPlan>();
  private readonly history = new Map<string, HistoryPlan>();
  private readonly presence = new Map<string, PresencePlan[]>();

  result(): HistoryRows {
    return {
      identities: [...this.identities.values()],
      history: [...this.history.values()],
      presence: [...this.presence.values()].flatMap(deciding),
    };
  }

  addIdentity({ device, iotId, deviceType, at }: DeviceIdentified): void {
    const prefix = deviceKeyText(device);
    const told = (attribute: IdentityPlan['attribute'], value: string | null): void => {
      if (value === null) return;
      const key = `${prefix}\0${attribute}\0${value}`;
      const known = this.identities.get(key);
      if (!known || at < known.at) this.identities.set(key, { device, attribute, value, at });
    };
    told('iotId', iotId);
    told('deviceType', deviceType);
  }

  addPresence({ device, at, orderedBy, online, reason }: PresenceChanged): void {
    const key = deviceKeyText(device);
    const known = this.presence.get(key);
    const row = { device, at, orderedBy, online, reason };
    if (known) known.push(row);
    else this.presence.set(key, [row]);
  }

  addLifecycle(event: LifecycleChanged): void {
    this.addFact({ ...event, attribute: 'lifecycle', key: '', value: event.action, part: null });
    if (event.action === 'create') this.addFact({ ...event, attribute: 'create', key: '', value: null, part: null });
  }

  addGateway({ device, at, action, gateway }: GatewayChanged): void {
    if (action !== 'create' && action !== 'delete') return;
    const attached = action === 'create';
    const [value, part] = attached ? [gateway.productKey, gateway.deviceName] : [null, null];
    this.addFact({ device, attribute: 'gateway', key: '', at, value, part });
  }

  addTags({ device, at, tags }: TagsChanged): void {
    for (const { key, value } of tags) this.addFact({ device, attribute: 'tag', key, at, value, part: null });
  }

  private addFact({ device, attribute, key, at, value, part }: HistoryPlan): void {
    const id = `${deviceKeyText(device)}\0${attribute}\0${at.getTime()}\0${key}`;
    const row = { device, attribute, key, at, value, part };
    const known = this.history.get(id);
    if (!known || compareFacts(row, known) > 0) this.history.set(id, row);
  }
}

/** Two facts of one moment: attached beats detached, then the greater text wins, as in the current state. */
function compareFacts(a: HistoryPlan, b: HistoryPlan): number {
  return (
    Number(a.value !== null) - Number(b.value !== null) ||
    compareText(a.value ?? '', b.value ?? '') ||
    compareText(a.part ?? '', b.part ?? '')
  );
}

/** Those that no earlier one outranks. */
function deciding(told: readonly PresencePlan[]): PresencePlan[] {
  const rows: PresencePlan[] = [];
  for (const row of [...told].sort((a, b) => a.at.getTime() - b.at.getTime() || compareRanks(a, b))) {
    const last = rows.at(-1);
    if (last && compareRanks(row, last) <= 0) continue;
    if (last?.at.getTime() === row.at.getTime()) rows.pop();
    rows.push(row);
  }
  return rows;
}

/** As `comparePresence` of the current state. */
function compareRanks(a: PresencePlan, b: PresencePlan): number {
  return (
    a.orderedBy.getTime() - b.orderedBy.getTime() ||
    a.at.getTime() - b.at.getTime() ||
    Number(a.online) - Number(b.online) ||
    (a.reason ?? -Infinity) - (b.reason ?? -Infinity) ||
    0
  );
}
