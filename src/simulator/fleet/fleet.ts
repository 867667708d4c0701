import type { Command, DownlinkRoute } from '../devices/downlink.js';
import type { Device, User } from '../devices/device.js';
import { registrationOf } from '../devices/identity.js';
import { toJson, type Json } from '../devices/json.js';
import { binding, custom, lifecycle, propertyPost, topology, type Item } from '../devices/messages.js';
import { goOnline } from '../devices/presence.js';
import type { Voice } from '../devices/product.js';
import type { Registry } from '../devices/registry.js';
import type { Publication } from '../platform/platform-message.js';
import { Random } from '../random.js';
import { Agenda } from './agenda.js';
import { answerCommand } from './answer.js';
import type { Kind } from './line-up.js';
import { STORIES } from './stories.js';
import { VirtualDevice } from './virtual-device.js';
import type { Story, World } from './world.js';

export interface FleetOptions {
  readonly seed: string;
  /** One for each device. */
  readonly members: readonly Kind[];
  /** Where the devices are known. */
  readonly registry: Registry;
}

const DAY_MS = 86_400_000;

/** One message in so many is something else than a property report. */
const STORY_EVERY = 8;
/** A fleet up to this size is looked at as a whole; of a larger one so many devices are tried. */
const LOOKED_AT = 64;
/** How long a device takes to answer a command, in ms. */
const ANSWER_MS = { min: 40, max: 900 } as const;

/**
 * Virtual devices that live their lives. Who asks with the same times after the same seed gets the same bytes: all chance
 * is seeded, and the fleet reads no clock. What a message costs does not grow with the fleet.
 */
export class Fleet implements World, DownlinkRoute {
  readonly devices: VirtualDevice[] = [];
  readonly random: Random;
  readonly agenda = new Agenda();
  readonly users: readonly User[];
  private readonly seed: string;
  private readonly registry: Registry;
  private readonly kinds: readonly Kind[];
  private readonly stories: readonly Story[];
  /** Answers to commands that were sent from outside: they wait for nobody's rate. */
  private readonly answers = new Agenda();
  private bag: Story[] = [];
  private steps = 0;
  /** When it was last asked to go on. */
  private now = 0;

  constructor({ seed, members, registry }: FleetOptions) {
    this.seed = seed;
    this.registry = registry;
    this.random = new Random(`fleet/${seed}`);
    this.kinds = [...new Set(members)];
    const tenantId = this.random.text(24).toUpperCase();
    const people = Math.min(10_000, Math.max(6, Math.ceil(members.length / 3)));
    this.users = Array.from({ length: people }, () => ({
      identityId: `50${this.random.text(34).toLowerCase()}`,
      tenantId,
    }));
    const counted = new Map<Kind, number>();
    const gateways = new Map<string, VirtualDevice[]>();
    const isSub = ({ product }: Kind): boolean => product.role === 'sub-device';
    // Gateways first: what sits behind them needs them.
    for (const kind of [...members.filter((each) => !isSub(each)), ...members.filter(isSub)]) {
      const number = (counted.get(kind) ?? 0) + 1;
      counted.set(kind, number);
      const parents = kind.gateway === null ? [] : (gateways.get(kind.gateway) ?? []);
      const parent = parents[(number - 1) % Math.max(1, parents.length)] ?? null;
      const device = this.build(kind, `${kind.names}-${String(number).padStart(3, '0')}`, parent);
      this.join(device);
      const { role, productKey } = kind.product;
      if (role === 'gateway') gateways.set(productKey, [...(gateways.get(productKey) ?? []), device]);
    }
    this.stories = STORIES.filter(
      ({ voice }) => voice === null || this.kinds.some(({ product }) => product.voice === voice),
    );
  }

  /** The first messages: each device is there, has its owner, goes online and tells all it measures. One device at a time. */
  *starting(now: () => number): Generator<Publication[]> {
    for (const device of [...this.devices]) {
      this.now = now();
      yield this.beginning(device, this.now);
    }
  }

  /** All of the first messages at once. */
  start(now: number): Publication[] {
    return [...this.starting(() => now)].flat();
  }

  private beginning(device: VirtualDevice, now: number): Publication[] {
    const created =
      device.voice === 'enterprise'
        ? [lifecycle(device, 'create', device.createdAt, device.deviceSecret)]
        : device.owner
          ? [binding(device, device.owner, true, true, device.createdAt + DAY_MS, device.iotId)]
          : [];
    const attached =
      device.gateway && device.voice === 'enterprise'
        ? [topology(device.gateway, 'create', [device], device.createdAt)]
        : [];
    // Old facts, told by messages of today: what the platform pushes is never older than a day.
    const told = [...created, ...attached].map((one) => ({ ...one, generateTime: now }));
    if (device.takenOver) return told;
    return [...told, ...goOnline(device, [], now), this.fullReport(device, now)];
  }

  /** What happens next: mostly a report, now and then a part of a story. Never empty while a device is online. */
  next(now: number): Publication[] {
    this.now = now;
    const due = this.agenda.due(now);
    if (due.length > 0) return due;
    if (++this.steps % STORY_EVERY === 0) {
      const told = this.tell(now);
      if (told.length > 0) return told;
    }
    const device = this.pickAwake(null) ?? this.devices.find(({ awake }) => awake);
    return device ? [this.report(device, now)] : [];
  }

  /** What devices answer to commands by now. */
  answered(now: number): Publication[] {
    this.now = now;
    return this.answers.due(now);
  }

  send(device: Device, command: Command): boolean {
    if (!(device instanceof VirtualDevice) || !device.online || device.takenOver) return false;
    // One that has fallen silent takes nothing in, which the platform does not know yet.
    if (device.busy) return true;
    this.answers.at(this.now + this.random.whole(ANSWER_MS.min, ANSWER_MS.max), (now) =>
      device.awake ? this.answer(device, command, now) : [],
    );
    return true;
  }

  answer(device: VirtualDevice, command: Command, now: number): Publication[] {
    return answerCommand(device, command, this.random, now);
  }

  pick(test: (device: VirtualDevice) => boolean): VirtualDevice | null {
    const { devices, random } = this;
    if (devices.length <= LOOKED_AT) {
      const passing = devices.filter(test);
      return passing.length > 0 ? random.pick(passing) : null;
    }
    for (let tries = 0; tries < LOOKED_AT; tries++) {
      const device = random.pick(devices);
      if (test(device)) return device;
    }
    return null;
  }

  pickAwake(voice: Voice | null, test: (device: VirtualDevice) => boolean = () => true): VirtualDevice | null {
    return this.pick((device) => device.awake && (voice === null || device.voice === voice) && test(device));
  }

  pickRestless(voice: Voice | null, test: (device: VirtualDevice) => boolean = () => true): VirtualDevice | null {
    // Of a large fleet a sample tells well enough how many are away.
    const { devices } = this;
    const step = Math.max(1, Math.floor(devices.length / LOOKED_AT));
    let [looked, away] = [0, 0];
    for (let i = this.steps % step; i < devices.length; i += step) {
      looked++;
      if (devices[i]?.awake === false) away++;
    }
    if ((away + 1) * 3 > looked) return null;
    return this.pickAwake(voice, (device) => device.product.role !== 'sub-device' && test(device));
  }

  behind(productKey: string): readonly Kind[] {
    return this.kinds.filter(({ gateway }) => gateway === productKey);
  }

  build(kind: Kind, name: string, gateway: VirtualDevice | null): VirtualDevice {
    const { product, secrets } = kind;
    const random = new Random(`life/${this.seed}/${product.productKey}/${name}`);
    const device = new VirtualDevice(registrationOf(product, name, this.seed, secrets.get(name)), {
      thing: kind.build(random),
      gateway,
      random,
      onRelease: (released) => this.takeBack(released),
    });
    if (product.voice === 'living') device.owner = random.pick(this.users);
    return device;
  }

  join(device: VirtualDevice): void {
    this.devices.push(device);
    device.gateway?.subDevices.push(device);
    this.registry.add(device);
  }

  leave(device: VirtualDevice): void {
    const index = this.devices.indexOf(device);
    if (index >= 0) this.devices.splice(index, 1);
    const subs = device.gateway?.subDevices;
    if (subs?.includes(device)) subs.splice(subs.indexOf(device), 1);
    this.registry.remove(device);
  }

  /** Every property, as after a start. */
  fullReport(device: VirtualDevice, now: number): Publication {
    device.reported.clear();
    return this.report(device, now, true);
  }

  /** Properties that changed since the last report, often not all of them; one at least. */
  report(device: VirtualDevice, now: number, all = false): Publication {
    const values = Object.entries(device.thing.measure(now));
    device.lastPacketAt = now;
    if (values.length === 0) return this.plainReport(device, now);
    const changed = values.filter(([id, value]) => !isSame(device.reported.get(id), value));
    const chosen = all ? values : changed.filter(() => this.random.chance(0.75));
    if (chosen.length === 0) chosen.push(this.random.pick(changed.length > 0 ? changed : values));
    // The device measured a moment before the platform forwards it; some values are older than others.
    const measuredAt = now - this.random.whole(5, 60);
    const items: Record<string, Item> = {};
    for (const [id, value] of chosen) {
      device.reported.set(id, value);
      items[id] = { value, time: measuredAt - (this.random.chance(0.1) ? this.random.whole(1, 900) : 0) };
    }
    return propertyPost(device, items, now);
  }

  /** What a device without a model has to say. */
  private plainReport(device: VirtualDevice, now: number): Publication {
    const body = { seq: this.steps, at: now, level: this.random.whole(0, 1_023) };
    return custom(device, 'update', toJson(body), now);
  }

  /** The real device that had signed in as this one has left: some time later its virtual life goes on. */
  private takeBack(device: VirtualDevice): void {
    this.agenda.at(this.now + this.random.whole(5_000, 40_000), (now) => {
      if (device.takenOver || device.online) return [];
      return [...goOnline(device, [], now), this.fullReport(device, now)];
    });
  }

  /** The next story out of a bag, so that each kind comes before any comes twice. */
  private tell(now: number): Publication[] {
    if (this.bag.length === 0) this.bag = this.random.shuffled(this.stories);
    return this.bag.pop()?.tell(this, now) ?? [];
  }
}

function isSame(before: Json | undefined, value: Json): boolean {
  if (before === value) return true;
  return typeof value === 'object' && before !== undefined && toJson(before) === toJson(value);
}
