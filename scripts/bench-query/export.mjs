// @ts-check
import { withBar } from './bar.mjs';
import { EXPORT } from './questions.mjs';

/** So many rows are read; the promise is about ten million. */
const ROWS = 10_000_000;
const NEWLINE = 10;
const LOOK_EVERY_MS = 200;

/**
 * Reads a long list as CSV, and looks how fast it comes and what memory the service takes meanwhile.
 * @param {{ asker: import('./ask.mjs').Asker, service: Awaited<ReturnType<typeof import('./service.mjs').startQueried>>, signal: AbortSignal }} options
 */
export async function measureExport({ asker, service, signal }) {
  const before = service.resident();
  let peak = before;
  let rows = 0;
  const started = performance.now();
  const watch = setInterval(() => (peak = Math.max(peak, service.resident())), LOOK_EVERY_MS);
  try {
    const bytes = await withBar('CSV', ROWS, (advance) =>
      asker.get(EXPORT, {
        accept: 'text/csv',
        onBytes: (chunk) => {
          signal.throwIfAborted();
          let lines = 0;
          for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
          rows += lines;
          advance(lines);
        },
      }),
    );
    const seconds = (performance.now() - started) / 1_000;
    return { rows, bytes, seconds, rowsPerSecond: rows / seconds, residentBefore: before, residentPeak: peak };
  } finally {
    clearInterval(watch);
  }
}
