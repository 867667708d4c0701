#!/usr/bin/env node
// @ts-check
// npm run simulator: the platform simulator alone, until Ctrl-C.
import './setup/check-node.mjs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';
import { inherit } from './inherit.mjs';
import { readEnvironment } from './start/environment.mjs';

await runCommand(async () => {
  await setUp(root, { build: true });
  const env = readEnvironment(root, process.env);
  return inherit(
    spawn(process.execPath, [path.join(root, 'dist', 'simulator', 'main.js')], { cwd: root, env, stdio: 'inherit' }),
  );
});
