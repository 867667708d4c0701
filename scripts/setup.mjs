#!/usr/bin/env node
// @ts-check
// npm run setup, npm run build: makes a clone ready to run.
import './setup/check-node.mjs';
import { root } from './checkout.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';

await runCommand(() => setUp(root, { build: true }));
