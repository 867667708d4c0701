import { describe, expect, it } from '@jest/globals';
import { addressOf } from './lists.js';

describe('the address of a list', () => {
  it.each<[string, string[], string]>([
    ['devices', [], '/v1/devices'],
    [
      'readings',
      ['productKey=a1', 'identifier=A', 'identifier=B'],
      '/v1/fleet/readings?productKey=a1&identifier=A&identifier=B',
    ],
    [
      'device-readings',
      ['device=a1:门 1', 'from=2026-11-22T07:00:00Z'],
      '/v1/devices/a1%3A%E9%97%A8%201/readings?from=2026-11-22T07%3A00%3A00Z',
    ],
    ['devices', ['filter=a eq "b=c"'], '/v1/devices?filter=a+eq+%22b%3Dc%22'],
    ['/v1/anything/new?by=hour', ['q=x'], '/v1/anything/new?by=hour&q=x'],
  ])('%s with %j is %s', (list, filters, address) => {
    expect(addressOf(list, filters)).toBe(address);
  });

  it.each<[string, string[], RegExp]>([
    ['nope', [], /no list nope.*devices, readings/],
    ['device-readings', [], /one device: give device=/],
    ['devices', ['productKey'], /no filter.*name=value/],
    ['devices', ['limit=5'], /limit is the command's own/],
    ['devices', ['cursor=x'], /cursor is the command's own/],
  ])('%s with %j is refused', (list, filters, words) => {
    expect(() => addressOf(list, filters)).toThrow(words);
  });
});
