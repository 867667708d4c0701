#!/usr/bin/env node
// @ts-check
// npm run torture: runs the real processes, breaks them after a seeded plan, and judges what is left by a referee that knows
// every message.
import './setup/check-node.mjs';
import { setMaxListeners } from 'node:events';
import { FAULT_NAMES } from '../test/torture/catalogue.mjs';
import { USAGE, readOptions } from '../test/torture/options.mjs';
import { dataDirectory, root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';

await runCommand(async () => {
  const options = readOptions(process.argv.slice(2), FAULT_NAMES);
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  await setUp(root, { build: true });
  const { runTorture, showPlan } = await import('../test/torture/run-torture.mjs'); // needs what the line above installs
  const { report } = await import('../test/torture/report.mjs');
  if (options.plan) {
    console.log(showPlan({ dataDirectory, options }));
    return 0;
  }
  const interrupted = new AbortController();
  setMaxListeners(0, interrupted.signal); // every fault that is planned waits with it
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupted.abort());
  try {
    const result = await runTorture({ root, dataDirectory, options, signal: interrupted.signal });
    console.log(
      options.json
        ? JSON.stringify(result, null, 2)
        : `\n${report(result)}\n\nAll of it: data/torture/${result.seed}.json`,
    );
    return result.verdict === 'holds' ? 0 : 1;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    throw error;
  }
});
