import type { ConnectionStatus } from '../domain/ingest-status.js';

/** Where transports put up what their connections are doing, for `/v1/ingest` to read. */
export class ConnectionBoard {
  private readonly readers = new Set<() => ConnectionStatus>();

  /**
   * Adds a connection; its status is asked for whenever somebody looks.
   * @returns a function that takes it off the board.
   */
  add(read: () => ConnectionStatus): () => void {
    this.readers.add(read);
    return () => this.readers.delete(read);
  }

  all(): readonly ConnectionStatus[] {
    return [...this.readers].map((read) => read());
  }
}
