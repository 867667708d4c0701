import { describe, expect, it } from '@jest/globals';
import { PacketWatch } from './packet-watch.js';

/** Ping, publish of 200 bytes, disconnect. */
const BYTES = Buffer.concat([
  Buffer.from([0xc0, 0]),
  Buffer.from([0x30, 0xc8, 0x01]),
  Buffer.alloc(200, 0xff),
  Buffer.from([0xe0, 0]),
]);

function watch(maxLength = 1_000): { watch: PacketWatch; heard: (number | string)[] } {
  const heard: (number | string)[] = [];
  return {
    watch: new PacketWatch(
      maxLength,
      (type) => heard.push(type),
      (length) => heard.push(`${length} is too long`),
    ),
    heard,
  };
}

describe('PacketWatch', () => {
  it.each([1, 2, 3, 7, 64, 1_000])('finds the packets in pieces of %d bytes', (size) => {
    const { watch: it, heard } = watch();
    for (let at = 0; at < BYTES.length; at += size) it.see(BYTES.subarray(at, at + size));
    expect(heard).toEqual([12, 3, 14]);
  });

  it('complains of a packet as soon as its length is known', () => {
    const { watch: it, heard } = watch(199);
    it.see(BYTES.subarray(0, 5));
    expect(heard).toEqual([12, '200 is too long']);
  });

  it('reads the longest length there is', () => {
    const { watch: it, heard } = watch();
    it.see(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    expect(heard).toEqual(['268435455 is too long']);
  });
});
