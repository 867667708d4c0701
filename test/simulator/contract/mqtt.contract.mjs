#!/usr/bin/env node
// @ts-check
// The MQTT door met by mosquitto_pub and mosquitto_sub; what they publish arrives at an AMQP consumer made of rhea alone.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import rhea from 'rhea';
import { root } from '../../../scripts/checkout.mjs';
import { check, checkEqual, heading, sum } from '../../interop/checks.mjs';

/** @param {string} file */
const built = (file) => import(pathToFileURL(path.join(root, 'dist', 'simulator', file)).href);
const { startSimulator } = await built('simulator.js');
const { Device } = await built('devices/device.js');
const { readModel } = await built('models/read-model.js');

const PK = 'h9ContractMq';
const SECRET = 'contractSecret-77';
const RAW_SCRIPT = `
function rawDataToProtocol(bytes) {
  return { method: 'thing.event.property.post', id: '7', params: { temperature: bytes[1] + 0.5 }, version: '1.0' };
}
function protocolToRawData(json) { return [0x01, 0xc8]; }`;

const folder = mkdtempSync(path.join(tmpdir(), 'simulator-mqtt-'));
/** @type {string[]} */
const log = [];
/** @param {string} msg @param {object} [fields] */
const hear = (msg, fields = {}) => void log.push(`${msg} ${JSON.stringify(fields)}`);
const simulator = await startSimulator({
  mqttPort: 0,
  mqttTlsPort: 0,
  mqttMinKeepAliveSeconds: 5,
  mqttScanMs: 100,
  log: { info: hear, warn: hear },
});
const product = {
  productKey: PK,
  deviceType: 'EnvSensor',
  voice: 'enterprise',
  role: 'device',
  tenant: null,
  model: readModel('builtin:env-sensor', root),
  validation: 'weak',
  rawScript: null,
  messageScript: null,
};
/** @param {string} deviceName @param {object} [changes] */
const addDevice = (deviceName, changes = {}) => {
  const own = { ...product, ...changes };
  simulator.registry.add(
    new Device({
      product: own,
      deviceName,
      deviceSecret: SECRET,
      iotId: `iot-${deviceName}`,
      createdAt: 1_700_000_000_000,
    }),
  );
};
addDevice('sensor-1');
addDevice('sensor-2');
addDevice('binary-1', { productKey: `${PK}2`, rawScript: RAW_SCRIPT });

/** @type {{ topic: string, body: Buffer }[]} */
const received = [];
const consumer = rhea
  .create_container()
  .on('message', (/** @type {any} */ { message }) => {
    received.push({ topic: message.application_properties.topic, body: message.body.content });
  })
  .connect({
    host: '127.0.0.1',
    port: simulator.plainPort,
    idle_time_out: 60_000,
    reconnect: false,
    username: 'contract|authMode=appkey,signMethod=SHA256,random=1,appKey=90001234,groupId=90001234|',
    password: createHmac('sha256', 'demoAppSecret-7f3a').update('random=1').digest('hex'),
  });
consumer.open_receiver({ credit_window: 1_000 });

/**
 * Waits for a condition, at most ten seconds.
 * @param {() => boolean} condition
 */
async function until(condition) {
  const end = Date.now() + 10_000;
  while (!condition() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  return condition();
}

/**
 * The password, by openssl as a user would make it.
 * @param {string} text @param {string} digest
 */
async function sign(text, digest = 'sha256') {
  const { out } = await run('openssl', ['dgst', `-${digest}`, '-hmac', SECRET], text).done;
  return /** @type {string} */ (/[0-9a-f]{32,}/.exec(out)?.[0]);
}

/**
 * What mosquitto's programs need to be a device.
 * @param {string} deviceName
 * @param {{ productKey?: string, digest?: string, tls?: boolean, password?: string, keepAlive?: number }} [options]
 */
async function as(deviceName, { productKey = PK, digest = 'sha256', tls = false, password, keepAlive = 60 } = {}) {
  const signed = `clientIdmqdeviceName${deviceName}productKey${productKey}timestamp123`;
  const where = tls
    ? ['-h', 'localhost', '-p', String(simulator.mqttTlsPort), '--cafile', path.join(folder, 'ca.pem')]
    : ['-h', '127.0.0.1', '-p', String(simulator.mqttPort)];
  return [
    ...where,
    ...['-i', `mq|securemode=${tls ? 2 : 3},signmethod=hmac${digest},timestamp=123|`],
    ...['-u', `${deviceName}&${productKey}`, '-P', password ?? (await sign(signed, digest)), '-k', String(keepAlive)],
  ];
}

/** @type {import('node:child_process').ChildProcess[]} */
const children = [];
/**
 * @param {string} program @param {readonly string[]} args @param {string} [input]
 */
function run(program, args, input) {
  const child = spawn(program, args);
  children.push(child);
  const told = { out: '', error: '' };
  child.stdout.on('data', (data) => (told.out += String(data)));
  child.stderr.on('data', (data) => (told.error += String(data)));
  child.stdin.end(input ?? '');
  const done = new Promise((resolve) => child.once('exit', resolve)).then((code) => ({ code, ...told }));
  return { child, told, /** @type {Promise<{ code: number | null, out: string, error: string }>} */ done };
}
/** @param {readonly string[]} who @param {string} topic @param {string} body @param {string[]} [more] */
const publish = (who, topic, body, more = ['-q', '1']) =>
  run('mosquitto_pub', [...who, '-t', topic, '-s', ...more], body).done;

/** @param {RegExp} topic */
const last = (topic) => received.findLast((each) => topic.test(each.topic));
/** @param {RegExp} topic */
const count = (topic) => received.filter((each) => topic.test(each.topic)).length;
const STATUS = /^\/as\/mqtt\/status/;

try {
  writeFileSync(path.join(folder, 'ca.pem'), simulator.ca);

  heading('Sign-in');
  for (const digest of ['md5', 'sha1', 'sha256']) {
    const { code, error } = await publish(await as('sensor-1', { digest }), `/${PK}/sensor-1/user/hello`, digest);
    checkEqual(`hmac${digest} (${error})`, code, 0);
    check('what it published arrives', await until(() => last(/hello$/)?.body.toString() === digest));
  }
  const secure = await publish(await as('sensor-1', { tls: true }), `/${PK}/sensor-1/user/hello`, 'by TLS');
  checkEqual(`over TLS, with the simulator's authority (${secure.error})`, secure.code, 0);
  check('what it published arrives', await until(() => last(/hello$/)?.body.toString() === 'by TLS'));
  const wrong = await publish(await as('sensor-1', { password: 'ff' }), `/${PK}/sensor-1/user/hello`, 'no');
  check('a wrong password: return code 4', /bad user name or password/i.test(wrong.error), wrong.error);
  const unknown = await publish(await as('sensor-9'), `/${PK}/sensor-9/user/hello`, 'no');
  check('an unknown device: return code 5', /not authori[sz]ed/i.test(unknown.error), unknown.error);
  check(
    'the reason is in the log',
    log.some((line) => line.includes('no such device')),
  );
  check('secrets are not', !log.some((line) => line.includes(SECRET)));
  check('each came and went', await until(() => count(STATUS) === 8), `${count(STATUS)} status messages`);

  heading('A property report');
  const watching = await as('sensor-1');
  const listener = run('mosquitto_sub', [...watching, '-q', '1', '-v', '-t', `/sys/${PK}/sensor-1/#`]);
  const device = simulator.registry.device(PK, 'sensor-1');
  check('its presence is told', await until(() => count(STATUS) === 9));
  const online = Object.keys(JSON.parse(String(last(STATUS)?.body)));
  const fields = 'clientIp deviceName iotId lastTime productKey status time utcLastTime utcTime';
  checkEqual('as protocol 7.5 says', online.sort().join(' '), fields);
  // A second program would take the place of the first; mosquitto_rr subscribes, publishes and prints the answer.
  listener.child.kill();
  await listener.done;
  /** @param {readonly string[]} who @param {string} topic @param {string} body */
  const ask = (who, topic, body) =>
    run('mosquitto_rr', [...who, '-V', '311', '-q', '1', '-t', topic, '-e', `${topic}_reply`, '-W', '10', '-m', body])
      .done;
  const post = `/sys/${PK}/sensor-1/thing/event/property/post`;
  const params = { temperature: 21.5, humidity: { value: 40.5, time: 1_700_000_000_000 }, nonsense: true };
  const report = await ask(
    watching,
    post,
    JSON.stringify({ id: '41', version: '1.0', params, method: 'thing.event.property.post' }),
  );
  const reply = JSON.parse(report.out);
  checkEqual(
    'is answered',
    [reply.code, reply.id, reply.message, reply.method, reply.version],
    [200, '41', 'success', 'thing.event.property.post', '1.0'],
  );
  check('arrives at the consumer', await until(() => last(/property\/post$/) !== undefined));
  const { topic = '', body = '' } = last(/property\/post$/) ?? {};
  checkEqual('on the forwarding topic', topic, `/${PK}/sensor-1/thing/event/property/post`);
  const forwarded = JSON.parse(String(body));
  const { gmtCreate, items, checkFailedData, ...rest } = forwarded;
  checkEqual('with the fields of protocol 7.1', rest, {
    ...{ deviceType: 'EnvSensor', iotId: 'iot-sensor-1', requestId: '41', productKey: PK, deviceName: 'sensor-1' },
  });
  checkEqual('with the time of the device where it gave one', items.humidity, { value: 40.5, time: 1_700_000_000_000 });
  check('else with that of the platform', Math.abs(items.temperature.time - gmtCreate) < 1_000, String(body));
  checkEqual('without what failed validation', Object.keys(items).sort(), ['humidity', 'temperature']);
  checkEqual('which is told beside it', checkFailedData.nonsense?.value, true);
  const bad = await ask(watching, post, 'nonsense');
  checkEqual('a bad one is answered with 460', JSON.parse(bad.out).code, 460);

  heading('Topics');
  const bytes = Buffer.from([0x00, 0xff, 0x80, 0x0a]);
  writeFileSync(path.join(folder, 'bytes'), bytes);
  const file = ['-q', '0', '-f', path.join(folder, 'bytes')];
  await run('mosquitto_pub', [...watching, '-t', `/${PK}/sensor-1/user/raw/bytes`, ...file]).done;
  check('a custom topic, byte for byte', await until(() => last(/user\/raw\/bytes$/)?.body.equals(bytes) === true));
  await publish(watching, `/sys/${PK}/sensor-2/thing/event/property/post`, '{"params":{"temperature":1}}');
  await publish(watching, `/${PK}/sensor-1/user/hello`, 'twice', ['-q', '2']);
  check(
    'that of another device, and QoS 2, are not taken',
    await until(() => log.filter((line) => /may not publish|QoS 2/.test(line)).length === 2),
  );
  checkEqual('and reach nobody', count(/sensor-2\/thing|twice/), 0);
  const foreign = await run('mosquitto_sub', [...watching, '-t', `/sys/${PK}/+/thing/#`, '-W', '2']).done;
  check(
    'a subscription to those of others is refused',
    /denied|rejected|All subscription/i.test(foreign.error),
    foreign.error,
  );

  heading('A command');
  const waiting = run('mosquitto_sub', [
    ...watching,
    '-q',
    '1',
    '-C',
    '1',
    '-t',
    `/sys/${PK}/sensor-1/thing/service/#`,
    '-v',
  ]);
  await until(() => device.online);
  // Sent once the subscription stands: nothing tells but the arrival itself, so it is repeated until then.
  let requestId = '';
  for (let tries = 0; tries < 50 && waiting.told.out === ''; tries++) {
    requestId = simulator.downlinks.send(device, 'property/set', { reportInterval: 30 });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const [commandTopic = '', ...command] = (await waiting.done).out.trim().split(' ');
  checkEqual('arrives on its topic', commandTopic, `/sys/${PK}/sensor-1/thing/service/property/set`);
  const { id, ...request } = JSON.parse(command.join(' '));
  checkEqual('in Alink JSON', request, {
    version: '1.0',
    params: { reportInterval: 30 },
    method: 'thing.service.property.set',
  });
  await publish(watching, `${commandTopic}_reply`, JSON.stringify({ id, code: 200, data: {} }));
  check('its answer arrives at the consumer', await until(() => last(/downlink/) !== undefined), requestId);
  const answer = JSON.parse(String(last(/downlink/)?.body));
  checkEqual(
    'as protocol 7.3 says',
    [answer.requestId, answer.code, answer.message, answer.topic],
    [Number(id), 200, 'success', commandTopic],
  );

  heading('Bytes');
  const binary = await as('binary-1', { productKey: `${PK}2` });
  const raw = `/sys/${PK}2/binary-1/thing/model/up_raw`;
  // Debian's mosquitto_rr sends nothing of a file, so the bytes are such as an argument may hold.
  const bytesOfReport = String.fromCharCode(0x01, 0x14);
  const more = ['-V', '311', '-W', '10', '-F', '%x', '-m', bytesOfReport];
  const echoed = run('mosquitto_rr', [...binary, '-t', raw, '-e', `${raw}_reply`, ...more]);
  checkEqual('are answered in bytes', (await echoed.done).out.trim(), '01c8');
  check('and arrive as a report', await until(() => last(/binary-1\/thing\/event\/property\/post$/) !== undefined));
  checkEqual(
    'with what the script read',
    JSON.parse(String(last(/binary-1\/thing\/event/)?.body)).items.temperature.value,
    20.5,
  );

  heading('Presence');
  const OWN = new RegExp(`^/as/mqtt/status/${PK}/sensor-2$`);
  const quick = await as('sensor-2', { keepAlive: 5 });
  const silent = run('mosquitto_sub', [...quick, '-t', `/${PK}/sensor-2/user/x`]);
  check('online at connect', await until(() => count(OWN) === 1));
  silent.child.kill('SIGSTOP'); // else it would come back and take the place of the other
  const replaced = run('mosquitto_sub', [...quick, '-t', `/${PK}/sensor-2/user/x`]);
  check('a second connection: offline and online again', await until(() => count(OWN) >= 3));
  const codes = received
    .filter((each) => OWN.test(each.topic))
    .slice(0, 3)
    .map(({ body }) => JSON.parse(String(body)));
  const told = codes.map(({ status, offlineReasonCode = '' }) => `${status} ${offlineReasonCode}`.trim());
  checkEqual('within one moment', told, ['online', 'offline 400', 'online']);
  silent.child.kill('SIGKILL');
  replaced.child.kill('SIGSTOP'); // it neither pings nor closes
  received.length = 0;
  const end = Date.now() + 20_000;
  while (count(OWN) === 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  const gone = JSON.parse(String(last(OWN)?.body ?? '{}'));
  checkEqual('a silent one is given up', [gone.status, gone.offlineReasonCode], ['offline', 425]);
  const late = Date.parse(gone.utcTime) - Date.parse(gone.utcLastTime);
  check('1.5 keep-alives after its last packet', late >= 7_500 && late < 12_000, `${late} ms`);
  replaced.child.kill('SIGKILL');
} catch (error) {
  check('the run ends', false, error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  for (const child of children) child.kill('SIGKILL');
  consumer.close();
  await simulator.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(sum());
