import type { Publication } from '../platform/platform-message.js';
import type { Random } from '../random.js';
import type { Agenda } from './agenda.js';
import type { User } from '../devices/device.js';
import type { Command } from '../devices/downlink.js';
import type { VirtualDevice } from './virtual-device.js';
import type { Voice } from '../devices/product.js';
import type { Kind } from './line-up.js';

/** What stories may know and do of the fleet. */
export interface World {
  readonly random: Random;
  readonly agenda: Agenda;
  readonly users: readonly User[];
  /** Kinds of sub-devices whose gateways are of this product. */
  behind(productKey: string): readonly Kind[];
  /** One by chance that passes; null when there is none, or none was found in a large fleet. */
  pick(test: (device: VirtualDevice) => boolean): VirtualDevice | null;
  /** One that is awake, of this voice or any. */
  pickAwake(voice: Voice | null, test?: (device: VirtualDevice) => boolean): VirtualDevice | null;
  /** One of them that may go away for a while without leaving the fleet dull; never a sub-device. */
  pickRestless(voice: Voice | null, test?: (device: VirtualDevice) => boolean): VirtualDevice | null;
  build(kind: Kind, name: string, gateway: VirtualDevice | null): VirtualDevice;
  /** A device that was built joins the fleet and the registry, or leaves them. */
  join(device: VirtualDevice): void;
  leave(device: VirtualDevice): void;
  fullReport(device: VirtualDevice, now: number): Publication;
  /** What a device answers to a command, and what it reports since. */
  answer(device: VirtualDevice, command: Command, now: number): Publication[];
}

/** Something that happens now and then, at once or over a while; says nothing when it cannot happen now. */
export interface Story {
  readonly name: string;
  /** Only where the fleet has devices of this voice. */
  readonly voice: Voice | null;
  tell(world: World, now: number): Publication[];
}
