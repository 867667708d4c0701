// @ts-check
import { readFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startDatabases } from '../bench/databases.mjs';
import { startPeerProcess } from '../bench/peer-process.mjs';
import { startService } from '../bench/service-peer.mjs';
import { say, working } from '../setup/progress.mjs';
import { linePlot } from './line-plot.mjs';

/** What was seen of the service at one moment. @typedef {{ minute: number, residentMiB: number, heapMiB: number, lagP99Ms: number, inHand: number, stored: number }} Sample */

const SAMPLE_EVERY_MS = 5_000;
const SAY_EVERY = 12;
const MIB = 1024 * 1024;
/** What a process does in its first minutes (caches, compiled code, the heap's first growth) is no leak. */
const WARM_UP_SHARE = 1 / 3;
/** Growth behind the warm-up, extrapolated to a day, from which on memory does not count as flat. */
const MOST_MIB_A_DAY = 200;

/**
 * @param {{ root: string, dataDirectory: string, options: import('./options.mjs').SoakOptions, signal: AbortSignal }} setting
 * @returns {Promise<number>} the exit code
 */
export async function runSoak({ root, dataDirectory, options, signal }) {
  const { minutes, perSecond } = options;
  const dist = path.join(root, 'dist');
  const folder = path.join(dataDirectory, 'soak');
  mkdirSync(folder, { recursive: true });
  /** @type {(() => Promise<void>)[]} */
  const stops = [];
  try {
    const databases = await working('Starting PostgreSQL', () => startDatabases({ root, folder }));
    stops.unshift(() => databases.stop());
    const source = startPeerProcess(path.join(root, 'scripts', 'bench', 'source.mjs'), { dist });
    stops.unshift(() => source.stop());
    const where = await source.ask({ do: 'where' });
    const url = await databases.migrated('soak');
    const service = await startService({ dist, folder, url, source: where, profile: undefined, signal });
    stops.unshift(() => service.stop());
    await source.ask({ do: 'clients', count: 1 });

    /** @type {Sample[]} */
    const samples = [];
    const began = performance.now();
    const sample = async () => {
      const seen = await look(service, (performance.now() - began) / 60_000);
      samples.push(seen);
      if (samples.length % SAY_EVERY !== 0) return;
      say(
        `${seen.minute.toFixed(1)} of ${minutes} min: ${seen.stored.toLocaleString('en')} stored, ${Math.round(seen.residentMiB)} MiB resident, ${Math.round(seen.heapMiB)} MiB of heap used`,
      );
    };
    const timer = setInterval(() => void sample().catch(() => undefined), SAMPLE_EVERY_MS);
    let sent;
    try {
      sent = await Promise.race([
        source.ask({ do: 'steady', first: 0, perSecond, seconds: minutes * 60 }),
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ]);
    } finally {
      clearInterval(timer);
    }
    const result = judge(samples, { minutes, perSecond, seconds: sent.seconds, latency: sent.latency });
    writeFileSync(path.join(dataDirectory, 'soak.json'), `${JSON.stringify({ ...result, samples }, null, 2)}\n`);
    const png = linePlot({
      title: `${perSecond.toLocaleString('en')} messages/s for ${minutes} minutes: memory of the service`,
      xName: 'minutes',
      yName: 'MiB',
      lines: [
        { name: 'resident', colour: '#1f5fa8', points: samples.map((each) => [each.minute, each.residentMiB]) },
        { name: 'heap in use', colour: '#d2691e', points: samples.map((each) => [each.minute, each.heapMiB]) },
      ],
    });
    for (const file of [path.join(dataDirectory, 'soak.png'), ...(options.plot ? [options.plot] : [])]) {
      writeFileSync(file, png);
    }
    console.log(report(result));
    return result.flat ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return 130;
    throw error;
  } finally {
    for (const stop of stops) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {Awaited<ReturnType<typeof startService>>} service
 * @param {number} minute
 * @returns {Promise<Sample>}
 */
async function look(service, minute) {
  const metrics = await service.metrics();
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8');
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  const value = (/** @type {string} */ name) =>
    Number(
      metrics
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')
        .at(-1) ?? 0,
    );
  return {
    minute,
    residentMiB: Number(kilobytes) / 1024,
    heapMiB: value('nodejs_heap_size_used_bytes') / MIB,
    lagP99Ms: value('nodejs_eventloop_lag_p99_seconds') * 1000,
    inHand: value('living_mirror_in_hand_messages'),
    stored: value('living_mirror_messages_total{transport="amqp",outcome="stored"}'),
  };
}

/**
 * @param {readonly Sample[]} samples
 * @param {{ minutes: number, perSecond: number, seconds: number, latency: unknown }} run
 */
function judge(samples, run) {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const growth = slope(settled.map(({ minute, residentMiB }) => [minute, residentMiB])) * 60 * 24;
  const resident = settled.map(({ residentMiB }) => residentMiB).sort((a, b) => a - b);
  return {
    ...run,
    machine: { processors: os.cpus().length, model: os.cpus()[0]?.model ?? '', node: process.version },
    stored: samples.at(-1)?.stored ?? 0,
    residentMiB: { min: resident[0], median: resident[resident.length >> 1], max: resident.at(-1) },
    growthMiBPerDay: growth,
    lagP99Ms: Math.max(...settled.map(({ lagP99Ms }) => lagP99Ms)),
    flat: growth < MOST_MIB_A_DAY,
  };
}

/** Of the straight line nearest to all points. @param {readonly (readonly number[])[]} points */
function slope(points) {
  const mean = (/** @type {number} */ of) => points.reduce((sum, point) => sum + (point[of] ?? 0), 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let over = 0;
  let under = 0;
  for (const [x = 0, y = 0] of points) {
    over += (x - meanX) * (y - meanY);
    under += (x - meanX) ** 2;
  }
  return under === 0 ? 0 : over / under;
}

/** @param {ReturnType<typeof judge>} result */
function report({ perSecond, seconds, stored, residentMiB, growthMiBPerDay, lagP99Ms, flat }) {
  const mib = (/** @type {number | undefined} */ value) => `${Math.round(value ?? 0)} MiB`;
  return [
    '',
    `${stored.toLocaleString('en')} messages in ${Math.round(seconds)} s (${Math.round(stored / seconds)}/s of ${perSecond}/s)`,
    `resident, behind the first third: ${mib(residentMiB.min)} to ${mib(residentMiB.max)}, median ${mib(residentMiB.median)}`,
    `growth: ${growthMiBPerDay.toFixed(0)} MiB a day; event loop lag, p99: ${lagP99Ms.toFixed(0)} ms`,
    flat ? 'Memory stays flat.' : 'Memory grows.',
    'All of it: data/soak.json and data/soak.png',
  ].join('\n');
}
