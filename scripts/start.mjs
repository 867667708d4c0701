#!/usr/bin/env node
// @ts-check
// npm start: everything that living-mirror needs, from a fresh clone to live devices, until Ctrl-C.
import './setup/check-node.mjs';
import path from 'node:path';
import { dataDirectory, root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';
import { refuseBadSettings } from './start/check-settings.mjs';
import { readEnvironment, readWishes } from './start/environment.mjs';
import { refuseTakenPort } from './start/service-part.mjs';

const startedAt = performance.now();
const watch = process.argv.includes('--watch');
const nest = path.join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');

await runCommand(async () => {
  const environment = readEnvironment(root, process.env);
  await refuseBadSettings(root, environment); // every one at once, if this is not the first start
  const wishes = readWishes(environment);
  await refuseTakenPort(wishes.httpHost, wishes.httpPort); // before a minute of installing, not after
  await setUp(root, { build: true });
  await refuseBadSettings(root, environment);
  const { runAll } = await import('./start/run-all.mjs'); // needs what setUp() installs
  return runAll({
    root,
    dataDirectory,
    environment,
    wishes,
    commands: {
      service: [
        process.execPath,
        ...(watch ? [nest, 'start', '--watch', '--preserveWatchOutput'] : [path.join(root, 'dist', 'main.js')]),
      ],
      simulator: [process.execPath, path.join(root, 'dist', 'simulator', 'main.js')],
    },
    verbose: watch,
    startedAt,
  });
});
