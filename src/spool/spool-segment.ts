import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** What each file begins with: a mark with the version of the format, the id of its spool, a checksum of both. */
const FORMAT = Buffer.from('LMspool1');
const ID_BYTES = 16;
const SUM_AT = FORMAT.length + ID_BYTES;
export const HEADER_BYTES = SUM_AT + 4;

const NAME = /^(\d{16})\.spool$/;

/** One file of a spool. `bytes` counts what is safely on the disk, and nothing behind it. */
export interface Segment {
  readonly path: string;
  /** The number that its first record has, or would have. */
  readonly first: number;
  /** Of its last record; one less than `first` while it has none. */
  last: number;
  bytes: number;
}

/** The number that a file of a spool begins with; null for any other file. */
export function firstNumberOf(name: string): number | null {
  const match = NAME.exec(name);
  return match ? Number(match[1]) : null;
}

/** Makes an empty file, and sees to it that it is there after a crash. */
export async function makeSegment(
  folder: string,
  spool: string,
  first: number,
): Promise<{ readonly segment: Segment; readonly file: FileHandle }> {
  const path = join(folder, `${String(first).padStart(16, '0')}.spool`);
  const file = await open(path, 'w', 0o600);
  try {
    await file.write(headerOf(spool), 0, HEADER_BYTES, 0);
    await file.datasync();
    await syncFolder(folder);
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  return { segment: { path, first, last: first - 1, bytes: HEADER_BYTES }, file };
}

/** A file as it was found: the spool that it says it is of (null when that cannot be read), and the bytes behind that. */
export async function readSegment(path: string): Promise<{ readonly spool: string | null; readonly bytes: Buffer }> {
  const bytes = await readFile(path);
  const header = bytes.subarray(0, HEADER_BYTES);
  const readable =
    header.length === HEADER_BYTES &&
    header.subarray(0, FORMAT.length).equals(FORMAT) &&
    header.readUInt32BE(SUM_AT) === crc32(header.subarray(0, SUM_AT));
  const id = header.toString('hex', FORMAT.length, SUM_AT);
  return {
    spool: readable ? id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : null,
    bytes: bytes.subarray(HEADER_BYTES),
  };
}

/** Some bytes of a file. */
export async function readRange(path: string, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(to - from);
  const file = await open(path, 'r');
  try {
    let read = 0;
    while (read < bytes.length) {
      const { bytesRead } = await file.read(bytes, read, bytes.length - read, from + read);
      if (bytesRead === 0) break; // shorter than it was: what is missing is told as damage
      read += bytesRead;
    }
    return bytes.subarray(0, read);
  } finally {
    await file.close();
  }
}

/** Makes the making and removing of files in a folder outlive a crash. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function headerOf(spool: string): Buffer {
  const head = Buffer.concat([FORMAT, Buffer.from(spool.replaceAll('-', ''), 'hex'), Buffer.alloc(4)]);
  head.writeUInt32BE(crc32(head.subarray(0, SUM_AT)), SUM_AT);
  return head;
}
