// @ts-check
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { Chance } from './chance.mjs';
import { faultOf, faultOfReplay } from './checks.mjs';
import { loadCode } from './code.mjs';
import { Corpus } from './corpus.mjs';
import { Coverage } from './coverage.mjs';
import { CurrentInput } from './current-input.mjs';
import { toJson } from './input.mjs';
import { minimise } from './minimise.mjs';
import { lengthOf, mutate } from './mutations/mutate.mjs';
import { seeds } from './seeds.mjs';

/**
 * @typedef {import('./input.mjs').Input} Input
 * @typedef {import('./checks.mjs').Fault} Fault
 * @typedef {{ root: string, built: string, seed: number, memory: SharedArrayBuffer }} Task
 */

/**
 * What the main thread hears.
 * @typedef {{ kind: 'finding', fault: Fault, input: Record<string, unknown> }
 *   | { kind: 'sample', input: Record<string, unknown> }
 *   | { kind: 'progress', inputs: number, corpus: number, reached: number, total: number, features: number, slowestMs: number }
 *   | { kind: 'heap', bytes: number, corpusBytes: number }
 *   | { kind: 'end', summary: ReturnType<Coverage['summary']> }} Report
 */

const PROGRESS_MS = 500;
const HEAP_MS = 5_000;
/** At most so many samples a second go to the database. */
const SAMPLE_MS = 50;
const REPLAY_EVERY = 50;
/** An input that takes longer three times in a row, in all its ways with counters, would hold up everybody else. */
const SLOW_MS = 1_500;
const SAME_RULE = 3;
/** Longer inputs are kept only where they reach a block of their own, or all of them would soon be long. */
const ROOMY_BYTES = 4_000;

const { root, built, seed, memory } = /** @type {Task} */ (workerData);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const current = new CurrentInput(memory);
const code = await loadCode(built);
const coverage = new Coverage();
const chance = new Chance(seed);
const corpus = new Corpus(chance);
/** @type {Map<string, number>} */
const found = new Map();
let inputs = 0;
let slowestMs = 0;
let sampledAt = 0;

/** @param {Report} message */
const report = (message) => parentPort?.postMessage(message);

/** @param {Input} input */
function tried(input) {
  current.begin(input);
  const began = performance.now();
  const fault = faultOf(code, input);
  const took = performance.now() - began;
  slowestMs = Math.max(slowestMs, took);
  return fault ?? (took > SLOW_MS && isSlow(input) ? slow : null);
}

/** @type {Fault} */
const slow = { rule: 'takes too long', detail: `more than ${SLOW_MS} ms, three times` };

/** @param {Input} input */
function isSlow(input) {
  return [1, 2].every(() => {
    current.begin(input);
    const began = performance.now();
    faultOf(code, input);
    return performance.now() - began > SLOW_MS;
  });
}

/**
 * @param {Input} input
 * @param {Fault} fault
 * @param {(input: Input) => Fault | null} again
 */
function tell(input, fault, again) {
  const times = (found.get(fault.rule) ?? 0) + 1;
  found.set(fault.rule, times);
  if (times > SAME_RULE) return;
  const shorter = minimise(input, fault, again);
  report({ kind: 'finding', fault: again(shorter) ?? fault, input: toJson(shorter) });
  coverage.take();
}

/** @param {Input} input */
async function one(input) {
  inputs++;
  const fault = tried(input);
  const { blocks, features } = coverage.take();
  if (fault !== null) return tell(input, fault, tried);
  if (inputs % REPLAY_EVERY === 0) {
    const replayFault = await faultOfReplay(code, input);
    if (replayFault !== null) tell(input, replayFault, () => null);
    coverage.take();
  }
  if (blocks > 0 || (features > 0 && lengthOf(input) < ROOMY_BYTES)) corpus.add(input);
  const now = performance.now();
  if (now - sampledAt < SAMPLE_MS) return undefined;
  sampledAt = now;
  return report({ kind: 'sample', input: toJson(input) });
}

function heap() {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  report({ kind: 'heap', bytes: heapUsed + external - corpus.bytes - memory.byteLength, corpusBytes: corpus.bytes });
}

function progress() {
  const { reached, total, features } = coverage;
  report({ kind: 'progress', inputs, corpus: corpus.size, reached, total, features, slowestMs });
}

for (const input of await seeds(root)) {
  await one(input);
  if (corpus.size === 0) corpus.add(input);
}
let toldAt = performance.now();
let weighedAt = toldAt;
while (!current.stopped) {
  for (let i = 0; i < 50 && !current.stopped; i++) await one(mutate(corpus.pick(), chance, () => corpus.pick()));
  const now = performance.now();
  if (now - toldAt > PROGRESS_MS) {
    toldAt = now;
    progress();
  }
  if (now - weighedAt > HEAP_MS) {
    weighedAt = now;
    heap();
  }
}
progress();
heap();
report({ kind: 'end', summary: coverage.summary() });
