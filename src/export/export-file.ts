import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { CannotExport } from './problem.js';

/** How far an export has come: so many bytes of its file are good, and the rest begins at the cursor. */
interface Progress {
  readonly version: 1;
  /** What is exported, from where and how: only the same command goes on. */
  readonly question: string;
  /** Null before the first page. */
  readonly cursor: string | null;
  readonly bytes: number;
  readonly rows: number;
  readonly complete: boolean;
}

/**
 * A file that grows page by page and survives an end at any instant. Pages go to `FILE.part`; after each, `FILE.part.json` is
 * replaced by one that counts it. What was written and not counted is cut off when the export goes on. `FILE` is complete.
 */
export class ExportFile {
  private constructor(
    private readonly path: string,
    private readonly part: FileHandle,
    private progress: Progress,
  ) {}

  /**
   * Opens a file where it was left, or begins it.
   * @throws CannotExport
   */
  static async open(path: string, question: string, force: boolean): Promise<ExportFile> {
    if (force) await Promise.all([stateOf(path), partOf(path), path].map((each) => rm(each, { force: true })));
    const known = await readProgress(path);
    if (known === null && (await exists(path))) {
      throw new CannotExport(`${path} is there already: give another name, or --force to write it anew.`, 2);
    }
    if (known !== null && known.question !== question) {
      throw new CannotExport(
        `${stateOf(path)} is of another export: give the same list, filters and options as then, or --force to begin anew.`,
        2,
      );
    }
    if (known?.complete) return ExportFile.finished(path, known);
    const part = await openPart(path);
    const progress = known ?? { version: 1, question, cursor: null, bytes: 0, rows: 0, complete: false };
    const { size } = await part.stat();
    if (size < progress.bytes) {
      await part.close();
      throw new CannotExport(`${partOf(path)} is shorter than it was: begin anew with --force.`);
    }
    await part.truncate(progress.bytes);
    return new ExportFile(path, part, progress);
  }

  /** Where the next page begins. */
  get cursor(): string | null {
    return this.progress.cursor;
  }

  get rows(): number {
    return this.progress.rows;
  }

  get bytes(): number {
    return this.progress.bytes;
  }

  get complete(): boolean {
    return this.progress.complete;
  }

  /** Adds a page, to the disk before it is counted; without a next page the file is complete. */
  async add(bytes: Buffer, rows: number, next: string | null): Promise<void> {
    await this.part.appendFile(bytes);
    await this.part.datasync();
    this.progress = {
      ...this.progress,
      cursor: next,
      bytes: this.progress.bytes + bytes.length,
      rows: this.progress.rows + rows,
      complete: next === null,
    };
    await writeProgress(this.path, this.progress);
    if (next !== null) return;
    await this.part.close();
    await rename(partOf(this.path), this.path);
    await rm(stateOf(this.path));
  }

  async close(): Promise<void> {
    await this.part.close().catch(() => undefined); // it is closed when it is complete
  }

  /** It ended between its last page and its last step. */
  private static async finished(path: string, progress: Progress): Promise<ExportFile> {
    if (await exists(partOf(path))) await rename(partOf(path), path);
    const file = await open(path, 'r');
    await rm(stateOf(path));
    return new ExportFile(path, file, progress);
  }
}

const partOf = (path: string): string => `${path}.part`;
const stateOf = (path: string): string => `${path}.part.json`;

async function openPart(path: string): Promise<FileHandle> {
  try {
    return await open(partOf(path), 'a+');
  } catch (error) {
    throw new CannotExport(
      `${partOf(path)} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
      2,
    );
  }
}

async function readProgress(path: string): Promise<Progress | null> {
  let text: string;
  try {
    text = await readFile(stateOf(path), 'utf8');
  } catch {
    return null;
  }
  const progress = JSON.parse(text) as Progress;
  if (progress.version !== 1)
    throw new CannotExport(`${stateOf(path)} is of another version: begin anew with --force.`);
  return progress;
}

/** All of it or nothing, whenever the power fails. */
async function writeProgress(path: string, progress: Progress): Promise<void> {
  const next = `${stateOf(path)}.next`;
  const file = await open(next, 'w');
  try {
    await file.writeFile(JSON.stringify(progress));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(next, stateOf(path));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
