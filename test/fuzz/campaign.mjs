// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadCode } from './code.mjs';
import { CurrentInput } from './current-input.mjs';
import { DatabaseCheck } from './database-check.mjs';
import { Findings } from './findings.mjs';
import { toJson } from './input.mjs';
import { instrument } from './instrument.mjs';
import { memoryTrend } from './memory-trend.mjs';
import { count, duration, report, unreachedPlaces } from './report.mjs';

/**
 * @typedef {import('./fuzz-worker.mjs').Report} Report
 * @typedef {import('./report.mjs').Result} Result
 */

const MIB = 1024 * 1024;
const LOOK_MS = 500;
/** An input that takes as long hangs, even on a machine that is busy with other things. */
const HANG_MS = 20_000;
const PROGRESS_MS = 10_000;
const HEAP_LIMIT_MB = 1_024;
const MOST_FINDINGS = 25;

/**
 * Has one thread try inputs for as long as asked, and watches over it: a hang, a crash and growing memory are findings too.
 * @param {{ root: string, folder: string, options: import('./options.mjs').FuzzOptions, signal: AbortSignal }} setting
 * @returns {Promise<number>} exit code
 */
export async function runCampaign({ root, folder, options, signal }) {
  const dist = path.join(root, 'dist');
  const built = path.join(folder, 'built');
  mkdirSync(folder, { recursive: true });
  instrument(dist, built);
  const findings = new Findings(path.join(folder, 'findings'));
  /** @type {DatabaseCheck | null} */
  let database = null;
  if (options.database) {
    const onFault = findings.add.bind(findings);
    database = new DatabaseCheck({ root, folder, code: await loadCode(dist), onFault });
    await database.start();
  }
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1_000;
  let progress = { inputs: 0, corpus: 0, reached: 0, total: 0, features: 0, slowestMs: 0 };
  let newBlockAt = 0;
  /** @type {{ seconds: number, bytes: number }[]} */
  const weights = [];
  /** @type {import('./coverage.mjs').Coverage['summary'] extends () => infer S ? S : never} */
  let summary = { files: {}, unreached: [] };

  /** @param {Report} message */
  const hear = (message) => {
    switch (message.kind) {
      case 'finding':
        return findings.add(message.input, message.fault);
      case 'sample':
        return database?.offer(message.input);
      case 'progress':
        if (message.reached > progress.reached) newBlockAt = elapsed();
        progress = message;
        return undefined;
      case 'heap':
        return void weights.push({ seconds: elapsed(), bytes: message.bytes });
      default:
        summary = message.summary;
        return undefined;
    }
  };

  const line = () => {
    const { inputs, corpus, reached, total } = progress;
    const heapMib = ((weights.at(-1)?.bytes ?? 0) / MIB).toFixed(1);
    console.log(
      `${duration(elapsed())}  ${count(inputs / elapsed())}/s  ${count(inputs)} inputs  corpus ${count(corpus)}  ` +
        `blocks ${reached}/${total}, none new for ${duration(elapsed() - newBlockAt)}  heap ${heapMib} MiB  ` +
        `database ${count(database?.written ?? 0)}  findings ${findings.all.length}`,
    );
  };
  const isOver = () => {
    const seconds = elapsed();
    if (signal.aborted || findings.all.length >= MOST_FINDINGS || seconds >= 2 * options.seconds) return true;
    return seconds >= options.seconds && seconds - newBlockAt >= options.quietSeconds;
  };

  const ticker = setInterval(line, PROGRESS_MS);
  try {
    for (let restart = 0; !isOver(); restart++) {
      const ending = await oneThread({ root, built, seed: options.seed + restart * 1_000_003, hear, isOver });
      if (ending === null) break;
      findings.add(ending.input, ending.fault);
    }
  } finally {
    clearInterval(ticker);
    await database?.stop();
  }
  line();

  const trend = memoryTrend(weights);
  const seconds = elapsed();
  /** @type {Result} */
  const result = {
    seed: options.seed,
    seconds,
    ...progress,
    perSecond: progress.inputs / seconds,
    quietSeconds: seconds - newBlockAt,
    writtenToDatabase: database?.written ?? 0,
    heap: { firstMib: (weights[0]?.bytes ?? 0) / MIB, lastMib: (weights.at(-1)?.bytes ?? 0) / MIB, ...trend },
    findings: findings.all,
    files: summary.files,
    unreached: unreachedPlaces(dist, summary.unreached),
  };
  writeFileSync(path.join(folder, 'report.json'), `${JSON.stringify(result, null, 2)}\n`);
  console.log(`\n${report(result)}\n\nAll of it: ${path.relative(process.cwd(), path.join(folder, 'report.json'))}`);
  return findings.all.length > 0 || trend.grows ? 1 : 0;
}

/**
 * Runs a thread until the time is over, or until it hangs or dies.
 * @param {{ root: string, built: string, seed: number, hear: (message: Report) => void, isOver: () => boolean }} setting
 * @returns {Promise<{ input: Record<string, unknown>, fault: import('./checks.mjs').Fault } | null>} null when the time is over
 */
function oneThread({ root, built, seed, hear, isOver }) {
  const current = new CurrentInput();
  const worker = new Worker(new URL('./fuzz-worker.mjs', import.meta.url), {
    workerData: { root, built, seed, memory: current.memory },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB },
  });
  let failure = 'it ended';
  /** @type {import('./checks.mjs').Fault | null} */
  let hang = null;
  let [sequence, since] = [-1, performance.now()];
  const watch = setInterval(() => {
    if (isOver()) current.stop();
    if (current.sequence !== sequence) [sequence, since] = [current.sequence, performance.now()];
    else if (performance.now() - since > HANG_MS) {
      hang = { rule: 'hangs', detail: `no answer within ${HANG_MS / 1_000} s` };
      void worker.terminate();
    }
  }, LOOK_MS);
  worker.on('message', hear);
  worker.on('error', (error) => (failure = error.stack ?? error.message));
  return new Promise((resolve) => {
    worker.on('exit', (code) => {
      clearInterval(watch);
      if (hang === null && code === 0) return resolve(null);
      const input = current.read();
      const fault = hang ?? { rule: 'ends the thread', detail: failure };
      return resolve({ input: input === null ? {} : toJson(input), fault });
    });
  });
}
