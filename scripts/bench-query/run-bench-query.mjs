// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startDatabases } from '../bench/databases.mjs';
import { PlainError } from '../plain-error.mjs';
import { working } from '../setup/progress.mjs';
import { Asker } from './ask.mjs';
import { measureExport } from './export.mjs';
import { fleetOf } from './fleet.mjs';
import { packedTables } from './packed.mjs';
import { generate } from './generate.mjs';
import { questions } from './questions.mjs';
import { settle } from './settle.mjs';
import { startQueried } from './service.mjs';

/** @typedef {import('../bench/percentiles.mjs').Latency} Latency */

/** What one question took. @typedef {object} Answered
 * @property {string} name
 * @property {number | null} withinMs
 * @property {Latency | null} all on all the data
 * @property {Latency | null} busy the same while messages come in
 * @property {Latency | null} tenth on a tenth of the data
 */

const GROWTH = 10;
/** The first of the migrations that find the data there: they fill what questions are answered from. */
const MIGRATED_FROM = '20261128200000';
const BUSY_PER_SECOND = 1_000;

/**
 * Runs the benchmark.
 * @param {{ root: string, dataDirectory: string, options: import('./options.mjs').BenchQueryOptions, signal: AbortSignal }} setting
 */
export async function runBenchQuery({ root, dataDirectory, options, signal }) {
  const folder = path.join(dataDirectory, options.keep ? 'bench-query-kept' : 'bench-query');
  mkdirSync(folder, { recursive: true });
  const started = new Date();
  const load = os.loadavg()[0] ?? 0;
  if (load > 0.7)
    console.error(`Other programs are busy here (load ${load.toFixed(1)}): absolute figures will be too high.`);
  const databases = await working('Starting PostgreSQL', () => startDatabases({ root, folder, keep: options.keep }));
  /** @type {(() => Promise<void>)[]} */
  const stops = [() => databases.stop()];
  try {
    /** @type {Map<string, Answered>} */
    const answered = new Map();
    /** What else is told of all the data. */
    const further = {
      export: /** @type {Awaited<ReturnType<typeof measureExport>> | null} */ (null),
      packed: /** @type {Awaited<ReturnType<typeof packedTables>>} */ ([]),
      busyShare: 0,
    };

    /**
     * @param {string} name of the database
     * @param {number} part of the data: the whole, or one in ten
     * @param {(ask: (which: 'all' | 'busy' | 'tenth') => Promise<void>, service: Awaited<ReturnType<typeof startQueried>>, asker: Asker, url: string) => Promise<void>} then
     */
    const on = async (name, part, then) => {
      const devices = Math.round(options.devices / part);
      const readings = Math.round(options.readings / part);
      const kept = keptFleet(options.keep ? await databases.kept(name) : null, devices, readings);
      const fleet = fleetOf(devices, readings, kept?.end ?? started);
      const url =
        kept?.url ?? (await databases.migratedWithData(name, MIGRATED_FROM, (empty) => generate(empty, fleet, signal)));
      const service = await working('Starting the service', () => startQueried({ root, folder, url, signal }));
      stops.unshift(() => service.stop());
      const asker = new Asker(service.httpPort);
      await settle({ url, signal });
      if (options.keep) await databases.note(name, `${devices} ${readings} ${fleet.end.toISOString()}`);
      /** @param {'all' | 'busy' | 'tenth'} which */
      const ask = async (which) => {
        for (const question of chosen(questions(fleet), options.only)) {
          const { path: pathOf, perSecond, withinMs } = question;
          const latency = await working(`${which}: ${question.name}`, () =>
            perSecond === undefined
              ? asker.inTurn(pathOf, options.seconds, signal)
              : asker.atRate(pathOf, perSecond, options.seconds, signal),
          );
          const known = answered.get(question.name) ?? {
            name: question.name,
            withinMs,
            all: null,
            busy: null,
            tenth: null,
          };
          answered.set(question.name, { ...known, [which]: latency });
        }
      };
      await then(ask, service, asker, url);
      asker.close();
      stops.shift();
      await service.stop();
    };

    await on('bench_query', 1, async (ask, service, asker, url) => {
      await ask('all');
      further.packed = await packedTables(url);
      further.export = await measureExport({ asker, service, signal });
      if (options.busy) further.busyShare = await whileMessagesComeIn(service, () => ask('busy'));
    });
    if (options.growth) await on('bench_query_tenth', GROWTH, (ask) => ask('tenth'));

    const result = {
      at: started.toISOString(),
      machine: {
        processors: os.cpus().length,
        model: os.cpus()[0]?.model ?? '',
        memoryBytes: os.totalmem(),
        node: process.version,
        postgres: databases.version,
        postgresSettings: await databases.settings(),
        loadBefore: load,
      },
      data: { devices: options.devices, readings: options.readings },
      questions: [...answered.values()],
      ...further,
    };
    writeFileSync(path.join(dataDirectory, 'bench-query.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    for (const stop of stops) await stop();
  }
}

/**
 * What an earlier run left, if it is as large as wanted.
 * @param {{ url: string, note: string } | null} kept
 * @param {number} devices
 * @param {number} readings
 */
function keptFleet(kept, devices, readings) {
  const [keptDevices, keptReadings, end = ''] = kept?.note.split(' ') ?? [];
  if (!kept || Number(keptDevices) !== devices || Number(keptReadings) !== readings) return null;
  return { url: kept.url, end: new Date(end) };
}

/**
 * @param {readonly import('./questions.mjs').Question[]} all
 * @param {readonly string[]} names
 */
function chosen(all, names) {
  const unknown = names.filter((name) => !all.some((question) => question.name === name));
  if (unknown.length > 0) {
    throw new PlainError(
      `No question is called ${unknown.join(', ')}. There are: ${all.map(({ name }) => name).join(', ')}.`,
    );
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

/**
 * Does something while the platform sends its thousand messages a second.
 * @param {Awaited<ReturnType<typeof startQueried>>} service
 * @param {() => Promise<void>} work
 * @returns {Promise<number>} how much of that rate was reached
 */
async function whileMessagesComeIn(service, work) {
  let going = true;
  let sent = 0;
  let seconds = 0;
  const sending = (async () => {
    for (let first = 0; going; first += BUSY_PER_SECOND * 5) {
      const { seconds: took } = await service.source.ask({
        do: 'steady',
        first,
        perSecond: BUSY_PER_SECOND,
        seconds: 5,
      });
      sent += BUSY_PER_SECOND * 5;
      seconds += took;
    }
  })();
  await work();
  going = false;
  await sending;
  return sent / seconds / BUSY_PER_SECOND;
}
