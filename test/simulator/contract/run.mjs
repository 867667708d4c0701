#!/usr/bin/env node
// @ts-check
// The platform simulator met by clients that know nothing of it: Debian's Qpid Proton (AMQP) and mosquitto (MQTT). Runs every
// *.contract.mjs of this folder in turn, or those whose names hold a given word.
//
//   apt-get install python3-qpid-proton mosquitto-clients && node test/simulator/contract/run.mjs [word …]
import '../../../scripts/setup/check-node.mjs';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../../../scripts/checkout.mjs';
import { setUp } from '../../../scripts/setup/set-up.mjs';

await setUp(root, { build: true });

const here = path.dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2);
const files = readdirSync(here)
  .filter((file) => file.endsWith('.contract.mjs'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
/** @type {string[]} */
const failed = [];
for (const file of files) {
  console.log(`\n== ${file}`);
  const child = spawn(process.execPath, [path.join(here, file)], { cwd: root, stdio: 'inherit' });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) failed.push(file);
}
console.log(
  failed.length === 0
    ? `\n${files.length} contracts hold`
    : `\nNOT OK: ${failed.join(', ')} of ${files.length} contracts`,
);
process.exit(failed.length === 0 && files.length > 0 ? 0 : 1);
