#!/usr/bin/env node
// living-mirror export: whole lists of a running service into files. Uses nothing but its public REST API.
import { readCommandLine, USAGE } from './command-line.js';
import { CannotExport } from './problem.js';
import { ProgressLine } from './progress-line.js';
import { runExport } from './run-export.js';

const INTERRUPTED = 130;

async function main(): Promise<number> {
  const options = readCommandLine(process.argv.slice(2), process.env);
  if (options === null) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const goesOn = options.out === undefined ? '' : '; the same command goes on from here';
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      process.stderr.write(`\nInterrupted${goesOn}.\n`);
      process.exit(INTERRUPTED);
    });
  }
  // Whoever reads our output may have enough of it.
  process.stdout.on('error', () => process.exit(1));
  const progress = new ProgressLine(process.stderr, options.quiet);
  try {
    await runExport(options, progress);
  } catch (error) {
    if (error instanceof CannotExport && error.exitCode === 1) throw new CannotExport(`${error.message}${goesOn}`);
    throw error;
  }
  progress.end(options.out);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`\n${error instanceof CannotExport ? error.message : String(error)}\n`);
  process.exitCode = error instanceof CannotExport ? error.exitCode : 1;
}
