#!/usr/bin/env node
// @ts-check
// npm test: every test that needs nothing but Node and npm. What follows `npm test --` goes to Jest.
import './setup/check-node.mjs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './checkout.mjs';
import { inherit } from './inherit.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';

await runCommand(async () => {
  await setUp(root, { build: true }); // end-to-end tests start the built service
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  // Jest hands both switches on to its workers. Modules as in the sources: Jest counts its own support as experimental.
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  return inherit(spawn(process.execPath, [...node, jest, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' }));
});
