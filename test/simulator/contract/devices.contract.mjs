// @ts-check
// What virtual devices say, met by Qpid Proton and held against the TSL files with nothing of the simulator's own reading.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../../scripts/checkout.mjs';
import { check, checkEqual, heading, sum } from '../../interop/checks.mjs';
import { until } from '../../interop/processes.mjs';
import { ProtonClient } from './proton.mjs';

/** @param {string} file */
const built = (file) => import(pathToFileURL(path.join(root, 'dist', 'simulator', file)).href);
/** @type {typeof import('../../../src/simulator/simulator.js')} */
const { startSimulator } = await built('simulator.js');

const login = {
  username: 'proton-1|authMode=appkey,signMethod=SHA256,random=1700000000000,appKey=90001234,groupId=90001234|',
  password: createHmac('sha256', 'demoAppSecret-7f3a').update('random=1700000000000').digest('hex'),
};
const MODELS = {
  a1DemoLock1: 'lock',
  a1DemoAir02: 'air-purifier',
  a1DemoHeat3: 'thermostat',
  h9DemoMete4: 'electricity-meter',
  h9DemoGate5: 'gateway',
  h9DemoProb6: 'temperature-probe',
};
/** @typedef {{ type: string, specs: any }} DataType */
/** @param {string} name @returns {{ properties: any[], events: any[] }} */
const tsl = (name) => JSON.parse(readFileSync(path.join(root, 'simulator', 'models', `${name}.json`), 'utf8'));

/** Whether a value is of a TSL data type, within its limits. @param {DataType} type @param {any} value @returns {boolean} */
function fits({ type, specs }, value) {
  const inRange = value >= Number(specs?.min ?? -Infinity) && value <= Number(specs?.max ?? Infinity);
  switch (type) {
    case 'int':
      return Number.isInteger(value) && inRange;
    case 'float':
    case 'double':
      return typeof value === 'number' && inRange;
    case 'bool':
    case 'enum':
      return Number.isInteger(value) && String(value) in specs;
    case 'text':
      return typeof value === 'string' && value.length <= Number(specs.length);
    case 'date':
      return typeof value === 'string' && /^\d+$/.test(value);
    case 'array':
      return (
        Array.isArray(value) && value.length <= Number(specs.size) && value.every((each) => fits(specs.item, each))
      );
    case 'struct':
      return specs.every((/** @type {any} */ one) => fits(one.dataType, value[one.identifier]));
    default:
      return false;
  }
}

heading('Two days of the demo fleet, a day in five seconds');
const simulator = await startSimulator({
  seed: 'contract',
  timeScale: 17_280,
  retentionMs: 1_000 * 86_400_000,
  fleet: { seed: 'contract', devices: 24, flavour: 'both', rate: 150 },
});
try {
  const client = new ProtonClient({
    url: `amqp://${simulator.host}:${simulator.plainPort}`,
    idle: 60,
    credit: 100_000,
    ...login,
  });
  const messages = (await client.messages(1_400)).map((each) => ({
    topic: String(each['topic']),
    body: String(each['body']),
  }));
  check('1,400 messages came', messages.length >= 1_400, String(messages.length));

  /** @type {Record<string, number>} */
  const seen = {};
  /** @type {string[]} */
  const misfits = [];
  /** @type {Set<string>} */
  const types = new Set();
  for (const { topic, body } of messages) {
    const [, pk = '', , ...rest] = topic.split('/');
    const model = pk in MODELS ? tsl(MODELS[/** @type {keyof typeof MODELS} */ (pk)]) : null;
    if (!model) continue;
    if (rest.join('/') === 'thing/event/property/post') {
      for (const [id, { value }] of Object.entries(/** @type {Record<string, any>} */ (JSON.parse(body).items))) {
        const property = model.properties.find(({ identifier }) => identifier === id);
        if (!property || !fits(property.dataType, value)) misfits.push(`${topic} ${id}=${JSON.stringify(value)}`);
        seen[`${pk}.${id}`] = (seen[`${pk}.${id}`] ?? 0) + 1;
      }
    } else if (/^thing\/event\/(?!property)[^/]+\/post$/.test(rest.join('/')) && rest[2] !== 'batch') {
      const event = JSON.parse(body);
      const known = model.events.find(({ identifier }) => identifier === event.identifier);
      const outputs = known?.outputData ?? [];
      const wrong = outputs.filter((/** @type {any} */ one) => !fits(one.dataType, event.value[one.identifier]));
      if (known?.name !== event.name || known?.type !== event.type || wrong.length > 0)
        misfits.push(`${topic} ${body}`);
      types.add(event.type);
    }
  }
  checkEqual('every value is one that its model allows', misfits, []);
  const missing = Object.entries(MODELS).flatMap(([pk, name]) =>
    tsl(name).properties.flatMap(({ identifier }) => (seen[`${pk}.${identifier}`] ? [] : [`${pk}.${identifier}`])),
  );
  checkEqual('every property of every model was reported', missing, []);
  checkEqual('events of all three types were raised', [...types].sort(), ['alert', 'error', 'info']);

  heading('Commands');
  const requestId = simulator.command('a1DemoLock1:lock-001', 'property/set', { AutoLock: 0 });
  const refusedId = simulator.command('a1DemoLock1:lock-001', 'property/set', { LockState: 0 });
  /** @param {string} id */
  const reply = (id) =>
    client.until((all) =>
      all.find(
        ({ topic, body }) => String(topic).endsWith('/downlink/reply/message') && String(body).includes(`"${id}"`),
      ),
    );
  const [done, refused] = [await reply(requestId), await reply(refusedId)].map((each) =>
    JSON.parse(String(each?.['body'])),
  );
  // The lock may just have gone away: the platform answers for it then.
  check('a command is answered under its id', [200, 9201].includes(done.code), JSON.stringify(done));
  check('one that does not fit is refused', [460, 9201].includes(refused.code), JSON.stringify(refused));
  await client.close();
  await until('the client has left', async () => simulator.connections === 0, 10_000);
} finally {
  await simulator.stop();
}
sum();
