import { describe, expect, it } from '@jest/globals';
import { FrameWatch } from './frame-watch.js';

const SASL = Buffer.from('AMQP\x03\x01\x00\x00', 'latin1');
const AMQP = Buffer.from('AMQP\x00\x01\x00\x00', 'latin1');
const frame = (bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes, 0x41);
  buffer.writeUInt32BE(bytes);
  return buffer;
};

describe('the watch on frames', () => {
  const tooLong = (max: number, chunks: Iterable<Uint8Array>): number[] => {
    const found: number[] = [];
    const watch = new FrameWatch(max, (bytes) => found.push(bytes));
    for (const chunk of chunks) watch.see(chunk);
    return found;
  };
  const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));

  it('lets headers and frames up to the limit pass, however they are cut', () => {
    const all = Buffer.concat([SASL, frame(100), frame(20), AMQP, frame(8), frame(100), frame(9)]);
    expect(tooLong(100, [all])).toEqual([]);
    expect(tooLong(100, bytewise(all))).toEqual([]);
  });

  it('tells of a longer one as soon as its length is there', () => {
    const head = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    expect(tooLong(100, [Buffer.concat([SASL, frame(100), head])])).toEqual([0xff_ff_ff_ff]);
    expect(tooLong(100, bytewise(Buffer.concat([SASL, AMQP, frame(20), frame(101).subarray(0, 4)])))).toEqual([101]);
  });

  it('leaves to rhea what begins with no header, or says that it is shorter than its own length', () => {
    expect(tooLong(100, [Buffer.from('GET / HTT')])).toEqual([]);
    expect(tooLong(100, [Buffer.concat([SASL, Buffer.from([0, 0, 0, 0]), frame(20)])])).toEqual([]);
  });
});
