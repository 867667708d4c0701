import { defineFault } from '../fault.js';
import { count, duration, text } from '../parameters.js';

export const flapping = defineFault({
  name: 'flapping',
  meaning: 'a device goes offline and online several times within a moment, again and again (protocol 4.3, 13)',
  course: 'lasting',
  parameters: {
    times: count(5, 1, 1_000, 'how many times in a row'),
    every: duration('1m', 'how often, in simulated time; 0 is once'),
    device: text('', 'productKey:deviceName; one by chance each time when empty'),
  },
  begin: ({ times, every, device }, { target, random, after, did }) => {
    const flap = (): void => {
      target.flap(times, device === '' ? undefined : device, random);
      did('flapped', times, () => ({ device: device === '' ? 'by chance' : device }));
    };
    const again = (): void => {
      if (every > 0) after(every, () => (tryTo(flap, did), again()));
    };
    flap();
    again();
    return {};
  },
});

/** The device may be gone by now, or there may be none to flap: no reason to end the process. */
function tryTo(happen: () => void, did: (what: string, times: number, details: () => { error: string }) => void): void {
  try {
    happen();
  } catch (error) {
    did('failed', 1, () => ({ error: error instanceof Error ? error.message : String(error) }));
  }
}
