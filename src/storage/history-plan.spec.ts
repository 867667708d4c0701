import { describe, expect, it } from '@jest/globals';
import type { PresenceChanged } from '../domain/device-event.js';
import { HistoryFolding } from './history-plan.js';

const DEVICE = { productKey: 'a1', deviceName: 'one' };

/** A status message of minute `at`, about a packet of minute `packet`. */
function status(at: number, packet: number, online: boolean): PresenceChanged {
  const time = (minute: number): Date => new Date(Date.UTC(2026, 10, 22, 7, minute));
  return {
    kind: 'presence-changed',
    device: DEVICE,
    at: time(at),
    orderedBy: time(packet),
    online,
    reason: null,
    detail: '{}',
  };
}

function keptMinutes(...told: readonly PresenceChanged[]): readonly number[] {
  const folding = new HistoryFolding();
  for (const each of told) folding.addPresence(each);
  return folding.result().presence.map(({ at }) => at.getUTCMinutes());
}

describe('the history of presence in a batch', () => {
  const early = status(1, 1, true);
  const outranked = status(2, 0, false);
  const later = status(3, 3, false);

  it('leaves out a status that an earlier one outranks, whatever the order of telling', () => {
    for (const told of [
      [early, outranked, later],
      [later, outranked, early],
      [outranked, later, early],
    ]) {
      expect(keptMinutes(...told)).toEqual([1, 3]);
    }
  });

  it('keeps the same status once, and of one moment the one that outranks', () => {
    expect(keptMinutes(early, early)).toEqual([1]);
    const folding = new HistoryFolding();
    for (const online of [true, false]) folding.addPresence(status(5, 5, online));
    expect(folding.result().presence.map(({ online }) => online)).toEqual([true]);
  });
});
