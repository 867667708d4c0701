import { describe, expect, it } from '@jest/globals';
import { decodedAs, refusedAs } from '../../test/support/writer.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { DeviceEvent } from '../domain/device-event.js';
import { factsOf } from '../domain/facts.js';
import { inParts } from './message-parts.js';

const device = { productKey: 'pk', deviceName: 'dn' };
const at = new Date(0);
const versions = (many: number): DecodedMessage =>
  decodedAs(Array.from({ length: many }, (): DeviceEvent => ({ kind: 'version-reported', device, at, value: '{}' })));
const facts = ({ events }: DecodedMessage): number => events.reduce((sum, event) => sum + factsOf(event), 0);

describe('a batch in parts', () => {
  const sizes = { part: 3, batch: 8 };

  it.each<[string, number[], number[][], number[]]>([
    ['is itself when it is light', [3, 0, 2, 3], [], [3, 0, 2, 3]],
    ['keeps the end of a heavy message for the last', [1, 8], [[3], [3]], [1, 2]],
    ['lets nothing of a message over when that would be too much', [3, 3, 4], [[3]], [3, 3, 1]],
    ['writes early what more than a batch of light ones tells', [3, 3, 3, 2], [[3]], [3, 3, 0, 2]],
    ['packs what is left of several into one part', [3, 3, 2, 1, 2, 1], [[1, 2], [1]], [3, 3, 2, 0, 0, 0]],
  ])('%s', (_, told, early, last) => {
    const batch = told.map(versions);
    const parts = inParts(batch, sizes);
    expect(parts.early.map((part) => part.map(facts))).toEqual(early);
    expect(parts.last.map(facts)).toEqual(last);
    expect(parts.last.map(({ key }) => key)).toEqual(batch.map(({ key }) => key));
    const everything = [...parts.early.flat(), ...parts.last].reduce((sum, message) => sum + facts(message), 0);
    expect(everything).toBe(told.reduce((sum, many) => sum + many, 0));
  });

  it('writes a heavy message that is in it twice only once', () => {
    const heavy = versions(8);
    const parts = inParts([heavy, heavy], sizes);
    expect(parts.early.map((part) => part.map(facts))).toEqual([[3], [3]]);
    expect(parts.last.map(facts)).toEqual([2, 0]);
  });

  it('is the very batch when nothing is cut, refused messages and all', () => {
    const batch = [versions(1), refusedAs({ reason: 'not-json', detail: 'x' })];
    expect(inParts(batch).last).toBe(batch);
  });
});
