import { describe, expect, it } from '@jest/globals';
import type { DeviceEvent, PropertiesReported } from './device-event.js';
import { factsOf, inSlices } from './facts.js';

const device = { productKey: 'pk', deviceName: 'dn' };
const at = new Date(0);

function report(readings: number): PropertiesReported {
  const one = { value: { kind: 'number', text: '1' }, at } as const;
  const all = Array.from({ length: readings }, (_, i) => ({ ...one, identifier: `p${i}` }));
  return { kind: 'properties-reported', device, at, readings: all };
}
const version: DeviceEvent = { kind: 'version-reported', device, at, value: '{}' };
const tags = (many: number): DeviceEvent => ({
  kind: 'tags-changed',
  device,
  at,
  tags: Array.from({ length: many }, (_, i) => ({ key: `${i}`, value: '' })),
});

describe('inSlices', () => {
  it.each<[string, readonly DeviceEvent[], number[][]]>([
    ['nothing', [], []],
    ['what fits', [report(2), version], [[2, 1]]],
    ['an event too many', [version, version, version, version], [[1, 1, 1], [1]]],
    ['a long report', [version, report(7), version], [[1], [3], [3], [1, 1]]],
    ['a long list, which stays in one piece', [version, tags(5), version], [[1], [6], [1]]],
  ])('cuts %s', (_, events, facts) => {
    expect(inSlices(events, 3).map((slice) => slice.map(factsOf))).toEqual(facts);
  });

  it('keeps every reading once and in order', () => {
    const whole = report(10);
    const cut = inSlices([whole], 4).flat() as PropertiesReported[];
    expect(cut.flatMap(({ readings }) => readings)).toEqual(whole.readings);
    expect(cut.every((piece) => piece.at === whole.at && piece.device === device)).toBe(true);
  });
});
