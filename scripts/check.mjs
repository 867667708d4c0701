#!/usr/bin/env node
// @ts-check
// npm run check: what CI runs. Goes on after a failure, so that one run tells everything that is wrong.
import './setup/check-node.mjs';
import path from 'node:path';
import { root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { working } from './setup/progress.mjs';
import { runTool } from './setup/run-tool.mjs';
import { setUp } from './setup/set-up.mjs';
import { spawn } from 'node:child_process';
import { inherit } from './inherit.mjs';

/** @type {readonly (readonly [what: string, program: string, ...args: string[]])[]} */
const CHECKS = [
  ['Format (prettier)', 'prettier/bin/prettier.cjs', '--check', '.'],
  ['Lint (eslint)', 'eslint/bin/eslint.js', '.'],
  ['Types (tsc)', 'typescript/bin/tsc', '--noEmit'],
  ['Types of the schema engine bridge (tsc)', 'typescript/bin/tsc', '-p', 'prisma/engine'],
  ['Types of the simulator’s page (tsc)', 'typescript/bin/tsc', '-p', 'simulator/page'],
  [
    'Arrows (dependency-cruiser)',
    'dependency-cruiser/bin/dependency-cruise.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    'src',
    'scripts',
    'test',
  ],
];

await runCommand(async () => {
  await setUp(root, { build: false });
  /** @type {string[]} */
  const failed = [];
  for (const [what, program, ...args] of CHECKS) {
    const run = () => runTool(process.execPath, [path.join(root, 'node_modules', program), ...args], { cwd: root });
    const { code, output } = await working(what, run);
    if (code === 0) continue;
    failed.push(what);
    console.error(output);
  }
  const tests = spawn(process.execPath, [path.join(root, 'scripts', 'test.mjs')], { cwd: root, stdio: 'inherit' });
  if ((await inherit(tests)) !== 0) failed.push('Tests (jest)');
  if (failed.length === 0) return 0;
  console.error(`\nNot well: ${failed.join(', ')}.`);
  return 1;
});
