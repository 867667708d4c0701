import type { Publication } from '../platform/platform-message.js';
import type { Device } from './device.js';

const WINDOW_MS = 60_000;
const MOST_TOLD = 4;

interface Told {
  /** When, in the world's time; within the window. */
  at: number[];
  online: boolean;
}

/**
 * Living thins the online and offline messages of a device out when it flaps too fast (protocol 4.3). How is undocumented;
 * here four are told within a minute of the world's time, the further ones not, but for the last of them once a minute is
 * over: consumers know in the end where the device is. An Enterprise instance tells all.
 */
export class StatusThinning {
  private readonly told = new WeakMap<Device, Told>();
  private readonly withheld = new Map<Device, { readonly online: boolean; readonly said: readonly Publication[] }>();

  /** `worldNow` in milliseconds from any point. */
  constructor(private readonly worldNow: () => number) {}

  /** What is told of what is said about a device that has just come or gone. */
  passing(device: Device, said: readonly Publication[]): readonly Publication[] {
    if (device.voice !== 'living' || said.length === 0) return said;
    if (this.mayTell(device)) return this.tell(device, said);
    this.withheld.set(device, { online: device.online, said });
    return [];
  }

  /** What was withheld and still is news. To be asked now and then. */
  due(): readonly Publication[] {
    const news: Publication[] = [];
    for (const [device, { online, said }] of this.withheld) {
      if (!this.mayTell(device)) continue;
      this.withheld.delete(device);
      // A virtual life of the device may have told something else since.
      if (device.online === online && this.told.get(device)?.online !== online) news.push(...this.tell(device, said));
    }
    return news;
  }

  private mayTell(device: Device): boolean {
    const told = this.told.get(device);
    if (!told) return true;
    const now = this.worldNow();
    told.at = told.at.filter((at) => at > now - WINDOW_MS);
    return told.at.length < MOST_TOLD;
  }

  private tell(device: Device, said: readonly Publication[]): readonly Publication[] {
    this.withheld.delete(device);
    const at = [...(this.told.get(device)?.at ?? []), this.worldNow()];
    this.told.set(device, { at, online: device.online });
    return said;
  }
}
