/**
 * How much room there is for more messages. Credit bounds the number of messages in hand, this bounds their bytes: while
 * it is full, transports give no credit back and stop reading.
 */
export class Room {
  private bytes = 0;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly limitBytes: number) {}

  /** Bytes of the messages in hand. */
  get used(): number {
    return this.bytes;
  }

  /** True while there are no more bytes in hand than the limit. */
  get isOpen(): boolean {
    return this.bytes <= this.limitBytes;
  }

  take(bytes: number): void {
    this.bytes += bytes;
  }

  give(bytes: number): void {
    const wasOpen = this.isOpen;
    this.bytes -= bytes;
    if (!wasOpen && this.isOpen) for (const listener of [...this.waiting]) listener();
  }

  /**
   * Calls back each time the room opens again after having been full.
   * @returns a function that ends this.
   */
  onOpen(listener: () => void): () => void {
    this.waiting.add(listener);
    return () => this.waiting.delete(listener);
  }
}
