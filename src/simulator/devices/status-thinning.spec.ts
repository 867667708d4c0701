import { describe, expect, it } from '@jest/globals';
import { aDevice, aProduct } from '../../../test/support/simulated-device.js';
import type { Publication } from '../platform/platform-message.js';
import { StatusThinning } from './status-thinning.js';

describe('a device that flaps', () => {
  let now = 0;
  const flapping = (voice: 'living' | 'enterprise') => {
    now = 0;
    const device = aDevice({ product: aProduct({ voice }) });
    const thinning = new StatusThinning(() => now);
    const bodies = (said: readonly Publication[]): string[] => said.map(({ body }) => String(body));
    let changes = 0;
    return {
      device,
      change: (): string[] => {
        device.online = !device.online;
        return bodies(thinning.passing(device, [{ topic: null, body: `${++changes} ${device.online}` }]));
      },
      due: (): string[] => bodies(thinning.due()),
    };
  };

  it('of Living is told of four times a minute, and in the end where it is', () => {
    const { change, due } = flapping('living');
    expect(Array.from({ length: 7 }, change).flat()).toEqual(['1 true', '2 false', '3 true', '4 false']);
    now = 59_999;
    expect(due()).toEqual([]);
    now = 60_000;
    expect(due()).toEqual(['7 true']);
    expect(due()).toEqual([]);
    expect(change()).toEqual(['8 false']);
  });

  it('of Living is told nothing more of where consumers know it to be, or when it has changed otherwise', () => {
    const same = flapping('living');
    for (let i = 0; i < 6; i++) same.change();
    now = 60_000;
    expect(same.due()).toEqual([]);
    const other = flapping('living');
    for (let i = 0; i < 5; i++) other.change();
    other.device.online = false;
    now = 60_000;
    expect(other.due()).toEqual([]);
  });

  it('of Enterprise is told of every time', () => {
    const { change } = flapping('enterprise');
    expect(Array.from({ length: 50 }, change).flat()).toHaveLength(50);
  });
});
