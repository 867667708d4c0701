import type { ClassicLevel } from 'classic-level';

type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

/** Writes to LevelDB in the order in which they were asked for, all of a turn of the event loop in one atomic batch. */
export class WriteBehind {
  private operations: Operation[] = [];
  private written: (() => void)[] = [];
  private flushes: (() => void)[] = [];
  /** What is written with every batch as it stands then. */
  private readonly states = new Map<string, () => Buffer>();
  private running: Promise<void> | null = null;
  private abandoned = false;

  /** `failed` is told of an error; from then on `abandon` is all that is left to do. */
  constructor(
    private readonly db: ClassicLevel<string, Buffer>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** `written` is called once the value would be found after the end of this process. */
  put(key: string, value: Buffer, written?: () => void): void {
    this.operations.push({ type: 'put', key, value });
    if (written) this.written.push(written);
    this.run();
  }

  delete(key: string): void {
    this.states.delete(key);
    this.operations.push({ type: 'del', key });
    this.run();
  }

  /** Writes a value that changes often, as it is when the next batch goes out. */
  set(key: string, value: () => Buffer): void {
    this.states.set(key, value);
    this.run();
  }

  /** Resolves when all that was asked for so far is written, or will never be. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.abandoned) {
        resolve();
        return;
      }
      this.flushes.push(resolve);
      this.run();
    });
  }

  /** Writes nothing any more. */
  abandon(): void {
    this.abandoned = true;
    this.operations = [];
    this.written = [];
    this.states.clear();
    for (const flushed of this.flushes.splice(0)) flushed();
  }

  /** Writes what was asked for and nothing more. */
  async close(): Promise<void> {
    await this.running;
    this.abandon();
  }

  private run(): void {
    if (this.abandoned) return;
    this.running ??= this.write();
  }

  private async write(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // what else this turn has to write goes along
    while (this.operations.length + this.written.length + this.flushes.length + this.states.size > 0) {
      const { operations, written, flushes } = this;
      this.operations = [];
      this.written = [];
      this.flushes = [];
      for (const [key, value] of this.states) operations.push({ type: 'put', key, value: value() });
      this.states.clear();
      try {
        await this.db.batch(operations);
      } catch (error) {
        this.failed(error);
        for (const flushed of flushes) flushed();
        break;
      }
      for (const each of [...written, ...flushes]) each();
    }
    this.running = null;
  }
}
