import { describe, expect, it } from '@jest/globals';
import { encodeRecord, readRecords } from './spool-record.js';

const START = 100;
const records = ['a', '', 'LMrc inside', 'd'.repeat(300)].map((text, index) => ({
  number: index + 7,
  held: Buffer.from(text),
}));
const file = Buffer.concat(records.map(encodeRecord));
/** Where each record begins. */
const places = records.map((_, index) => Buffer.concat(records.slice(0, index).map(encodeRecord)).length);

function numbersIn(bytes: Buffer): number[] {
  return readRecords(bytes, START).records.map(({ number }) => number);
}

describe('records of a spool file', () => {
  it('come back as they were written, each with the place behind it', () => {
    const { records: read, damages } = readRecords(file, START);
    expect(damages).toEqual([]);
    expect(read.map(({ number, held }) => ({ number, held: Buffer.from(held) }))).toEqual(records);
    expect(read.map(({ end }) => end)).toEqual([...places.slice(1), file.length].map((place) => START + place));
  });

  it('are never taken for good when any one bit of them is flipped, and cost nobody else', () => {
    for (let at = 0; at < file.length; at++) {
      const bytes = Buffer.from(file);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at);
      const hit = places.filter((place) => place <= at).length - 1;
      const { damages } = readRecords(bytes, START);
      expect([at, numbersIn(bytes)]).toEqual([at, records.map(({ number }) => number).filter((n) => n !== 7 + hit)]);
      expect([at, damages.length]).toEqual([at, 1]);
      expect(damages[0]).toMatchObject({ from: START + places[hit]!, to: START + (places[hit + 1] ?? file.length) });
    }
  });

  it('end torn wherever a crash cut the last one off', () => {
    const last = places.at(-1)!;
    for (let end = last + 1; end < file.length; end++) {
      const { damages } = readRecords(file.subarray(0, end), START);
      expect(damages).toEqual([{ from: START + last, to: START + end, torn: true }]);
      expect(numbersIn(file.subarray(0, end))).toEqual([7, 8, 9]);
    }
  });

  it('are not torn but damaged where something else stands behind them', () => {
    const zeros = Buffer.concat([file, Buffer.alloc(64)]);
    expect(readRecords(zeros, START).damages).toEqual([
      { from: START + file.length, to: START + zeros.length, torn: false },
    ]);
    const shortened = Buffer.concat([file.subarray(0, places[1]! - 1), file.subarray(places[1])]);
    expect(readRecords(shortened, START).damages).toEqual([{ from: START, to: START + places[1]! - 1, torn: false }]);
    expect(numbersIn(shortened)).toEqual([8, 9, 10]);
  });
});
