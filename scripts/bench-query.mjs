#!/usr/bin/env node
// @ts-check
// npm run bench:query: the questions that REST answers, on data of a size that hurts, and on a tenth of it.
import './setup/check-node.mjs';
import { dataDirectory, root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { USAGE, readOptions } from './bench-query/options.mjs';
import { setUp } from './setup/set-up.mjs';

await runCommand(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  await setUp(root, { build: true });
  const { runBenchQuery } = await import('./bench-query/run-bench-query.mjs'); // needs what the line above installs
  const { report } = await import('./bench-query/report.mjs');
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort());
  try {
    const result = await runBenchQuery({ root, dataDirectory, options, signal: interrupted.signal });
    console.log(
      options.json ? JSON.stringify(result, null, 2) : `\n${report(result)}\n\nAll of it: data/bench-query.json`,
    );
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    throw error;
  }
});
