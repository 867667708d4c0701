import type { Publication } from '../platform/platform-message.js';
import { Random } from '../random.js';
import { Agenda } from './agenda.js';
import type { User } from '../devices/device.js';
import { VirtualDevice } from './virtual-device.js';
import { toJson } from '../devices/json.js';
import { binding, lifecycle, propertyPost, topology, type Item } from '../devices/messages.js';
import { goOnline } from '../devices/presence.js';
import type { Voice } from '../devices/product.js';
import { LINE_UP, probe, type Kind } from './line-up.js';
import { STORIES } from './stories.js';
import type { Story, World } from './world.js';

export interface FleetOptions {
  readonly seed: string;
  readonly devices: number;
  /** In whose form the messages are; `both` gives each product the form its maker would meet. */
  readonly flavour: Voice | 'both';
}

/** When the fleet was set up, long ago; the same at every start. */
const FOUNDED = Date.UTC(2023, 2, 1);
const DAY_MS = 86_400_000;

/** One message in so many is something else than a property report. */
const STORY_EVERY = 8;

/**
 * Virtual devices that live their lives. Who asks with the same times after the same seed gets the same bytes: all chance
 * is seeded, and the fleet reads no clock.
 */
export class Fleet implements World {
  readonly devices: VirtualDevice[] = [];
  readonly random: Random;
  readonly agenda = new Agenda();
  readonly users: readonly User[];
  private readonly stories: readonly Story[];
  private bag: Story[] = [];
  private steps = 0;

  constructor({ seed, devices, flavour }: FleetOptions) {
    this.random = new Random(`fleet/${seed}`);
    const tenantId = this.random.text(24).toUpperCase();
    const people = Math.max(6, Math.ceil(devices / 3));
    this.users = Array.from({ length: people }, () => ({
      identityId: `50${this.random.text(34).toLowerCase()}`,
      tenantId,
    }));
    const named = new Map<string, number>();
    let gateway: VirtualDevice | null = null;
    for (let i = 0; i < devices; i++) {
      const kind = LINE_UP[i % LINE_UP.length] ?? probe;
      const number = (named.get(kind.name) ?? 0) + 1;
      named.set(kind.name, number);
      const name = `${kind.name}-${String(number).padStart(3, '0')}`;
      const voice = flavour === 'both' ? kind.product.voice : flavour;
      const { role } = kind.product;
      const device = this.build(kind, voice, name, role === 'sub-device' ? gateway : null);
      if (role === 'gateway') gateway = device;
      this.devices.push(device);
    }
    this.stories = STORIES.filter(
      ({ voice }) => voice === null || this.devices.some((device) => device.voice === voice),
    );
  }

  /** The first messages: every device is there, has its owner, goes online and tells all it measures. */
  start(now: number): Publication[] {
    return this.devices.flatMap((device) => {
      const created =
        device.voice === 'enterprise'
          ? [lifecycle(device, 'create', device.createdAt, this.random.text(32))]
          : device.owner
            ? [binding(device, device.owner, true, true, device.createdAt + DAY_MS, device.iotId)]
            : [];
      const attached =
        device.gateway && device.voice === 'enterprise'
          ? [topology(device.gateway, 'create', [device], device.createdAt)]
          : [];
      // Old facts, told by messages of today: what the platform pushes is never older than a day.
      const told = [...created, ...attached].map((one) => ({ ...one, generateTime: now }));
      return [...told, ...goOnline(device, [], now), this.fullReport(device, now)];
    });
  }

  /** What happens next: mostly a report, now and then a part of a story. Never empty while a device is online. */
  next(now: number): Publication[] {
    const due = this.agenda.due(now);
    if (due.length > 0) return due;
    if (++this.steps % STORY_EVERY === 0) {
      const told = this.tell(now);
      if (told.length > 0) return told;
    }
    const device = this.anyAwake();
    return device ? [this.report(device, now)] : [];
  }

  /** Most devices are awake, so a few tries find one sooner than a look at all of a large fleet. */
  private anyAwake(): VirtualDevice | undefined {
    for (let tries = 0; tries < 8; tries++) {
      const device = this.random.pick(this.devices);
      if (device.online && !device.busy) return device;
    }
    const awake = this.awake(null);
    return awake.length > 0 ? this.random.pick(awake) : undefined;
  }

  subDevicesOf(device: VirtualDevice): VirtualDevice[] {
    return this.devices.filter(({ gateway }) => gateway === device);
  }

  /** Who may go away for a while without leaving the fleet dull: nobody while that would leave a third away. */
  restless(voice: Voice | null): VirtualDevice[] {
    const away = this.devices.filter(({ online, busy }) => !online || busy).length;
    if ((away + 1) * 3 > this.devices.length) return [];
    return this.awake(voice).filter(({ product }) => product.role !== 'sub-device');
  }

  awake(voice: Voice | null): VirtualDevice[] {
    return this.devices.filter((device) => device.online && !device.busy && (!voice || device.voice === voice));
  }

  build({ product, build }: Kind, voice: Voice, name: string, gateway: VirtualDevice | null): VirtualDevice {
    const createdAt = FOUNDED + this.random.whole(0, 200) * DAY_MS + this.random.whole(0, DAY_MS);
    const thing = build(this.random);
    const iotId = this.random.text(26);
    const device = new VirtualDevice({ ...product, voice }, name, iotId, thing, gateway, createdAt, this.random);
    if (voice === 'living') device.owner = this.random.pick(this.users);
    return device;
  }

  /** Every property, as after a start. */
  fullReport(device: VirtualDevice, now: number): Publication {
    device.reported.clear();
    return this.report(device, now, true);
  }

  /** Properties that changed since the last report, often not all of them; one at least. */
  report(device: VirtualDevice, now: number, all = false): Publication {
    const values = Object.entries(device.thing.measure(now));
    const changed = values.filter(([id, value]) => device.reported.get(id) !== toJson(value));
    const chosen = all ? values : changed.filter(() => this.random.chance(0.75));
    if (chosen.length === 0) chosen.push(this.random.pick(changed.length > 0 ? changed : values));
    // The device measured a moment before the platform forwards it; some values are older than others.
    const measuredAt = now - this.random.whole(5, 60);
    const items: Record<string, Item> = {};
    for (const [id, value] of chosen) {
      device.reported.set(id, toJson(value));
      items[id] = { value, time: measuredAt - (this.random.chance(0.1) ? this.random.whole(1, 900) : 0) };
    }
    device.lastPacketAt = now;
    return propertyPost(device, items, now);
  }

  /** The next story out of a bag, so that each kind comes before any comes twice. */
  private tell(now: number): Publication[] {
    if (this.bag.length === 0) this.bag = this.random.shuffled(this.stories);
    return this.bag.pop()?.tell(this, now) ?? [];
  }
}
