import type { GroupStore } from './group-store.js';
import type { QueuedMessage } from './queued-message.js';
import { publishedAtOf, readRecord, MessageRecord } from './record.js';

/** Slabs grow with the queue, so that a thousand quiet groups cost little and a deep backlog few allocations. */
const FIRST_SLAB_BYTES = 4 * 1_024;
const LARGEST_SLAB_BYTES = 1_024 * 1_024;
const LENGTH_BYTES = 4;

interface Slab {
  readonly bytes: Buffer;
  /** First free byte. */
  end: number;
}

/**
 * A backlog in memory. Messages are kept as records side by side in large buffers outside of the heap: a million of them are a
 * few hundred slabs, of which the garbage collector hardly hears.
 */
export class MemoryStore implements GroupStore {
  private readonly slabs: Slab[] = [];
  /** Where the oldest record starts in the first slab. */
  private start = 0;
  private count = 0;
  private size = 0;

  get length(): number {
    return this.count;
  }

  get bytes(): number {
    return this.size;
  }

  onReady(): void {
    // it always has
  }

  keep(_queued: QueuedMessage, kept: () => void): void {
    kept();
  }

  push(queued: QueuedMessage): void {
    const record = new MessageRecord(queued);
    const needed = LENGTH_BYTES + record.bytes;
    let slab = this.slabs.at(-1);
    if (slab === undefined || slab.bytes.length - slab.end < needed) {
      const grown = slab ? Math.min(2 * slab.bytes.length, LARGEST_SLAB_BYTES) : FIRST_SLAB_BYTES;
      slab = { bytes: Buffer.allocUnsafeSlow(Math.max(grown, needed)), end: 0 };
      this.slabs.push(slab);
    }
    slab.bytes.writeUInt32LE(record.bytes, slab.end);
    record.write(slab.bytes, slab.end + LENGTH_BYTES);
    slab.end += needed;
    this.count++;
    this.size += needed;
  }

  shift(): QueuedMessage | undefined {
    const record = this.first();
    if (!record) return undefined;
    this.start += LENGTH_BYTES + record.length;
    this.count--;
    this.size -= LENGTH_BYTES + record.length;
    const [slab] = this.slabs;
    if (slab?.end === this.start) {
      this.slabs.shift();
      this.start = 0;
    }
    return readRecord(record);
  }

  oldest(): number | null {
    const record = this.first();
    return record ? publishedAtOf(record) : null;
  }

  sent(): void {
    // nothing outlives the process
  }

  done(): void {
    // it was taken out when it was sent
  }

  clear(dropped: (queued: QueuedMessage) => void): void {
    for (let queued = this.shift(); queued; queued = this.shift()) dropped(queued);
  }

  private first(): Buffer | undefined {
    const [slab] = this.slabs;
    if (!slab) return undefined;
    const from = this.start + LENGTH_BYTES;
    return slab.bytes.subarray(from, from + slab.bytes.readUInt32LE(this.start));
  }
}
