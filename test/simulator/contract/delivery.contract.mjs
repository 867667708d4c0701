// @ts-check
// What becomes of a message that is not accepted, and how bodies travel, met by Qpid Proton.
import { createHash, createHmac } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../../scripts/checkout.mjs';
import { check, checkEqual, heading, sum } from '../../interop/checks.mjs';
import { until } from '../../interop/processes.mjs';
import { ProtonClient } from './proton.mjs';

/** @typedef {import('../../../src/simulator/simulator.js').Simulator} Simulator */
/** @typedef {import('../../../src/simulator/simulator-options.js').SimulatorOptions} SimulatorOptions */
/** @type {typeof import('../../../src/simulator/simulator.js')} */
const { startSimulator } = await import(pathToFileURL(path.join(root, 'dist', 'simulator', 'simulator.js')).href);

const SIGNED_AT = '1700000000000';
const GROUP = 'demoGroup000100';
/** @param {string} clientId @param {string} extra */
function login(clientId, extra = '') {
  const signed = `authId=demoAccessKeyId01&timestamp=${SIGNED_AT}`;
  const params = `authMode=aksign,signMethod=hmacsha1,timestamp=${SIGNED_AT},authId=demoAccessKeyId01`;
  return {
    username: `${clientId}|${params},iotInstanceId=iot-demo0001,consumerGroupId=${GROUP}${extra}|`,
    password: createHmac('sha1', 'demoAccessKeySecret-9c1d').update(signed).digest('base64'),
  };
}

/** @param {SimulatorOptions} options @param {(simulator: Simulator) => Promise<void>} run */
async function withSimulator(options, run) {
  const simulator = await startSimulator(options);
  try {
    await run(simulator);
  } finally {
    await simulator.stop();
  }
}
/** @param {Simulator} simulator @param {Record<string, unknown>} options */
const proton = ({ host, plainPort }, options = {}) =>
  new ProtonClient({ url: `amqp://${host}:${plainPort}`, idle: 60, ...login('proton-1'), ...options });
/** @param {Simulator} simulator @param {string} id */
const fate = (simulator, id) => simulator.fate(id, simulator.enterprise(GROUP).id);
/** @param {Simulator} simulator @param {string} id */
const accepted = (simulator, id) =>
  until(`${id} is accepted`, async () => fate(simulator, id)?.outcome === 'accepted', 20_000);

heading('What is not accepted comes again, under the same message id');
for (const [word, answer] of /** @type {const} */ ([
  ['release', 'released'],
  ['reject', 'rejected'],
  ['modify', 'modified'],
])) {
  await withSimulator({}, async (simulator) => {
    const id = simulator.publish({ topic: '/pk/dn/user/x', body: 'once more' });
    const client = proton(simulator, { answer: [word, word, 'accept'] });
    const messages = await client.messages(3);
    await accepted(simulator, id);
    checkEqual(
      `${answer}: same id in the properties and as message-id, same body`,
      messages.map((each) => [each['id'], each['messageId'], each['body']]),
      Array.from({ length: 3 }, () => [id, id, 'once more']),
    );
    checkEqual(`${answer}: what the platform knows of it`, fate(simulator, id), {
      outcome: 'accepted',
      deliveries: 3,
      answers: [answer, answer, 'accepted'],
    });
    await client.close();
  });
}
await withSimulator({ ackTimeoutMs: 100 }, async (simulator) => {
  const id = simulator.publish({ topic: '/pk/dn/user/x', body: 'x' });
  const client = proton(simulator, { answer: ['nothing', 'accept'] });
  await client.messages(2);
  await accepted(simulator, id);
  checkEqual('no answer in time', fate(simulator, id)?.answers, ['timed-out', 'accepted']);
  check('the link stays open', !client.happened.some(({ event }) => event === 'link-close'));
  await client.close();
});
await withSimulator({}, async (simulator) => {
  const ids = [1, 2, 3].map((n) => simulator.publish({ topic: '/pk/dn/user/x', body: String(n) }));
  const first = proton(simulator, { answer: 'nothing' });
  await first.messages(3);
  await first.kill();
  const second = proton(simulator, login('proton-2'));
  const messages = await second.messages(3);
  checkEqual('a killed client: another gets all three', messages.map(({ id }) => id).sort(), ids);
  for (const id of ids) await accepted(simulator, id);
  checkEqual('why they came again', fate(simulator, ids[0] ?? '')?.answers, ['lost', 'accepted']);
  await second.close();
});

heading('Credit');
await withSimulator({}, async (simulator) => {
  for (let n = 0; n < 50; n++) simulator.publish({ topic: '/pk/dn/user/x', body: String(n) });
  const client = proton(simulator, { credit: 7, answer: 'nothing' });
  await client.messages(7);
  client.tell('credit 3');
  await client.messages(10);
  // A further one would be on its way before the answer to this sign-in of somebody else.
  const other = proton(simulator, login('proton-2'));
  await other.until('link-open');
  checkEqual('7 and 3 are 10', client.happened.filter(({ event }) => event === 'message').length, 10);
  await other.close();
  await client.close();
});

heading('Bodies');
await withSimulator({}, async (simulator) => {
  const sha256 = (/** @type {Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('hex');
  const bodies = [0, 1, 255, 256, 65_536, 256 * 1_024].map((length) => Buffer.alloc(length, 'simulator'));
  const client = proton(simulator, { credit: 100 });
  await client.until('link-open');
  for (const body of bodies) simulator.publish({ topic: '/pk/dn/user/raw', body });
  const messages = await client.messages(bodies.length);
  checkEqual(
    'arrive byte for byte, from none to 256 KiB',
    messages.map((each) => [each['size'], each['sha256']]),
    bodies.map((body) => [body.length, sha256(body)]),
  );
  await client.close();

  const bytes = Buffer.from([0, 255, 128, 10]);
  const encoded = proton(simulator, { ...login('proton-2', ',encode=base64') });
  await encoded.until('link-open');
  await until('only one client is left', async () => simulator.enterprise(GROUP).clientCount === 1, 20_000);
  simulator.publish({ topic: '/pk/dn/user/raw', body: bytes });
  const [message] = await encoded.messages(1);
  checkEqual('are Base64 for a client that asks for it', message?.['body'], bytes.toString('base64'));
  await encoded.close();
});

heading('Properties');
await withSimulator({ clock: () => 1_700_000_000_123 }, async (simulator) => {
  const id = simulator.publish({ topic: '/pk/dn/thing/lifecycle', body: '{}' });
  const client = proton(simulator);
  const [message] = await client.messages(1);
  check('a message id is a decimal number beyond a double', /^\d{18}$/.test(id), id);
  checkEqual(
    'topic and generateTime',
    [message?.['topic'], message?.['generateTime']],
    ['/pk/dn/thing/lifecycle', 1_700_000_000_123],
  );
  await client.close();
});

process.exit(sum());
