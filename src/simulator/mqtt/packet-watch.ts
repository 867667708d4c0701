/** Types of MQTT control packets that matter here. */
export const DISCONNECT = 14;

/**
 * Watches the bytes of one MQTT connection as they come in: where packets begin, of what type, how long they say they are.
 * The broker would collect a packet of 256 MB before it looked at it.
 */
export class PacketWatch {
  /** Bytes of the current packet still to come. */
  private left = 0;
  /** Type of the packet whose length is being read; null between packets. */
  private type: number | null = null;
  private length = 0;
  private shift = 0;

  constructor(
    private readonly maxLength: number,
    /** Called as soon as type and length of a packet are known. */
    private readonly onPacket: (type: number) => void,
    private readonly onTooLong: (length: number) => void,
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
      const byte = chunk[at++] ?? 0;
      if (this.type === null) {
        this.type = byte >> 4;
        this.length = 0;
        this.shift = 0;
        continue;
      }
      this.length += (byte & 0x7f) << this.shift;
      this.shift += 7;
      // Four bytes at most; a fifth is for the broker to complain about.
      if ((byte & 0x80) !== 0 && this.shift < 28) continue;
      const type = this.type;
      this.type = null;
      this.left = this.length;
      if (this.length > this.maxLength) {
        this.onTooLong(this.length);
        return;
      }
      this.onPacket(type);
    }
  }
}
