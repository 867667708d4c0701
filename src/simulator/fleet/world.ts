import type { Publication } from '../platform-message.js';
import type { Random } from '../random.js';
import type { Agenda } from './agenda.js';
import type { Device, User } from './device.js';
import type { Product, Voice } from './products.js';

/** What stories may know and do of the fleet. */
export interface World {
  readonly devices: Device[];
  readonly random: Random;
  readonly agenda: Agenda;
  readonly users: readonly User[];
  subDevicesOf(device: Device): Device[];
  /** Online and free, of this voice or any. */
  awake(voice: Voice | null): Device[];
  /** Those of them that may go away for a while. */
  restless(voice: Voice | null): Device[];
  build(product: Product, voice: Voice, name: string, gateway: Device | null): Device;
  fullReport(device: Device, now: number): Publication;
}

/** Something that happens now and then, at once or over a while; says nothing when it cannot happen now. */
export interface Story {
  readonly name: string;
  /** Only where the fleet has devices of this voice. */
  readonly voice: Voice | null;
  tell(world: World, now: number): Publication[];
}
