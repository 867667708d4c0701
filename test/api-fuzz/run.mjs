#!/usr/bin/env node
// @ts-check
// Requests made from the API's own OpenAPI description, good ones and bad, against the service on a database that a simulated
// fleet fills: no answer may be a failure of ours (5xx), and each must be one that the description names.
//
//   apt-get install python3-venv && node test/api-fuzz/run.mjs [--requests 20000] [--seed 7]
import '../../scripts/setup/check-node.mjs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { numberOf, readCommandLine } from '../../scripts/command-line.mjs';
import { setUp } from '../../scripts/setup/set-up.mjs';

const values = readCommandLine(
  process.argv.slice(2),
  { requests: { type: 'string', default: '20000' }, seed: { type: 'string', default: '7' } },
  'node test/api-fuzz/run.mjs',
);
const wanted = {
  requests: numberOf('--requests', values.requests, 1, 10_000_000),
  seed: numberOf('--seed', values.seed, 0, 2 ** 31),
};

await setUp(root, { build: true });
const { fuzzApi } = await import('./fuzz-api.mjs'); // needs what the line above installs

const folder = mkdtempSync(path.join(tmpdir(), 'living-mirror-api-fuzz-'));
let code = 1;
try {
  code = await fuzzApi(folder, wanted);
} catch (error) {
  console.error(`\nThe run broke off: ${error instanceof Error ? error.stack : String(error)}`);
  try {
    console.error(`\nEnd of service.log:\n${readFileSync(path.join(folder, 'service.log'), 'utf8').slice(-3_000)}`);
  } catch {
    // it had not got that far
  }
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(code);
