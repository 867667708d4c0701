#!/usr/bin/env node
// @ts-check
// npm run fuzz: spoilt and invented messages through the decoders, guided by the coverage of their code (docs/decisions/0012).
import './setup/check-node.mjs';
import path from 'node:path';
import { dataDirectory, root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';

await runCommand(async () => {
  await setUp(root, { build: true });
  const { USAGE, readOptions } = await import('../test/fuzz/options.mjs');
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const { replay } = await import('../test/fuzz/replay.mjs'); // needs what the first line installs
  if (options.replay !== undefined) return replay(root, options.replay);
  const { runCampaign } = await import('../test/fuzz/campaign.mjs');
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort());
  return runCampaign({ root, folder: path.join(dataDirectory, 'fuzz'), options, signal: interrupted.signal });
});
