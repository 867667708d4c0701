import { ClassicLevel } from 'classic-level';
import { DiskStore, type GroupState } from './disk-store.js';
import type { GroupStore } from './group-store.js';
import { WriteBehind } from './write-behind.js';

/** The queues on disk cannot be opened, or no longer be written. The message says why and what to do. */
export class QueuesUnavailable extends Error {
  override readonly name = 'QueuesUnavailable';
}

/** Under this key stands the last message id; under `g` and its name the state of a group. */
const LAST_ID = 'id';
const GROUP = 'g';

/**
 * The queues of all groups in one folder (LevelDB). What was published and not accepted survives the end of the process,
 * however it ends: each change is handed to the system before a message is pushed. It does not survive a power cut, as
 * nothing waits for the disk itself.
 */
export class DiskQueues {
  private readonly states = new Map<string, GroupState>();
  private readonly writes: WriteBehind;
  private last = 0n;
  /** Of a group, so far: the next one must not find what is still to be deleted of a former. */
  private lastNumber = 0;
  private readonly work = new Set<Promise<void>>();
  private failed: QueuesUnavailable | null = null;
  private listener: (failure: QueuesUnavailable) => void = () => undefined;

  private constructor(
    private readonly directory: string,
    private readonly db: ClassicLevel<string, Buffer>,
  ) {
    this.writes = new WriteBehind(db, (error) => this.fail(error));
  }

  /** Opens or makes the folder. Throws `QueuesUnavailable`. */
  static async open(directory: string): Promise<DiskQueues> {
    const db = new ClassicLevel<string, Buffer>(directory, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
    const queues = new DiskQueues(directory, db);
    try {
      await db.open();
      await queues.readStates();
    } catch (error) {
      await db.close();
      throw queues.unavailable(error);
    }
    return queues;
  }

  /** The largest id that a message had so far. */
  get lastId(): bigint {
    return this.last;
  }

  /** Why nothing can be published any more; null while all is well. */
  get failure(): QueuesUnavailable | null {
    return this.failed;
  }

  /** Told once when the queues can no longer be written, on a full disk for instance. */
  onFailure(listener: (failure: QueuesUnavailable) => void): void {
    this.listener = listener;
    if (this.failed) listener(this.failed);
  }

  /** Remembers an id, so that those after a restart are larger. */
  noteId(id: bigint): void {
    this.last = id;
    this.writes.set(LAST_ID, () => Buffer.from(String(this.last)));
  }

  /** The queues of one group, with what they held before. */
  group(id: string): GroupStore {
    let state = this.states.get(id);
    if (!state) {
      state = { number: ++this.lastNumber, seq: 0, stored: 0, storedBytes: 0 };
      this.states.set(id, state);
    }
    const known = state;
    const save = (): void => {
      // Its clients may still answer when a group is gone.
      if (this.states.get(id) === known) this.writes.set(GROUP + id, () => Buffer.from(JSON.stringify(known)));
    };
    return new DiskStore(known, this.db, this.writes, save, (work) => this.look(work));
  }

  /** A group is no more, nor is what it held. */
  forget(id: string): void {
    const state = this.states.get(id);
    if (!state) return;
    this.states.delete(id);
    this.writes.delete(GROUP + id);
    this.look(DiskStore.erase(state, this.db, this.writes));
  }

  /** Ends what is under way, so that a backlog that was cleared stays so, writes what is still to be written, lets go of the folder. */
  async close(): Promise<void> {
    while (this.work.size > 0 && !this.failed) await Promise.all(this.work);
    await this.writes.close();
    await this.db.close();
  }

  private async readStates(): Promise<void> {
    const id = await this.db.get(LAST_ID);
    if (id !== undefined) this.last = BigInt(id.toString());
    for await (const [key, value] of this.db.iterator({ gte: GROUP, lt: `${GROUP}\uffff` })) {
      this.states.set(key.slice(GROUP.length), JSON.parse(value.toString()) as GroupState);
    }
    this.lastNumber = Math.max(0, ...[...this.states.values()].map(({ number }) => number));
    await DiskStore.eraseOthers(this.states.values(), this.db);
  }

  private look(work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.work.delete(done);
      });
    this.work.add(done);
  }

  private fail(error: unknown): void {
    if (this.failed) return;
    this.failed = this.unavailable(error);
    this.writes.abandon();
    this.listener(this.failed);
  }

  private unavailable(error: unknown): QueuesUnavailable {
    const { code, message } = innermost(error);
    const where = `The queues in ${this.directory}`;
    const text =
      code === 'LEVEL_LOCKED'
        ? `${where} are in use by another simulator. Stop it, or set SIMULATOR_DATA_DIR to another folder.`
        : /no space left|disk quota/i.test(message)
          ? `${where} cannot be written: the disk is full. Make room and start again; what was published before is kept.`
          : code === 'LEVEL_CORRUPTION' ||
              /no such file/i.test(message) ||
              error instanceof SyntaxError ||
              error instanceof RangeError
            ? `${where} are damaged (${message}). Move the folder away to start with empty queues.`
            : `${where} cannot be read or written (${message}). Look at the folder and its disk, or set SIMULATOR_DATA_DIR to another folder.`;
    return new QueuesUnavailable(text, { cause: error });
  }
}

/** The library wraps what went wrong in an error that only says that the database is not open. */
function innermost(error: unknown): { readonly code: string; readonly message: string } {
  let found = error as { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown };
  while (typeof found.cause === 'object' && found.cause !== null) found = found.cause;
  return { code: String(found.code), message: String(found.message) };
}
