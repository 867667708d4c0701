import type { Publication } from '../platform/platform-message.js';
import type { Random } from '../random.js';
import type { Agenda } from './agenda.js';
import type { User } from '../devices/device.js';
import type { VirtualDevice } from './virtual-device.js';
import type { Voice } from '../devices/product.js';
import type { Kind } from './line-up.js';

/** What stories may know and do of the fleet. */
export interface World {
  readonly devices: VirtualDevice[];
  readonly random: Random;
  readonly agenda: Agenda;
  readonly users: readonly User[];
  subDevicesOf(device: VirtualDevice): VirtualDevice[];
  /** Online and free, of this voice or any. */
  awake(voice: Voice | null): VirtualDevice[];
  /** Those of them that may go away for a while. */
  restless(voice: Voice | null): VirtualDevice[];
  build(kind: Kind, voice: Voice, name: string, gateway: VirtualDevice | null): VirtualDevice;
  fullReport(device: VirtualDevice, now: number): Publication;
}

/** Something that happens now and then, at once or over a while; says nothing when it cannot happen now. */
export interface Story {
  readonly name: string;
  /** Only where the fleet has devices of this voice. */
  readonly voice: Voice | null;
  tell(world: World, now: number): Publication[];
}
