/** Largest frame that a client may send, as the platform's open says: a client only signs in, attaches, and answers. */
export const MAX_FRAME_BYTES = 65_536;

/** The protocol header that begins SASL, and again AMQP after it, read as a length. */
const HEADER = 0x41_4d_51_50;
const HEADER_BYTES = 8;
const LENGTH_BYTES = 4;

/**
 * Watches the bytes of one AMQP connection as they come in: where frames begin, and how long they say they are. rhea would
 * collect a frame of 4 GB before it looked at it.
 */
export class FrameWatch {
  /** Bytes of the current frame still to come. */
  private left = 0;
  private begun = false;
  private length = 0;
  private lengthBytes = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly onTooLong: (bytes: number) => void,
  ) {}

  see(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.left > 0) {
        const step = Math.min(this.left, chunk.length - at);
        this.left -= step;
        at += step;
        continue;
      }
      this.length = this.length * 256 + (chunk[at++] ?? 0);
      if (++this.lengthBytes < LENGTH_BYTES) continue;
      const isHeader = this.length === HEADER;
      // What begins with none is for rhea to complain about.
      const bytes = isHeader ? HEADER_BYTES : this.length;
      if (!isHeader && !this.begun) this.left = Number.POSITIVE_INFINITY;
      this.begun = true;
      this.length = 0;
      this.lengthBytes = 0;
      if (this.left > 0) continue;
      if (bytes > this.maxBytes) {
        this.onTooLong(bytes);
        return;
      }
      this.left = Math.max(0, bytes - LENGTH_BYTES);
    }
  }
}
