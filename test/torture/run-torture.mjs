// @ts-check
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { peakMemory } from '../../scripts/bench/process-usage.mjs';
import { getPage, until } from '../../scripts/start/wait.mjs';
import { working } from '../../scripts/setup/progress.mjs';
import { chooseFaults, findAbilities } from './abilities.mjs';
import { Breaker } from './breaker.mjs';
import { judge } from './judge.mjs';
import { makePlan, planText } from './plan.mjs';
import { Progress } from './progress.mjs';
import { mend, untilQuiet } from './quiet.mjs';
import { Scene } from './scene.mjs';

/** @typedef {import('./options.mjs').TortureOptions} TortureOptions */

/**
 * @typedef {object} TortureResult
 * @property {string} seed
 * @property {number} minutes
 * @property {number} replicas
 * @property {string} command that does it again
 * @property {string} folder
 * @property {'holds' | 'broken'} verdict
 * @property {Record<string, number> & { published: number, redelivered: number, readings: number, kills: number, starts: number, largestBacklog: number, quietSeconds: number, judgeSeconds: number, totalSeconds: number, peakReplicaBytes: number, peakPlatformBytes: number }} figures
 * @property {Record<string, { count: number, seconds: number }>} faults
 * @property {Record<string, number>} deeds what the simulator's faults did to messages
 * @property {readonly string[]} skipped
 * @property {readonly string[]} notes
 * @property {import('./judge.mjs').Judgement} judgement
 */

/**
 * The plan of a seed on this machine, as text.
 * @param {{ dataDirectory: string, options: TortureOptions }} given
 */
export function showPlan({ dataDirectory, options }) {
  const folder = path.join(dataDirectory, 'torture', options.seed);
  const { plan, skipped } = planFor(folder, options);
  return [planText(plan), ...skipped.map((line) => `left out: ${line}`)].join('\n');
}

/** @param {string} folder @param {TortureOptions} options */
function planFor(folder, options) {
  const abilities = findAbilities({ folder, spool: options.spool });
  const { faults, skipped } = chooseFaults(abilities, options);
  const { seed, replicas } = options;
  return { abilities, skipped, plan: makePlan({ seed, replicas, faults, seconds: options.minutes * 60 }) };
}

/**
 * Breaks everything for a while, lets it become quiet, and judges.
 * @param {{ root: string, dataDirectory: string, options: TortureOptions, signal: AbortSignal }} given
 * @returns {Promise<TortureResult>}
 */
export async function runTorture({ root, dataDirectory, options, signal }) {
  const began = performance.now();
  const { seed, minutes, replicas } = options;
  const folder = path.join(dataDirectory, 'torture', seed);
  mkdirSync(folder, { recursive: true });
  const { abilities, skipped, plan } = planFor(folder, options);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, 'platform'), { recursive: true });
  const scene = new Scene({ root, folder, torture: options, abilities });
  const breaker = new Breaker(scene, plan, seed);
  /** @type {Progress | undefined} */
  let progress;
  let broken = true;
  try {
    await working(`Starting PostgreSQL, the platform and ${replicas} replicas`, async () => {
      await scene.start();
      await Promise.all(scene.replicas.map((replica) => until(() => ready(replica), signal)));
    });
    progress = new Progress(scene, breaker, minutes * 60);
    await scene.platform.ask({ do: 'begin' });
    await breaker.run(minutes * 60, signal);

    progress.phase = 'becoming quiet';
    await scene.platform.ask({ do: 'end-stream' });
    await mend(scene);
    const { seconds: quietSeconds, restless } = await untilQuiet(scene, options.quietMinutes * 60_000, signal);

    progress.phase = 'judging';
    for (const replica of scene.everyReplica) replica.measure();
    const judging = performance.now();
    const judgement = await judge(scene);
    judgement.problems.unshift(...restless.map((what) => `not quiet after ${quietSeconds.toFixed(0)} s: ${what}`));
    const stats = await scene.platform.ask({ do: 'stats' });
    const readings = await scene.database.ask('SELECT count(*)::int AS count FROM "partitions"."EveryReading"', {
      timeoutMs: 60_000,
    });
    broken = judgement.problems.length > 0;
    /** @type {TortureResult} */
    const result = {
      seed,
      minutes,
      replicas,
      command: commandOf(options),
      folder,
      verdict: broken ? 'broken' : 'holds',
      figures: {
        published: stats.published,
        redelivered: stats.redelivered,
        readings: readings.rows[0].count,
        kills: breaker.tally.kills,
        starts: scene.everyReplica.reduce((sum, { starts }) => sum + starts, 0),
        largestBacklog: progress.largestBacklog,
        quietSeconds,
        judgeSeconds: (performance.now() - judging) / 1_000,
        totalSeconds: (performance.now() - began) / 1_000,
        peakReplicaBytes: Math.max(...scene.everyReplica.map(({ peakBytes }) => peakBytes)),
        peakPlatformBytes: peakMemory(scene.platform.pid) ?? 0,
      },
      faults: Object.fromEntries([...breaker.done].sort(([a], [b]) => a.localeCompare(b))),
      deeds: stats.deeds,
      skipped,
      notes: breaker.notes,
      judgement,
    };
    writeFileSync(`${folder}.json`, `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    progress?.stop();
    await end(scene, { folder, keep: options.keep || (broken && !signal.aborted) });
  }
}

/**
 * Ends what runs; keeps what tells why something is broken, or only the logs.
 * @param {Scene} scene
 * @param {{ folder: string, keep: boolean }} options
 */
async function end(scene, { folder, keep }) {
  const disk = path.join(folder, 'disk');
  await scene.end(() => {
    if (keep && scene.disk !== null) cpSync(disk, path.join(folder, 'postgres'), { recursive: true });
  });
  if (!keep)
    for (const name of ['disk', 'journal.jsonl', 'spools'])
      rmSync(path.join(folder, name), { recursive: true, force: true });
}

/** @param {import('./replica.mjs').Replica} replica */
async function ready(replica) {
  if (!replica.runs) throw new Error(`${replica.name} did not start: see ${replica.logFile}`);
  return (await getPage(`${replica.url}/health/ready`))?.status === 200 || undefined;
}

/** @param {TortureOptions} options */
function commandOf({ minutes, seed, replicas, rate, spool, only, without }) {
  const more = [
    ...(spool === 'every-second' ? [] : [`--spool ${spool}`]),
    ...(only.length === 0 ? [] : [`--only ${only.join(',')}`]),
    ...(without.length === 0 ? [] : [`--without ${without.join(',')}`]),
  ];
  return [
    'npm run torture --',
    `--minutes ${minutes} --seed ${seed} --replicas ${replicas} --rate ${rate}`,
    ...more,
  ].join(' ');
}
