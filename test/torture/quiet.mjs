// @ts-check
import { spooledOf } from './ledger.mjs';
import { pause } from './waiting.mjs';

const LOOK_EVERY_MS = 300;

/** Everything whole again: what is down is started, what is stopped goes on, the networks are as they should be. @param {import('./scene.mjs').Scene} scene */
export async function mend(scene) {
  scene.disk?.empty();
  scene.spoolDisk?.empty();
  await scene.database.ensure();
  for (const replica of scene.replicas) {
    replica.signal('SIGCONT');
    replica.setClock(0);
    for (const proxy of [replica.amqp, replica.postgres]) {
      proxy.refuse(false);
      proxy.setWeather({});
      proxy.clear('reset');
    }
    await replica.start();
  }
}

/**
 * Waits until nothing is on its way any more, as long as it becomes less.
 * @param {import('./scene.mjs').Scene} scene
 * @param {number} patienceMs how long nothing may come of waiting
 * @param {AbortSignal} signal
 * @returns {Promise<{ seconds: number, restless: string[] }>} `restless`: what was not quiet in the end, in words
 */
export async function untilQuiet(scene, patienceMs, signal) {
  const started = performance.now();
  let least = Infinity;
  let nearerAt = started;
  for (;;) {
    await scene.database.ensure();
    const { restless, left } = await whatIsNotQuiet(scene);
    const now = performance.now();
    if (left < least) [least, nearerAt] = [left, now];
    if (restless.length === 0 || now - nearerAt > patienceMs) return { seconds: (now - started) / 1_000, restless };
    await pause(LOOK_EVERY_MS, signal);
  }
}

/**
 * @param {import('./scene.mjs').Scene} scene
 * @returns {Promise<{ restless: string[], left: number }>} `left`: messages that are on their way, wherever that is
 */
async function whatIsNotQuiet({ platform, replicas }) {
  const restless = [];
  const { queued, unsettled, dropped } = await platform.ask({ do: 'stats' });
  if (queued > 0) restless.push(`${queued} messages wait at the platform`);
  if (unsettled > 0) restless.push(`${unsettled} deliveries are not answered`);
  if (dropped > 0) restless.push(`the platform gave ${dropped} messages up`);
  let left = queued + unsettled;
  for (const replica of replicas) {
    const answer = await replica.get('/v1/ingest');
    if (answer === undefined) {
      restless.push(`${replica.name} does not answer GET /v1/ingest`);
      continue;
    }
    if (answer.inHand > 0) restless.push(`${replica.name} has ${answer.inHand} messages in hand`);
    const spooled = spooledOf(answer);
    if (spooled > 0) restless.push(`${replica.name} has ${spooled} messages in its spool`);
    left += spooled;
  }
  return { restless, left };
}
