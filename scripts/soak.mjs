#!/usr/bin/env node
// @ts-check
// npm run soak: the service under a steady load for half an hour; does its memory stay flat?
import './setup/check-node.mjs';
import { dataDirectory, root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';
import { USAGE, readOptions } from './soak/options.mjs';

await runCommand(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  await setUp(root, { build: true });
  const { runSoak } = await import('./soak/run-soak.mjs'); // needs what the line above installs
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort());
  return runSoak({ root, dataDirectory, options, signal: interrupted.signal });
});
