// Prisma's schema engine, compiled to WebAssembly.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** @typedef {import('@prisma/schema-engine-wasm').SchemaEngine} SchemaEngine */

/** What the engine said as it panicked: in WebAssembly the exception itself says only "unreachable". */
let panic = '';
Object.assign(globalThis, {
  PRISMA_WASM_PANIC_REGISTRY: {
    /** @param {string} message */
    set_message(message) {
      panic = message;
    },
  },
});

/** The last panic's message, or an empty string. */
export function panicMessage() {
  return panic;
}

/** @type {Promise<typeof import('@prisma/schema-engine-wasm')> | undefined} */
let loaded;

// The package's own entry imports its .wasm file as a module, which Node does only behind a switch.
async function load() {
  const glue = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const { instance } = await WebAssembly.instantiate(await readFile(glue.replace(/\.js$/, '.wasm')), {
    './schema_engine_bg.js': bindings,
  });
  bindings.__wbg_set_wasm(instance.exports);
  /** @type {() => void} */ (instance.exports.__wbindgen_start)();
  return bindings;
}

/** The commit of Prisma's engines that this one was built from. */
export async function wasmVersion() {
  return (await (loaded ??= load())).version();
}

/**
 * An engine on a database. Its methods must not be called while another of its calls is running.
 * @param {import('@prisma/driver-adapter-utils').SqlMigrationAwareDriverAdapterFactory} factory
 * @param {[string, string][]} datamodels path and content of each schema file, for `schemas` of the datasource
 * @returns {Promise<SchemaEngine>}
 */
export async function newEngine(factory, datamodels) {
  const { bindMigrationAwareSqlAdapterFactory } = await import('@prisma/driver-adapter-utils');
  const { SchemaEngine } = await (loaded ??= load());
  return SchemaEngine.new(
    // It panics on an empty list.
    { datamodels: datamodels.length > 0 ? datamodels : undefined },
    (/** @type {string} */ line) => process.stderr.write(`${line.trim()}\n`),
    bindMigrationAwareSqlAdapterFactory(factory),
  );
}
