// @ts-check
// A process of its own that plays the platform: the simulator with its fleet and faults, a stream of further messages, and a
// journal of every message that it ever made.
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { peerSettings, serveQuestions } from '../../scripts/bench/peer-process.mjs';
import { asPublished } from './referee/published.mjs';
import { Workload } from './workload.mjs';

/** The fleet's part of all messages; the rest is the stream's. */
const FLEET_PART = 0.3;
const FLEET_DEVICES = 60;
const TICK_MS = 10;
/** After a pause of the process, as much is made up for. */
const OWED_SECONDS = 1;
/** A delivery that nobody answers comes again: often within a fault, rather than after it. */
const ACK_TIMEOUT_MS = 10_000;
const RETRY_MS = 500;

const { dist, seed, rate, journal: journalFile, folder } = peerSettings();
const load = (/** @type {string} */ file) => import(pathToFileURL(path.join(dist, 'simulator', file)).href);
const { startSimulator } = await load('simulator.js');
const { DEMO_ENTERPRISE } = await load('demo-accounts.js');
const { demoProducts } = await load('fleet/line-up.js');
const messages = await load('devices/messages.js');
const { Device } = await load('devices/device.js');
const { registrationOf } = await load('devices/identity.js');

const journal = createWriteStream(journalFile);
/** @type {string[]} */
let lines = [];
const flush = () => {
  if (lines.length === 0) return;
  journal.write(lines.join(''));
  lines = [];
};
setInterval(flush, 100).unref();

/** @param {Parameters<typeof asPublished>[0]} message */
function note(message) {
  const { body, ...rest } = asPublished(message);
  lines.push(`${JSON.stringify({ ...rest, body: body.toString('base64') })}\n`);
  if (lines.length >= 1_000) flush();
}

const { instanceId, accessKeyId, accessKeySecret } = DEMO_ENTERPRISE;
const simulator = await startSimulator({
  // One group alone: what others are owed would pile up.
  accounts: {
    apps: [],
    instances: [{ instanceId, consumerGroupIds: [], accessKeys: [{ accessKeyId, accessKeySecret }] }],
    freshnessWindowMs: null,
  },
  seed,
  tlsPort: 0,
  dataDir: folder,
  limits: false,
  ackTimeoutMs: ACK_TIMEOUT_MS,
  retryAfterMs: RETRY_MS,
  slowAfterMs: 2_000,
  logged: 0,
  onPublished: note,
  // Its own pace would be the world's; here both halves of the stream go at one.
  fleet: { seed, devices: FLEET_DEVICES, flavour: 'both', rate: 0 },
});
const group = simulator.enterprise('DEFAULT_GROUP');

const products = demoProducts('both').map((/** @type {{ product: unknown }} */ { product }) => product);
const workload = new Workload(seed, { messages, Device, registrationOf, products });
let owed = 0;
let fleetOwed = 0;
let last = performance.now();
const { fleet } = simulator.feed;
/** @type {NodeJS.Timeout | undefined} */
let ticking;

function tick() {
  const now = performance.now();
  const passed = Math.min(now - last, OWED_SECONDS * 1_000) / 1_000;
  last = now;
  owed += passed * rate * (1 - FLEET_PART);
  fleetOwed += passed * rate * FLEET_PART;
  for (; owed >= 1; owed--) for (const each of workload.next(simulator.clock.now())) simulator.publish(each);
  while (fleetOwed >= 1) {
    const said = fleet.next(simulator.clock.now());
    fleetOwed -= Math.max(1, said.length);
    for (const each of said) simulator.publish({ ...each, origin: { from: 'fleet' } });
  }
}

/** `{ allBut: [...] }` is every choice but these. @param {string} name @param {Record<string, any>} given */
function parametersOf(name, given) {
  const { parameters = [] } =
    simulator.faults.catalogue().find((/** @type {any} */ fault) => fault.name === name) ?? {};
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const { default: all } = parameters.find((/** @type {any} */ parameter) => parameter.name === key) ?? {};
      const but = value?.allBut;
      return [key, but === undefined ? value : all.filter((/** @type {string} */ choice) => !but.includes(choice))];
    }),
  );
}

/** How often each fault did something, over all its runs. */
function deeds() {
  /** @type {Record<string, number>} */
  const sums = {};
  for (const { fault, counts } of simulator.faults.list()) {
    const times = Object.values(counts ?? {}).reduce((sum, count) => sum + Number(count), 0);
    sums[fault] = (sums[fault] ?? 0) + times;
  }
  return sums;
}

async function endStream() {
  clearInterval(ticking);
  simulator.feed.stop();
  simulator.faults.close();
  flush();
  await new Promise((resolve) => journal.end(resolve));
}

serveQuestions((question) => {
  switch (question.do) {
    case 'where':
      return {
        port: simulator.plainPort,
        tlsPort: simulator.tlsPort,
        caFile: simulator.caFile,
        instanceId,
        accessKeyId,
        accessKeySecret,
      };
    case 'begin':
      last = performance.now();
      ticking = setInterval(tick, TICK_MS);
      return null;
    case 'fault': {
      const { name, parameters, seed: own } = question;
      return simulator.faults.start(name, parametersOf(name, parameters), { seed: own }).id;
    }
    case 'end-fault':
      return simulator.faults.stop(question.id);
    case 'end-stream':
      return endStream();
    case 'stats':
      return { ...group.counts, clients: group.clientCount, deeds: deeds() };
    case 'wake':
      return group.wake();
    default:
      throw new Error(`asked for ${question.do}`);
  }
});
