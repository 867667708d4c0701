import type { ExportOptions } from './command-line.js';
import { ExportFile } from './export-file.js';
import { type ListPage, PageClient } from './page-client.js';
import type { ProgressLine } from './progress-line.js';

/** Where pages go. */
interface Target {
  readonly cursor: string | null;
  readonly rows: number;
  readonly complete: boolean;
  add(bytes: Buffer, rows: number, next: string | null): Promise<void>;
  close(): Promise<void>;
}

/**
 * Exports a list, page by page; the next page is asked for while the last one is written.
 * @throws CannotExport
 */
export async function runExport(options: ExportOptions, progress: ProgressLine): Promise<void> {
  const target = options.out === undefined ? standardOutput() : await fileOf(options, options.out);
  const client = new PageClient(options, (why) => progress.waiting(why));
  progress.goOn(target.rows);
  try {
    let coming: Promise<ListPage> | null = target.complete ? null : client.page(target.cursor);
    while (coming !== null) {
      const { bytes, rows, next }: ListPage = await coming;
      coming = next === null ? null : client.page(next);
      coming?.catch(() => undefined); // it is awaited after this page
      await target.add(bytes, rows, next);
      progress.add(rows, bytes.length);
    }
  } finally {
    client.close();
    await target.close();
  }
}

async function fileOf(options: ExportOptions, out: string): Promise<Target> {
  const { url, address, format, gzip, force } = options;
  return ExportFile.open(out, JSON.stringify([url, address, format, gzip]), force);
}

function standardOutput(): Target {
  return {
    cursor: null,
    rows: 0,
    complete: false,
    add: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    close: () => Promise.resolve(),
  };
}
