// @ts-check
// The thread in which scripts run, each in a QuickJS of its own that is compiled to WebAssembly, with a memory of its own.
// Started by `sandbox.ts`, which waits for it and ends it when it does not answer. Plain JavaScript: Node starts it as it
// is, built or not.
import quickjs from '@jitl/quickjs-wasmfile-release-sync';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import process from 'node:process';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { newQuickJSWASMModuleFromVariant, newVariant } from 'quickjs-emscripten-core';

/**
 * @typedef {import('quickjs-emscripten-core').QuickJSContext} Context
 * @typedef {import('quickjs-emscripten-core').QuickJSHandle} Handle
 * @typedef {import('quickjs-emscripten-core').QuickJSSyncVariant} Variant
 * @typedef {object} Load
 * @property {'load'} kind
 * @property {number} script
 * @property {string} name
 * @property {string} prelude
 * @property {string} source
 * @property {readonly string[]} functions
 * @property {{ memoryPages: number, stackBytes: number, resultChars: number }} limits
 * @property {number} timeMs
 * @typedef {{ kind: 'call', script: number, name: string, args: string, timeMs: number }} Call
 * @typedef {{ kind: 'drop', script: number }} Drop
 * @typedef {{ wall: number, cpu: number }} Deadline
 * @typedef {{ context: Context, call: Handle, until: Deadline, memory: Memory }} Loaded
 */

/** Places in the shared signal: how many messages were sent to the thread that waits, and to this one. */
const TO_CALLER = 0;
const TO_WORKER = 1;
/** Promises of a script that may settle before a call ends. */
const MAX_JOBS = 1_000;
/** Characters of a name, message or stack of an error. */
const MAX_TEXT = 2_000;

const { port, signal } = /** @type {{ port: import('node:worker_threads').MessagePort, signal: Int32Array }} */ (
  workerData
);

// QuickJS asks the host for its time zone: scripts see UTC, on whatever machine.
Date.prototype.getTimezoneOffset = () => 0;

/** Handed to each new context. Takes natives before a script can change them. */
const BOOT = `(function (hostCall, functions, maxChars) {
  'use strict';
  const { parse, stringify } = JSON, apply = Reflect.apply, big = BigInt, bytes = Uint8Array;
  const RealDate = Date, realRandom = Math.random;
  let now = 0, state = 1;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  Math.random = random;
  function SimulatedDate(...given) {
    if (!new.target) return new RealDate(now).toString();
    return Reflect.construct(RealDate, given.length === 0 ? [now] : given, new.target);
  }
  SimulatedDate.prototype = RealDate.prototype;
  RealDate.prototype.constructor = SimulatedDate;
  SimulatedDate.parse = RealDate.parse;
  SimulatedDate.UTC = RealDate.UTC;
  SimulatedDate.now = () => now;
  globalThis.Date = SimulatedDate;
  const revive = (key, value) => {
    if (typeof value !== 'string' || value.charCodeAt(0) !== 0) return value;
    const rest = value.slice(2);
    if (value[1] === 'n') return big(rest);
    if (value[1] !== 'b') return rest;
    const made = new bytes(rest.length);
    for (let i = 0; i < made.length; i++) made[i] = rest.charCodeAt(i);
    return made;
  };
  const replace = (key, value) => {
    if (typeof value === 'string') return value.charCodeAt(0) === 0 ? '\\0s' + value : value;
    if (typeof value === 'bigint') return '\\0n' + value;
    if (!(value instanceof bytes)) return value;
    let text = '\\0b';
    for (let i = 0; i < value.length; i++) text += String.fromCharCode(value[i]);
    return text;
  };
  const encode = (value) => {
    const text = stringify([value === undefined ? null : value], replace);
    if (text.length > maxChars) throw new RangeError('a value of more than ' + maxChars + ' characters of JSON leaves the script');
    return text;
  };
  const decode = (text) => (text.includes('\\\\u0000') ? parse(text, revive) : parse(text))[0];
  for (const name of functions) {
    globalThis[name] = (...args) => decode(hostCall(name, encode(args)));
  }
  return (name, text) => {
    const given = decode(text);
    now = given.now;
    state = given.seed | 0;
    const called = globalThis[name];
    if (typeof called !== 'function') throw new TypeError('the script has no function ' + name);
    return encode(apply(called, undefined, given.args));
  };
})`;

/**
 * What is used of it; TypeScript knows it from browsers only.
 * @typedef {{ grow: (pages: number) => number }} WasmMemory
 * @typedef {{ compile: (bytes: Uint8Array) => Promise<object>, Memory: new (size: object) => WasmMemory }} Wasm
 */
const { WebAssembly } = /** @type {{ WebAssembly: Wasm }} */ (/** @type {unknown} */ (globalThis));

/** Memory that QuickJS begins with, as it was compiled: 16 MiB. */
const FIRST_PAGES = 256;

/**
 * The memory of one QuickJS. Its own limit counts next to nothing in this build (it cannot ask how large a block is), so
 * the limit is that of WebAssembly: then QuickJS throws, if it still can, and is not to be used any more.
 */
class Memory {
  full = false;

  /** @param {number} pages at most; of 64 KiB */
  constructor(pages) {
    this.wasm = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: pages });
    const grow = this.wasm.grow.bind(this.wasm);
    this.wasm.grow = (by) => {
      this.full = true;
      const before = grow(by);
      this.full = false;
      return before;
    };
  }
}

/** @type {Map<number, Loaded>} */
const scripts = new Map();
let taken = 0;

const wasmModule = await compile();
tell({ kind: 'ready' });
for (;;) {
  // Whatever comes out of QuickJS itself and not out of a script: its thread is of no more use.
  await answer(/** @type {Load | Call | Drop} */ (next())).catch((error) =>
    tell({ kind: 'broken', text: text(error) }),
  );
}

async function compile() {
  try {
    const file = createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
    return await WebAssembly.compile(await readFile(file));
  } catch (error) {
    tell({ kind: 'broken', text: text(error) });
    throw error;
  }
}

/** @param {object} message */
function tell(message) {
  port.postMessage(message);
  Atomics.add(signal, TO_CALLER, 1);
  Atomics.notify(signal, TO_CALLER);
}

/** Waits for a message without going back to the event loop: that would cost more than most calls. */
function next() {
  while (Atomics.load(signal, TO_WORKER) === taken) Atomics.wait(signal, TO_WORKER, taken);
  taken = (taken + 1) | 0;
  return receiveMessageOnPort(port)?.message;
}

/** @param {Load | Call | Drop} request */
async function answer(request) {
  if (request.kind === 'load') return tell(await load(request));
  if (request.kind === 'call') return tell(call(request));
  // Collected as a whole, with its memory: QuickJS stops for good when asked to tidy up after an error of its own.
  scripts.delete(request.script);
  return tell({ kind: 'value', text: '' });
}

/** @param {Load} request */
async function load({ script, name, prelude, source, functions, limits, timeMs }) {
  const memory = new Memory(limits.memoryPages);
  // Its types describe another kind of module than what Node loads.
  const variant = /** @type {Variant} */ (/** @type {unknown} */ (quickjs));
  const module = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule, wasmMemory: memory.wasm }));
  const runtime = module.newRuntime();
  runtime.setMaxStackSize(limits.stackBytes);
  const context = runtime.newContext();
  /** @type {Loaded} */
  const loaded = { context, call: context.undefined, until: deadline(timeMs), memory };
  runtime.setInterruptHandler(() => isOver(loaded.until));
  const host = context.newFunction('', (functionName, args) => {
    tell({ kind: 'host', name: context.getString(functionName), args: context.getString(args) });
    const said = /** @type {{ error?: string, text?: string }} */ (next());
    if (said.error !== undefined) throw new Error(said.error);
    return context.newString(said.text ?? '');
  });
  const boot = context.unwrapResult(context.evalCode(BOOT, 'sandbox'));
  const names = context.unwrapResult(context.evalCode(JSON.stringify(functions), 'sandbox'));
  const maxChars = context.newNumber(limits.resultChars);
  loaded.call = context.unwrapResult(context.callFunction(boot, context.undefined, host, names, maxChars));
  for (const handle of [boot, names, maxChars, host]) handle.dispose();
  const failed = attempt(loaded, () => {
    for (const [file, code] of [
      ['prelude', prelude],
      [name, source],
    ]) {
      const result = context.evalCode(code ?? '', file);
      if (result.error) return describe(loaded, result.error);
      result.value.dispose();
    }
    return null;
  });
  if (failed) return failed;
  if (!memory.full) scripts.set(script, loaded);
  return { kind: 'value', text: '' };
}

/** @param {Call} request */
function call({ script, name, args, timeMs }) {
  const loaded = scripts.get(script);
  if (!loaded) return { kind: 'unknown' };
  const { context, memory } = loaded;
  loaded.until = deadline(timeMs);
  const told = attempt(loaded, () => {
    const called = context.newString(name);
    const given = context.newString(args);
    const result = context.callFunction(loaded.call, context.undefined, called, given);
    called.dispose();
    given.dispose();
    if (result.error) return describe(loaded, result.error);
    const value = context.getString(result.value);
    result.value.dispose();
    return { kind: /** @type {const} */ ('value'), text: value };
  });
  const lost = told.kind === 'failed' && told.reason !== 'error';
  if (lost || memory.full || !settled(loaded)) scripts.delete(script);
  return told;
}

/**
 * Over when so much time has passed in the world and on the processor: a busy machine is not the script's fault.
 * @param {number} timeMs
 * @returns {Deadline}
 */
function deadline(timeMs) {
  return { wall: performance.now() + timeMs, cpu: cpuMs() + timeMs };
}

/** @param {Deadline} until */
function isOver({ wall, cpu }) {
  return performance.now() > wall && cpuMs() > cpu;
}

/** Of the process, whose other thread only waits meanwhile. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/**
 * What a piece of work gives, or that QuickJS broke down in it.
 * @template T
 * @param {Loaded} loaded
 * @param {() => T} work
 */
function attempt({ memory }, work) {
  try {
    return work();
  } catch (error) {
    return failed(memory.full ? 'memory' : 'broken', '', text(error), '');
  }
}

/**
 * Runs what the script left to promises. False when that does not end.
 * @param {Loaded} loaded
 */
function settled({ context: { runtime } }) {
  if (!runtime.hasPendingJob()) return true;
  try {
    runtime.executePendingJobs(MAX_JOBS).dispose();
    return !runtime.hasPendingJob();
  } catch {
    return false;
  }
}

/**
 * What a script threw, in words; frees the handle.
 * @param {Loaded} loaded
 * @param {Handle} error
 */
function describe(loaded, error) {
  const { context, memory } = loaded;
  const isObject = context.typeof(error) === 'object' && !context.sameValue(error, context.null);
  const isText = context.typeof(error) === 'string';
  // Reading a thrown object may run code of the script again.
  const late = isOver(loaded.until);
  if (late) loaded.until = deadline(50);
  const read = (/** @type {string} */ property) => {
    const handle = context.getProp(error, property);
    const value = context.typeof(handle) === 'string' ? context.getString(handle).slice(0, MAX_TEXT) : '';
    handle.dispose();
    return value;
  };
  const name = isObject ? read('name') : '';
  const thrown = isText ? context.getString(error).slice(0, MAX_TEXT) : 'threw something that is no error';
  const message = isObject ? read('message') : thrown;
  const stack = isObject ? read('stack') : '';
  error.dispose();
  if (memory.full) return failed('memory', name, message, stack);
  return failed(late && name === 'InternalError' && message === 'interrupted' ? 'time' : 'error', name, message, stack);
}

/**
 * @param {'error' | 'time' | 'memory' | 'broken'} reason
 * @param {string} name
 * @param {string} message
 * @param {string} stack
 */
function failed(reason, name, message, stack) {
  return { kind: /** @type {const} */ ('failed'), reason, name, message, stack };
}

/** @param {unknown} error */
function text(error) {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_TEXT);
}
