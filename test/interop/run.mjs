#!/usr/bin/env node
// @ts-check
// The service against a broker and a client that know nothing of it: Debian's RabbitMQ (AMQP 1.0 plugin) and Qpid Proton.
//
//   apt-get install rabbitmq-server python3-qpid-proton && node test/interop/run.mjs
import '../../scripts/setup/check-node.mjs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { setUp } from '../../scripts/setup/set-up.mjs';

await setUp(root, { build: true });
const { runInterop } = await import('./interop.mjs'); // needs what the line above installs

const folder = mkdtempSync(path.join(tmpdir(), 'living-mirror-interop-'));
let code = 1;
try {
  code = await runInterop(folder);
} catch (error) {
  console.error(`\nThe run broke off: ${error instanceof Error ? error.stack : String(error)}`);
  for (const log of ['service.log', 'broker/broker.log']) {
    try {
      console.error(`\nEnd of ${log}:\n${readFileSync(path.join(folder, log), 'utf8').slice(-3_000)}`);
    } catch {
      // it had not got that far
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);
