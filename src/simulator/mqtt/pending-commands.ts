import type { Device } from '../devices/device.js';

/** Commands of one device that are remembered; of more, the oldest are forgotten and their answers go nowhere. */
const MAX_PENDING = 1_000;

/** Commands that were handed to devices and not answered yet. A device that never answers is never told about. */
export class PendingCommands {
  private readonly byDevice = new WeakMap<Device, Map<string, string>>();

  sent(device: Device, requestId: string, service: string): void {
    let pending = this.byDevice.get(device);
    if (!pending) {
      pending = new Map();
      this.byDevice.set(device, pending);
    }
    pending.set(requestId, service);
    if (pending.size <= MAX_PENDING) return;
    for (const oldest of pending.keys()) {
      pending.delete(oldest);
      break;
    }
  }

  /** The service that a device answers; null when nothing is waiting under this id. A second answer finds nothing. */
  take(device: Device, requestId: string): string | null {
    const pending = this.byDevice.get(device);
    const service = pending?.get(requestId) ?? null;
    pending?.delete(requestId);
    return service;
  }
}
