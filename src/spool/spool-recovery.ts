import { randomUUID } from 'node:crypto';
import { readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { DamageReport } from './spool-damage.js';
import { readRecords } from './spool-record.js';
import { firstNumberOf, HEADER_BYTES, readSegment, type Segment } from './spool-segment.js';

/** What an earlier process left in a folder. */
export interface Recovered {
  readonly spool: string;
  readonly segments: readonly Segment[];
  /** The number of each message that can be read, in order. */
  readonly numbers: readonly number[];
  /** Greater than any that was ever given. */
  readonly nextNumber: number;
}

/**
 * Looks through all files of a spool. The torn end of the last one is cut off: nobody had accepted it.
 * @throws Error when files of two spools lie in one folder.
 */
export async function recover(folder: string, damage: DamageReport): Promise<Recovered> {
  const names = (await readdir(folder)).filter((name) => firstNumberOf(name) !== null).sort();
  const segments: Segment[] = [];
  const numbers: number[] = [];
  let spool: string | null = null;
  let nextNumber = 1;
  for (const name of names) {
    const path = join(folder, name);
    const isLast = name === names.at(-1);
    const first = firstNumberOf(name) ?? 1;
    nextNumber = Math.max(nextNumber, first);
    const found = await readSegment(path);
    if (found.spool === null && found.bytes.length === 0 && isLast) {
      await rm(path); // the crash came while it was being made
      continue;
    }
    if (found.spool === null) {
      await damage.tell(path, { from: 0, to: HEADER_BYTES }, Buffer.alloc(0), false);
    } else if (spool !== null && found.spool !== spool) {
      throw new Error(`its files are of two spools (${name} is of another one than those before it)`);
    }
    spool ??= found.spool;
    const { records, damages } = readRecords(found.bytes, HEADER_BYTES);
    let bytes = HEADER_BYTES + found.bytes.length;
    for (const part of damages) {
      const cutOff = part.torn && isLast;
      const lost = found.bytes.subarray(part.from - HEADER_BYTES, part.to - HEADER_BYTES);
      await damage.tell(path, part, lost, cutOff);
      if (!cutOff) continue;
      await truncate(path, part.from);
      bytes = part.from;
    }
    for (const { number } of records) numbers.push(number);
    const last = records.at(-1)?.number ?? first - 1;
    segments.push({ path, first, last, bytes });
    nextNumber = Math.max(nextNumber, last + 1);
  }
  return { spool: spool ?? randomUUID(), segments, numbers, nextNumber };
}
