#!/usr/bin/env node
// A schema engine for `prisma migrate` and `prisma db` that needs nothing but npm: Prisma's own engine compiled to
// WebAssembly, behind the command line and the JSON-RPC of the native binary. Why, and what it does differently:
// docs/decisions/0003-schema-engine-bridge.md.

import { readFileSync } from 'node:fs';
import { parseArguments } from './arguments.mjs';
import { canConnect, createDatabase } from './database-commands.mjs';
import { log, logError } from './log.mjs';
import { serve } from './rpc-server.mjs';
import { wasmVersion } from './wasm-engine.mjs';

// Prisma reads this process's stderr as lines of JSON: Node's own warnings would not be that.
process.removeAllListeners('warning');
process.on('warning', (warning) => log('WARN', warning.message));

const asked = parseArguments(process.argv.slice(2));

switch (asked.verb) {
  case 'version':
    console.log(`schema-engine-cli ${await wasmVersion()}`);
    break;
  case 'can-connect-to-database':
  case 'create-database':
    log('INFO', 'Starting schema engine CLI');
    try {
      log('INFO', await (asked.verb === 'create-database' ? createDatabase : canConnect)(asked.datasource.url));
    } catch (error) {
      logError(error);
      process.exitCode = 1;
    }
    break;
  case 'serve':
    log('INFO', 'Starting schema engine RPC server');
    serve({
      datasource: asked.datasource,
      datamodels: asked.datamodels.map((path) => [path, readFileSync(path, 'utf8')]),
    });
    break;
  default:
    log('ERROR', `Unknown command: ${process.argv.slice(2).join(' ')}`);
    process.exitCode = 2;
}
