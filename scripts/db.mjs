#!/usr/bin/env node
// @ts-check
// npm run db: the embedded PostgreSQL alone, until Ctrl-C.
import './setup/check-node.mjs';
import path from 'node:path';
import { dataDirectory, root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';

await runCommand(async () => {
  await setUp(root, { build: false });
  const { runDatabase } = await import('./start/run-database.mjs'); // needs what the line above installs
  return runDatabase({ root, directory: path.join(dataDirectory, 'postgres') });
});
