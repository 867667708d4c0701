import { crc32 } from 'node:zlib';

/**
 * A record of a spool file: the mark, the length of what it holds, a checksum over everything behind it, its number, what it
 * holds. Numbers are big-endian.
 */
const MARK = Buffer.from('LMrc');
const [LENGTH_AT, SUM_AT, NUMBER_AT, HELD_AT] = [4, 8, 12, 20];
/** More than any message that a transport takes, so that a flipped bit in a length is seen for what it is. */
const LARGEST = 64 * 1024 * 1024;

/** A record with a number and some bytes. */
export interface SpoolRecord {
  /** 1, 2, … in the order of writing, over all files of a spool. */
  readonly number: number;
  readonly held: Buffer;
}

/** Bytes of a file that are no record: `from` up to, but without, `to`. */
export interface Damage {
  readonly from: number;
  readonly to: number;
  /** True when they are the beginning of a record whose end is missing: what a crash in the middle of writing leaves. */
  readonly torn: boolean;
}

/** What a stretch of a file holds. */
export interface Read {
  /** Each record with the place behind it. */
  readonly records: readonly (SpoolRecord & { readonly end: number })[];
  readonly damages: readonly Damage[];
}

export function encodeRecord({ number, held }: SpoolRecord): Buffer {
  const bytes = Buffer.allocUnsafe(HELD_AT + held.length);
  MARK.copy(bytes);
  bytes.writeUInt32BE(held.length, LENGTH_AT);
  bytes.writeBigUInt64BE(BigInt(number), NUMBER_AT);
  held.copy(bytes, HELD_AT);
  bytes.writeUInt32BE(sumOf(bytes), SUM_AT);
  return bytes;
}

/**
 * Reads the records of a stretch of a file. Bytes that are no record are passed over up to the next record that is one, and
 * told: nothing is skipped in silence.
 * @param start where in the file the stretch begins
 */
export function readRecords(bytes: Buffer, start: number): Read {
  const records: (SpoolRecord & { end: number })[] = [];
  const damages: Damage[] = [];
  let at = 0;
  while (at < bytes.length) {
    const found = recordAt(bytes, at);
    if (typeof found === 'object') {
      at += HELD_AT + found.held.length;
      records.push({ ...found, end: start + at });
      continue;
    }
    const next = nextRecord(bytes, at + 1);
    damages.push({ from: start + at, to: start + next, torn: found === 'torn' && next === bytes.length });
    at = next;
  }
  return { records, damages };
}

function recordAt(bytes: Buffer, at: number): SpoolRecord | 'torn' | 'damaged' {
  const left = bytes.length - at;
  if (bytes.compare(MARK, 0, Math.min(left, MARK.length), at, at + Math.min(left, MARK.length)) !== 0) return 'damaged';
  if (left < HELD_AT) return 'torn';
  const length = bytes.readUInt32BE(at + LENGTH_AT);
  if (length > LARGEST) return 'damaged';
  if (left < HELD_AT + length) return 'torn';
  const record = bytes.subarray(at, at + HELD_AT + length);
  if (record.readUInt32BE(SUM_AT) !== sumOf(record)) return 'damaged';
  return { number: Number(record.readBigUInt64BE(NUMBER_AT)), held: record.subarray(HELD_AT) };
}

function nextRecord(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(MARK, from); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
    if (typeof recordAt(bytes, at) === 'object') return at;
  }
  return bytes.length;
}

function sumOf(record: Buffer): number {
  return crc32(record.subarray(NUMBER_AT), crc32(record.subarray(LENGTH_AT, SUM_AT)));
}
