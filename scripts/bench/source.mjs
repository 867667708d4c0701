// @ts-check
// A process of its own that plays the platform: it has messages ready, sends as fast as the consumer grants credit or at a
// steady rate, and measures each message from being sent to being accepted.
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { peerSettings, serveQuestions } from './peer-process.mjs';
import { Durations } from './percentiles.mjs';
import { benchMessage, pastTime } from './workload.mjs';

const { dist } = peerSettings();
const load = (/** @type {string} */ file) => import(pathToFileURL(path.join(dist, file)).href);
const { startSimulator } = await load('simulator/simulator.js');
const { DEMO_LIVING } = await load('simulator/demo-accounts.js');

/** Messages waiting to be sent are kept between these, so that credit alone holds them up. */
const ENOUGH_QUEUED = 4_000;
const PORTION = 2_000;
const STEADY_TICK_MS = 5;

const simulator = await startSimulator({
  accounts: { apps: [DEMO_LIVING], instances: [], freshnessWindowMs: null },
  limits: false,
  logged: 0,
  // A slow consumer is measured, not punished with deliveries repeated.
  ackTimeoutMs: 3_600_000,
  slowAfterMs: 3_600_000,
});
const group = simulator.living;
const latency = new Durations();
/** @type {Map<unknown, number>} */
const sentAt = new Map();
let sent = 0;
let accepted = 0;
let published = 0;
/** @type {() => void} */
let onSent = () => {};
/** @type {() => void} */
let onAccepted = () => {};

const join = group.join.bind(group);
group.join = (/** @type {any} */ client) => {
  const send = client.send.bind(client);
  client.send = (/** @type {unknown} */ queued) => {
    sentAt.set(queued, performance.now());
    sent++;
    send(queued);
    onSent();
  };
  join(client);
};
const answered = group.answered.bind(group);
group.answered = (/** @type {unknown} */ queued, /** @type {string} */ answer) => {
  const from = sentAt.get(queued);
  sentAt.delete(queued);
  if (answer === 'accepted' && from !== undefined) latency.add(performance.now() - from);
  answered(queued, answer);
  if (answer !== 'accepted') return;
  accepted++;
  onAccepted();
};

/** @param {{ topic: string, body: string, generateTime: number }} message */
function publish(message) {
  published++;
  simulator.publish(message);
}

/** @param {number} target */
function untilAccepted(target) {
  return new Promise((resolve) => {
    onAccepted = () => accepted >= target && resolve(undefined);
    onAccepted();
  });
}

/** @param {{ first: number, count: number, end: number }} wanted */
async function flood({ first, count, end }) {
  const messages = Array.from({ length: count }, (_, index) =>
    benchMessage(first + index, pastTime(index, count, end)),
  );
  latency.clear();
  let next = 0;
  const feed = () => {
    if (published - sent >= ENOUGH_QUEUED) return;
    for (const stop = Math.min(count, next + PORTION); next < stop; next++) {
      const message = messages[next];
      if (message) publish(message);
    }
  };
  const started = performance.now();
  const finished = untilAccepted(accepted + count);
  onSent = () => next < count && feed();
  feed();
  feed();
  await finished;
  onSent = () => {};
  return { seconds: (performance.now() - started) / 1_000, latency: latency.summary() };
}

/** @param {{ first: number, perSecond: number, seconds: number }} wanted */
async function steady({ first, perSecond, seconds }) {
  latency.clear();
  const count = perSecond * seconds;
  const finished = untilAccepted(accepted + count);
  const started = performance.now();
  const startedAt = Date.now();
  let next = 0;
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - started) / 1_000) * perSecond));
      for (; next < due; next++)
        publish(benchMessage(first + next, startedAt + Math.floor((next * 1_000) / perSecond)));
      if (next < count) return;
      clearInterval(timer);
      resolve(undefined);
    }, STEADY_TICK_MS);
  });
  await finished;
  return { seconds: (performance.now() - started) / 1_000, latency: latency.summary() };
}

/** @param {number} clients */
function untilClients(clients) {
  return new Promise((resolve) => {
    const look = () => (group.clientCount === clients ? resolve(undefined) : setTimeout(look, 20));
    look();
  });
}

serveQuestions((question) => {
  switch (question.do) {
    case 'where':
      return { port: simulator.plainPort, appKey: DEMO_LIVING.appKey, appSecret: DEMO_LIVING.appSecret };
    case 'clients':
      return untilClients(question.count);
    case 'flood':
      return flood(question);
    case 'steady':
      return steady(question);
    default:
      throw new Error(`asked for ${question.do}`);
  }
});
