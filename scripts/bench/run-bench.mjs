// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { query } from '../postgres/connection.mjs';
import { working } from '../setup/progress.mjs';
import { measureClosedMonth } from './closed-month.mjs';
import { generateNaiveClient, sizeOf, startDatabases } from './databases.mjs';
import { startPeerProcess } from './peer-process.mjs';
import { cpuSeconds, peakMemory } from './process-usage.mjs';
import { startService } from './service-peer.mjs';
import { DEVICES, PROPERTIES } from './workload.mjs';

/** @typedef {import('./percentiles.mjs').Latency} Latency */

/** A consumer under test. @typedef {object} Peer
 * @property {number} pid
 * @property {() => Promise<unknown>} reset
 * @property {() => Promise<{ latency: Latency | null, seenMs?: number, transactionMs?: number, batches?: number }>} stats
 * @property {Promise<never>} [died] rejects when it ends by itself
 * @property {() => Promise<void>} stop
 */

/** What one peer did with a flood of messages. @typedef {object} Flood
 * @property {number} messages
 * @property {number} seconds
 * @property {number} messagesPerSecond
 * @property {number} readingsPerSecond
 * @property {Latency | null} receiveToCommit
 * @property {Latency | null} sentToAccepted
 * @property {number | null} serviceCpuPerThousand seconds
 * @property {number | null} databaseCpuPerThousand seconds
 * @property {number | null} sourceCpuPerThousand seconds; the platform's side, outside what is measured
 * @property {number} walBytesPerMessage
 * @property {number} [seenShare] of the time of a transaction that went into noting seen keys
 * @property {number} [batchMessages] messages in a batch, on average
 */

/** One peer's results. @typedef {object} PeerResult
 * @property {Flood} flood
 * @property {{ perSecond: number, achieved: number, receiveToCommit: Latency | null, sentToAccepted: Latency | null } | null} steady
 * @property {number | null} peakMemoryBytes
 * @property {{ rows: number, bytesPerRow: number, heap: number, index: number }} readings as inserted
 * @property {{ rows: number, bytesPerRow: number, heap: number, index: number }} [seen]
 */

const CREDIT = 500;
const STEADY_PER_SECOND = 1_000;
const WARM_UP = 2_000;
/** The Prisma shape is so much slower that it gets a thirtieth of the messages, and takes as long. */
const PRISMA_SHARE = 30;

/**
 * Runs the benchmark.
 * @param {{ root: string, dataDirectory: string, options: import('./options.mjs').BenchOptions, signal: AbortSignal }} setting
 */
export async function runBench({ root, dataDirectory, options, signal }) {
  const dist = path.join(root, 'dist');
  const folder = path.join(dataDirectory, 'bench');
  mkdirSync(folder, { recursive: true });
  const { signIn } = await import(pathToFileURL(path.join(dist, 'transports', 'amqp', 'credentials.js')).href);
  const bench = path.join(root, 'scripts', 'bench');
  const schema = path.join(bench, 'naive', 'schema.prisma');
  /** @type {(() => Promise<void>)[]} */
  const stops = [];
  /** @param {() => Promise<void>} stop */
  const stopsLater = (stop) => void stops.unshift(stop);
  const started = new Date();
  const load = os.loadavg()[0] ?? 0;
  if (load > 0.7) {
    console.error(`Other programs are busy here (load ${load.toFixed(1)}): absolute figures will be too low.`);
  }
  try {
    const databases = await working('Starting PostgreSQL', () => startDatabases({ root, folder }));
    stopsLater(() => databases.stop());
    signal.throwIfAborted();
    /** @type {Record<string, PeerResult>} */
    const peers = {};
    const only = (/** @type {string} */ letter) => options.only.includes(letter);

    /**
     * A fresh source, and one peer on it from warm-up to its end.
     * @param {string} name
     * @param {number} messages
     * @param {string} url
     * @param {(source: { port: number, appKey: string, appSecret: string }, login: unknown) => Promise<Peer>} start
     * @param {{ table: string, warmUp?: number, steady?: boolean }} settings
     * @returns {Promise<PeerResult>}
     */
    const measure = async (name, messages, url, start, { table, warmUp = WARM_UP, steady = true }) => {
      const source = startPeerProcess(path.join(bench, 'source.mjs'), { dist });
      stopsLater(() => source.stop());
      const where = await source.ask({ do: 'where' });
      const login = signIn(
        { amqpAuthMode: 'appkey', amqpAppKey: where.appKey, amqpAppSecret: where.appSecret, amqpClientId: 'bench' },
        Date.now(),
        Date.now(),
      );
      const peer = await start(where, login);
      stopsLater(() => peer.stop());
      await source.ask({ do: 'clients', count: 1 });
      const end = Date.now() - 60_000;
      const warmedUp = source.ask({ do: 'flood', first: 0, count: warmUp, end: end - messages });
      // A peer that cannot write would be waited for for ever.
      await working(`${name}: warming up`, () => Promise.race(peer.died ? [warmedUp, peer.died] : [warmedUp]));
      signal.throwIfAborted();
      const flood = await working(`${name}: ${messages.toLocaleString('en')} messages as fast as it can`, () =>
        measureFlood({ source, peer, databases, first: warmUp, messages, end }),
      );
      signal.throwIfAborted();
      const readings = await sizeOf(url, table);
      /** @type {PeerResult['steady']} */
      let steadyResult = null;
      if (steady && flood.messagesPerSecond > STEADY_PER_SECOND * 1.05) {
        const seconds = options.steadySeconds;
        steadyResult = await working(`${name}: 1,000 messages a second for ${seconds} s`, async () => {
          await peer.reset();
          const sent = await source.ask({ do: 'steady', first: 0, perSecond: STEADY_PER_SECOND, seconds });
          const { latency } = await peer.stats();
          return {
            perSecond: STEADY_PER_SECOND,
            achieved: (STEADY_PER_SECOND * seconds) / sent.seconds,
            receiveToCommit: latency,
            sentToAccepted: sent.latency,
          };
        });
      }
      const peakMemoryBytes = peakMemory(peer.pid);
      await peer.stop();
      await source.stop();
      return { flood, steady: steadyResult, peakMemoryBytes, readings };
    };
    /** @param {string} url @param {boolean} seen @returns {Parameters<typeof measure>[3]} */
    const bare = (url, seen) => async (source, login) =>
      asPeer(
        startPeerProcess(path.join(bench, 'bare-peer.mjs'), {
          dist,
          url,
          port: source.port,
          signIn: login,
          credit: CREDIT,
          seen,
        }),
      );

    if (only('a')) {
      await working('(a) generating its Prisma client', () => generateNaiveClient(root, schema));
      const url = await databases.naive('bench_a', schema);
      const few = Math.max(400, Math.round(options.messages / PRISMA_SHARE));
      peers['a'] = await measure(
        '(a) Prisma upsert and insert',
        few,
        url,
        async (source, login) =>
          asPeer(
            startPeerProcess(path.join(bench, 'prisma-peer.mjs'), {
              client: path.join(folder, 'naive-client'),
              url,
              port: source.port,
              signIn: login,
            }),
          ),
        { table: 'Reading', warmUp: WARM_UP / 4 },
      );
    }
    if (only('b')) {
      const url = await databases.migrated('bench_b');
      const start = (/** @type {{ port: number, appKey: string, appSecret: string }} */ source) =>
        startService({ dist, folder, url, source, profile: options.profile, signal });
      peers['b'] = await measure('(b) this service', options.messages, url, start, { table: 'PropertyReading' });
      peers['b'].seen = await sizeOf(url, 'SeenMessage');
    }
    if (only('c')) {
      const url = await databases.migrated('bench_c');
      const settings = { table: 'PropertyReading' };
      peers['c'] = await measure('(c) bare script', options.messages, url, bare(url, false), settings);
    }
    if (only('s')) {
      const url = await databases.migrated('bench_s');
      await working(`(s) ${options.seenBefore.toLocaleString('en')} keys seen before`, () =>
        query(
          url,
          `INSERT INTO "SeenMessage" ("day", "key")
           SELECT (now() AT TIME ZONE 'UTC')::date, gen_random_uuid() FROM generate_series(1, ${options.seenBefore})`,
        ),
      );
      const name = '(s) bare script that notes seen keys';
      const settings = { table: 'PropertyReading', steady: false };
      peers['s'] = await measure(name, options.messages, url, bare(url, true), settings);
      peers['s'].seen = await sizeOf(url, 'SeenMessage');
    }
    let month = null;
    if (only('m')) {
      const url = await databases.migrated('bench_m');
      const count = options.closedReadings.toLocaleString('en');
      month = await working(`(m) a month of ${count} readings, then closed`, () =>
        measureClosedMonth({ dist, url, readings: options.closedReadings }),
      );
    }
    const result = {
      at: started.toISOString(),
      quick: options.quick,
      machine: {
        processors: os.cpus().length,
        model: os.cpus()[0]?.model ?? '',
        memoryBytes: os.totalmem(),
        node: process.version,
        postgres: databases.version,
        postgresSettings: await databases.settings(),
        loadBefore: load,
      },
      workload: { devices: DEVICES, propertiesPerMessage: PROPERTIES, credit: CREDIT },
      peers,
      month,
      ratios: {
        serviceToPrisma: ratio(peers['b'], peers['a']),
        serviceToBare: ratio(peers['b'], peers['c']),
        seenToBare: ratio(peers['s'], peers['c']),
      },
    };
    writeFileSync(path.join(dataDirectory, 'bench.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    for (const stop of stops) await stop();
  }
}

/**
 * @param {object} options
 * @param {import('./peer-process.mjs').PeerProcess} options.source
 * @param {Peer} options.peer
 * @param {Awaited<ReturnType<typeof startDatabases>>} options.databases
 * @param {number} options.first
 * @param {number} options.messages
 * @param {number} options.end
 * @returns {Promise<Flood>}
 */
async function measureFlood({ source, peer, databases, first, messages, end }) {
  await peer.reset();
  const walBefore = await databases.walBytes();
  const cpu = () => [peer.pid, databases.pid, source.pid].map(cpuSeconds);
  const before = cpu();
  const { seconds, latency } = await source.ask({ do: 'flood', first, count: messages, end });
  const spent = cpu().map((now, index) => {
    const then = before[index];
    return now === null || then === null || then === undefined ? null : ((now - then) * 1_000) / messages;
  });
  const [service = null, database = null, platform = null] = spent;
  const stats = await peer.stats();
  return {
    messages,
    seconds,
    messagesPerSecond: messages / seconds,
    readingsPerSecond: (messages * PROPERTIES) / seconds,
    receiveToCommit: stats.latency,
    sentToAccepted: latency,
    serviceCpuPerThousand: service,
    databaseCpuPerThousand: database,
    sourceCpuPerThousand: platform,
    walBytesPerMessage: ((await databases.walBytes()) - walBefore) / messages,
    ...(stats.transactionMs ? { seenShare: (stats.seenMs ?? 0) / stats.transactionMs } : {}),
    ...(stats.batches ? { batchMessages: messages / stats.batches } : {}),
  };
}

/**
 * @param {import('./peer-process.mjs').PeerProcess} process
 * @returns {Peer}
 */
function asPeer(process) {
  return {
    pid: process.pid,
    died: process.died,
    reset: () => process.ask({ do: 'reset' }),
    stats: () => process.ask({ do: 'stats' }),
    stop: () => process.stop(),
  };
}

/**
 * @param {PeerResult | undefined} one
 * @param {PeerResult | undefined} other
 */
function ratio(one, other) {
  return one && other ? one.flood.messagesPerSecond / other.flood.messagesPerSecond : null;
}
