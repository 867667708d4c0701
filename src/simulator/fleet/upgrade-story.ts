import * as messages from '../devices/messages.js';
import type { VirtualDevice } from './virtual-device.js';
import type { Story } from './world.js';

/** A batch of firmware updates: planned, begun, each device's progress, result and new version, completed. */
export const upgradeStory: Story = {
  name: 'upgrade',
  voice: 'enterprise',
  tell(world, now) {
    const { random, agenda } = world;
    const mayUpgrade = (device: VirtualDevice): boolean => device.product.role !== 'sub-device' && !device.upgrading;
    const first = world.pickAwake('enterprise', mayUpgrade);
    if (!first) return [];
    const { product } = first;
    const devices = [first];
    for (let more = 0; more < 2; more++) {
      const another = world.pickAwake(
        'enterprise',
        (device) => device.product === product && mayUpgrade(device) && !devices.includes(device),
      );
      if (another) devices.push(another);
    }
    const [packageId, jobId] = [`pkg-${random.whole(100, 999)}`, `job-${random.text(10)}`];
    agenda.at(now + 1_000, (at) => [messages.upgradeJob(product, packageId, jobId, 'IN_PROGRESS', at)]);
    devices.forEach((device, index) => {
      device.upgrading = true;
      const srcVersion = device.firmware;
      const succeeded = random.chance(0.85);
      // The version after this one; it becomes the device's own only when the update succeeds.
      const destVersion = device.firmwareAfter(1);
      const upgrade = { jobId, taskId: `task-${random.text(12)}`, srcVersion, destVersion };
      [10, 45, 80, 100].forEach((step, i) => {
        const shown = step === 100 && !succeeded ? -2 : step;
        agenda.at(now + 2_000 + 2_500 * i + 300 * index, (at) => [
          messages.upgradeProgress(device, upgrade, shown, at),
        ]);
      });
      agenda.at(now + 13_000 + 300 * index, (at) => {
        device.upgrading = false;
        if (succeeded) {
          device.version++;
          device.firmware = destVersion;
        }
        const result = messages.upgradeResult(device, upgrade, succeeded, at);
        return succeeded ? [result, messages.moduleVersion(device, destVersion, at)] : [result];
      });
    });
    agenda.at(now + 15_000, (at) => [messages.upgradeJob(product, packageId, jobId, 'COMPLETED', at)]);
    return [messages.upgradeJob(product, packageId, jobId, 'PLANNED', now)];
  },
};
