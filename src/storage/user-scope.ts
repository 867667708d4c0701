import { Injectable } from '@nestjs/common';
import type { DeviceReference } from './device.reader.js';
import type { Bounds } from './reading-source.js';
import { Snapshots } from './snapshots.js';
import { ALWAYS, findScopedDevice, type UserReference } from './user-windows.js';

/** Questions about a device in the name of a user. */
@Injectable()
export class UserScope {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * Asks with the windows in which the device was the user's, as they are in the moment that the answer is of; without a user, with
   * all of time.
   * @returns null when there is no such device, or when it never was the user's.
   * @throws SeveralDevices
   */
  async asking<T>(
    reference: DeviceReference,
    user: UserReference | undefined,
    ask: (windows: readonly Bounds[]) => Promise<T | null>,
  ): Promise<T | null> {
    if (!user) return ask(ALWAYS);
    return this.snapshots.read(async (query) => {
      const found = await findScopedDevice(query, reference, user);
      return found && ask(found.windows);
    });
  }
}
