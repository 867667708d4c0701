// @ts-check
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { startPostgres } from '../../scripts/postgres/embedded-postgres.mjs';
import { freePort } from '../../scripts/postgres/free-port.mjs';
import { applyMigrations, readMigrations } from '../../scripts/postgres/migrations.mjs';
import { Broker } from './broker.mjs';
import { check, checkEqual, checkLines, heading, sum } from './checks.mjs';
import { STREAM_FROM, all, poison, streamed } from './messages.mjs';
import { Mirror } from './mirror.mjs';
import { run, until } from './processes.mjs';
import { Service } from './service.mjs';

/** @typedef {import('./messages.mjs').Sent} Sent */

const QUEUE = 'mirror';
const ENCODED_QUEUE = 'encoded';
const USER = 'mirror';
const PASSWORD = 'p:ä ss|w,o=rd';
const SECRET = 'interopSecret0123456789';

/**
 * @param {string} folder everything that is made goes here
 * @returns {Promise<number>} the exit code
 */
export async function runInterop(folder) {
  const postgres = await startPostgres({
    root,
    directory: path.join(folder, 'postgres'),
    logFile: path.join(folder, 'postgres.log'),
    port: 0,
  });
  await applyMigrations(postgres.url, readMigrations(root));
  const broker = new Broker(path.join(folder, 'broker'));
  const mirror = new Mirror(postgres.url);
  const scene = new Scene(folder, postgres.url, broker, mirror);
  try {
    heading('A login that is refused');
    await broker.create({ users: { [USER]: 'another' }, queues: [QUEUE, ENCODED_QUEUE] });
    await refusedLogin(scene);
    heading('Every kind of message, from Qpid Proton through RabbitMQ');
    await everyKind(scene);
    heading('The same messages once more');
    await onceMore(scene);
    heading('A stream, with the service killed and stopped in the middle');
    await killedService(scene);
    heading('A stream, with the broker killed and restarted in the middle');
    await restartedBroker(scene);
    heading('Bodies in Base64');
    await base64(scene);
    heading('At the end');
    await theEnd(scene);
  } finally {
    await scene.end();
    await mirror.close();
    await broker.end();
    await postgres.stop();
  }
  return sum();
}

/** What the acts share. */
class Scene {
  /** Messages that the broker took. */
  published = 0;
  /** @type {Service | undefined} */
  #service;

  /**
   * @param {string} folder
   * @param {string} databaseUrl
   * @param {Broker} broker
   * @param {Mirror} mirror
   */
  constructor(folder, databaseUrl, broker, mirror) {
    this.folder = folder;
    this.databaseUrl = databaseUrl;
    this.broker = broker;
    this.mirror = mirror;
  }

  get service() {
    if (this.#service === undefined) throw new Error('no service was started');
    return this.#service;
  }

  /** @param {Record<string, string>} [settings] */
  async startService(settings = {}) {
    this.#service = new Service(
      {
        DATABASE_URL: this.databaseUrl,
        AMQP_URL: this.broker.url,
        AMQP_USERNAME: USER,
        AMQP_PASSWORD: PASSWORD,
        AMQP_ADDRESS: `/amq/queue/${QUEUE}`,
        AMQP_CLIENT_ID: 'interop',
        ...settings,
      },
      await freePort(0),
      path.join(this.folder, 'service.log'),
    );
    return this.#service;
  }

  /**
   * @param {readonly Sent[]} messages
   * @param {string} [queue]
   */
  async publish(messages, queue = QUEUE) {
    const program = path.join(root, 'test', 'interop', 'publish.py');
    const input = messages.map((each) => JSON.stringify(each)).join('\n');
    // Debian's own Python, which knows Debian's packages, whatever else is first in the path.
    const taken = await run('/usr/bin/python3', [program, this.broker.url, `/amq/queue/${queue}`, USER, PASSWORD], {
      input,
    });
    this.published += Number(taken);
  }

  /** Waits until the broker has nothing left for us and nothing that we have not answered. */
  async quiet() {
    await until(
      'the queues to be empty and everything answered',
      async () =>
        [...(await this.broker.queues()).values()].every((queue) => queue.ready === 0 && queue.unanswered === 0),
      120_000,
    );
  }

  async checkCounts() {
    const counts = await this.mirror.counts();
    checkEqual(
      `the count adds up: received = stored + duplicate + set aside (${JSON.stringify(counts)})`,
      counts.received,
      counts.stored + counts.duplicate + counts['set-aside'],
    );
    return counts;
  }

  async end() {
    await this.#service?.end('SIGKILL');
  }
}

/** @param {Scene} scene */
async function refusedLogin(scene) {
  const service = await scene.startService();
  const [line] = await service.logged('No connection to the platform');
  check(
    'one line says that the credentials were refused and what to check',
    String(line?.['reason']).includes('refused') &&
      String(line?.['advice']).includes('AMQP_USERNAME and AMQP_PASSWORD'),
    JSON.stringify(line),
  );
  const attempts = await until('a second attempt', async () => {
    const { connections } = await service.get('/v1/ingest');
    return connections[0].attempts >= 2 ? connections[0] : null;
  });
  check(
    'it tries again, and /v1/ingest says why there is no connection',
    String(attempts.lastError).includes('refused'),
  );
  checkEqual(
    'it is not said a second time',
    service.lines.filter(({ msg }) => msg === 'No connection to the platform').length,
    1,
  );
  check(
    'no password is in the log',
    !JSON.stringify(service.lines).includes(PASSWORD) && !service.errors.includes(PASSWORD),
  );
  await scene.broker.changePassword(USER, PASSWORD);
  await service.logged('Connected to the platform');
  check('it connects by itself once the broker knows the password', true);
}

/** @param {Scene} scene */
async function everyKind(scene) {
  const { mirror, service } = scene;
  await scene.publish(all);
  await until('everything to be dealt with', async () => (await mirror.counts()).received >= all.length);
  await scene.quiet();
  check(`${all.length} messages were consumed, each answered, and none is left`, true);
  const expected = readFileSync(path.join(root, 'test', 'interop', 'expected-rows.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const rows = await mirror.rows();
  for (const table of ['device', 'tag', 'current', 'reading', 'event', 'binding']) {
    const of = (/** @type {readonly string[]} */ lines) => lines.filter((line) => line.startsWith(`${table} `));
    checkLines(`every ${table} row is as expected (${of(expected).length})`, of(rows), of(expected));
  }
  await checkSetAside(mirror);
  checkEqual('the counts are right', await scene.checkCounts(), {
    received: all.length,
    stored: all.length - poison.length,
    duplicate: 0,
    'set-aside': poison.length,
  });
  check('the secret of a new device is nowhere in the database', !(await mirror.everything()).includes(SECRET));
  check('nor in the log', !JSON.stringify(service.lines).includes(SECRET));
  await checkRest(service);
}

/** @param {Mirror} mirror */
async function checkSetAside(mirror) {
  const rows = await mirror.setAside();
  checkEqual('as many messages were set aside as nobody can understand', rows.length, poison.length);
  for (const { reason, sent } of poison) {
    const { topic, messageId } = sent.applicationProperties;
    const text = (/** @type {import('./messages.mjs').Typed | undefined} */ value) =>
      value === undefined ? null : String(Array.isArray(value) ? value[1] : value);
    const row = rows.find(
      (each) =>
        each.body.toString('base64') === sent.body && each.messageId === text(messageId) && each.reason === reason,
    );
    const name = `${reason} (${typeof topic === 'string' ? topic : 'no topic'}, ${Buffer.from(String(sent.body), 'base64').length} bytes)`;
    check(`set aside with its exact bytes and reason: ${name}`, row !== undefined);
    if (row === undefined) continue;
    const { properties } = JSON.parse(row.properties);
    const wanted = Object.entries(sent.applicationProperties).map(([key, value]) => [key, text(value)]);
    checkEqual(
      `  with all its properties`,
      wanted.filter(([key, value]) => properties[String(key)] !== value),
      [],
    );
  }
}

/** A few questions over REST: what was committed can be asked. @param {Service} service */
async function checkRest(service) {
  const boiler = await service.get('/v1/devices/h9DemoEnt02:boiler-3');
  checkEqual('REST: the newest temperature, not the later history', boiler.properties?.WaterTemp, {
    value: 61.2,
    at: '2023-11-14T22:27:50.000Z',
  });
  checkEqual('REST: it is offline since', [boiler.online, boiler.since], [false, '2023-11-14T22:25:10.480Z']);
  const gateway = await service.get('/v1/devices/h9DemoEnt02:probe-7');
  checkEqual('REST: the sub-device has its gateway', gateway.gateway !== null && gateway.gateway !== undefined, true);
}

/** @param {Scene} scene */
async function onceMore(scene) {
  const before = await scene.mirror.rows();
  const asideBefore = (await scene.mirror.setAside()).length;
  const { received } = await scene.mirror.counts();
  await scene.publish(all);
  await until(
    'everything to be dealt with',
    async () => (await scene.mirror.counts()).received >= received + all.length,
  );
  await scene.quiet();
  checkLines('not a row is other than before', await scene.mirror.rows(), before);
  checkEqual('nor is anything set aside twice', (await scene.mirror.setAside()).length, asideBefore);
  const counts = await scene.checkCounts();
  checkEqual('all of them count as duplicates', counts.duplicate, all.length);
}

const STREAM = 6_000;
const SECOND_STREAM = 3_000;

/** @param {Scene} scene */
async function killedService(scene) {
  const { mirror } = scene;
  checkEqual('SIGTERM ends the idle service with', await scene.service.end('SIGTERM'), 0);
  const first = await scene.startService({ AMQP_CONNECTIONS: '2', AMQP_CREDIT: '100' });
  await first.logged('Connected to the platform', 2);
  let publishing = true;
  const publisher = scene
    .publish(Array.from({ length: STREAM }, (_, n) => streamed(n)))
    .finally(() => (publishing = false));
  publisher.catch(() => {}); // awaited below
  for (const [signal, after] of /** @type {const} */ ([
    ['SIGKILL', 300],
    ['SIGKILL', 1_500],
    ['SIGTERM', 3_000],
    ['SIGKILL', 4_200],
  ])) {
    await until(`${after} readings`, async () => (await mirror.readings('i1Stream')) >= after, 180_000);
    const code = await scene.service.end(signal);
    const stored = await mirror.readings('i1Stream');
    check(
      `${signal} in mid-stream (${stored} of ${STREAM} stored, the client ${publishing ? 'still' : 'no longer'} publishing)`,
      stored < STREAM && code === (signal === 'SIGTERM' ? 0 : signal),
      `it ended with ${code}`,
    );
    await scene.startService({ AMQP_CONNECTIONS: '2', AMQP_CREDIT: '100' });
  }
  await publisher;
  await until('the last reading', async () => (await mirror.readings('i1Stream')) >= STREAM, 180_000);
  await scene.quiet();
  await checkStream(scene, STREAM);
}

/** @param {Scene} scene */
async function restartedBroker(scene) {
  const { broker, mirror } = scene;
  await scene.service.end('SIGTERM');
  const all = STREAM + SECOND_STREAM;
  await scene.publish(Array.from({ length: SECOND_STREAM }, (_, n) => streamed(STREAM + n)));
  const service = await scene.startService({ AMQP_CREDIT: '40' });
  for (const [signal, after] of /** @type {const} */ ([
    ['SIGKILL', STREAM + 300],
    ['SIGTERM', STREAM + 1_200],
  ])) {
    await until(`${after} readings`, async () => (await mirror.readings('i1Stream')) >= after, 180_000);
    await broker.stop(signal);
    const stored = await mirror.readings('i1Stream');
    check(`the broker ended by ${signal} in mid-stream (${stored - STREAM} of ${SECOND_STREAM} stored)`, stored < all);
    await service.logged('Lost the connection to the platform', signal === 'SIGKILL' ? 1 : 2);
    await broker.start();
  }
  await until('the last reading', async () => (await mirror.readings('i1Stream')) >= all, 180_000);
  await scene.quiet();
  check('the same process reconnected both times and took what was left', service.runs);
  await checkStream(scene, all);
}

/**
 * @param {Scene} scene
 * @param {number} length
 */
async function checkStream({ mirror }, length) {
  const iso = (/** @type {number} */ n) => new Date(STREAM_FROM + n).toISOString();
  const expected = Array.from({ length }, (_, n) => `reading i1Stream:s-${n % 40} count ${iso(n)} ${n}.25`);
  const newest = Array.from({ length: 40 }, (_, device) => {
    const n = length - 40 + device;
    return `current i1Stream:s-${device} count ${iso(n)} ${n}.25`;
  });
  const rows = await mirror.rows();
  checkLines(
    `each of ${length} readings is there once, with its value and time`,
    rows.filter((line) => line.startsWith('reading i1Stream:')),
    expected,
  );
  checkLines(
    'each device has its newest value',
    rows.filter((line) => line.startsWith('current i1Stream:')),
    newest,
  );
}

/** @param {Scene} scene */
async function base64(scene) {
  await scene.service.end('SIGTERM');
  await scene.startService({ AMQP_ADDRESS: `/amq/queue/${ENCODED_QUEUE}`, AMQP_ENCODE: 'base64' });
  const before = (await scene.mirror.counts()).received;
  const at = STREAM_FROM;
  const text = `{"productKey":"i1Encoded","deviceName":"e-1","gmtCreate":${at},"items":{"x":{"value":1,"time":${at}}}}`;
  const encode = (/** @type {string} */ body, /** @type {string} */ messageId) => ({
    body: Buffer.from(body).toString('base64'),
    applicationProperties: { topic: '/i1Encoded/e-1/thing/event/property/post', messageId, generateTime: at },
  });
  await scene.publish([encode(Buffer.from(text).toString('base64'), '1'), encode(text, '2')], ENCODED_QUEUE);
  await until('both to be dealt with', async () => (await scene.mirror.counts()).received >= before + 2);
  await scene.quiet();
  checkEqual('what is Base64 is decoded', await scene.mirror.readings('i1Encoded'), 1);
  const aside = (await scene.mirror.setAside()).filter(({ reason }) => reason === 'not-base64');
  checkEqual(
    'what is not is set aside as it came',
    aside.map(({ body }) => body.toString()),
    [text],
  );
}

/** @param {Scene} scene */
async function theEnd(scene) {
  const counts = await scene.checkCounts();
  const unique = all.length + STREAM + SECOND_STREAM + 2;
  checkEqual('each message was stored or set aside once', counts.stored + counts['set-aside'], unique);
  check(`nothing was received less often than it was sent (${scene.published})`, counts.received >= scene.published);
  checkEqual('SIGTERM ends the service with', await scene.service.end('SIGTERM'), 0);
  for (const [name, { ready, unanswered, consumers }] of await scene.broker.queues()) {
    checkEqual(`queue ${name}: messages, unanswered, consumers`, [ready, unanswered, consumers], [0, 0, 0]);
  }
}
