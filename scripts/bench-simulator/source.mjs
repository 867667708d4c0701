// @ts-check
// The simulator in a process of its own, limits off, kept supplied with messages until the consumer has taken them all.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { benchMessage } from '../bench/workload.mjs';
import { peerSettings, serveQuestions } from '../bench/peer-process.mjs';

const { dist, queues, dataDir } = peerSettings();
const load = (/** @type {string} */ file) => import(pathToFileURL(path.join(dist, file)).href);
const { startSimulator } = await load('simulator/simulator.js');
const { DEMO_LIVING } = await load('simulator/demo-accounts.js');

/** Messages kept waiting, so that the consumer's credit alone holds them up. */
const ENOUGH_QUEUED = 2_000;

const simulator = await startSimulator({
  accounts: { apps: [DEMO_LIVING], instances: [], freshnessWindowMs: null },
  limits: false,
  logged: 0,
  queues,
  dataDir,
  // A slow consumer is measured, not punished.
  ackTimeoutMs: 3_600_000,
  slowAfterMs: 3_600_000,
});
const { living } = simulator;

/** @param {number} count */
async function flood(count) {
  const messages = Array.from({ length: 1_000 }, (_, index) => benchMessage(index, Date.now()));
  let next = 0;
  const cpu = process.cpuUsage();
  const started = performance.now();
  const before = simulator.accepted;
  while (simulator.accepted - before < count) {
    for (let room = ENOUGH_QUEUED - (simulator.published - simulator.sent); next < count && room > 0; room--) {
      const message = messages[next++ % messages.length];
      if (message) simulator.publish(message);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

serveQuestions(async (question) => {
  switch (question.do) {
    case 'where':
      return { port: simulator.plainPort, appKey: DEMO_LIVING.appKey, appSecret: DEMO_LIVING.appSecret };
    case 'clients':
      while (living.clientCount !== question.count) await new Promise((resolve) => setTimeout(resolve, 10));
      return null;
    case 'flood':
      return flood(question.count);
    default:
      throw new Error(`asked for ${question.do}`);
  }
});
