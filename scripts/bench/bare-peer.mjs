// @ts-check
// Peer (c): the limit. A bare script on plain `pg` with the SQL text of this service: JSON.parse, fold to the newest value of
// each series, the same statements in one transaction a batch, accept. No Nest, no checks, no duplicates, no counts, no
// metrics. A batch is what arrived while the last one was being written, as in the service, and the credit is the same.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { consume } from './consume.mjs';
import { peerSettings, serveQuestions } from './peer-process.mjs';
import { Durations } from './percentiles.mjs';

/**
 * @typedef {object} Message
 * @property {any} body
 * @property {number} received
 * @property {number} index
 * @property {() => void} accept
 */
/** @typedef {{ device: string, identifier: string, id: number, at: number, number: number, readings: Map<number, number> }} Series */
/** @typedef {{ id: number, pk: string, dn: string, iotId: string, type: string, first: number, last: number }} Device */

const { dist, url, port, signIn, credit, seen } = peerSettings();
const load = (/** @type {string} */ file) => import(pathToFileURL(path.join(dist, 'storage', file)).href);
/** @type {Record<string, string>} */
const sql = await load('write-statements.js');
/** @type {{ column: <T>(rows: readonly T[], cell: (row: T) => unknown) => string }} */
const { column } = await load('columns.js');

const database = new pg.Client({ connectionString: url });
await database.connect();
const latency = new Durations();
let seenMs = 0;
let transactionMs = 0;
let batches = 0;
/** @type {Message[]} */
let queue = [];
let writing = false;
let count = 0;

/** @param {string | undefined} text @param {unknown[]} values */
async function run(text, values) {
  if (text === undefined) throw new Error('the service has no such statement any more');
  return database.query(text, values);
}

/** @param {readonly Message[]} batch */
async function write(batch) {
  const started = performance.now();
  await database.query('BEGIN');
  if (seen) await insertSeen(batch);
  const { devices, series } = fold(batch);
  await writeDevices([...devices.values()]);
  await writeSeries([...series.values()], devices);
  await writeReadings([...series.values()]);
  await database.query('COMMIT');
  batches++;
  const now = performance.now();
  transactionMs += now - started;
  for (const { received, accept } of batch) {
    latency.add(now - received);
    accept();
  }
}

/** What SeenMessage adds: the statement alone, with random keys as hashes are. @param {readonly Message[]} batch */
async function insertSeen(batch) {
  const started = performance.now();
  const days = column(batch, ({ body }) => new Date(body.gmtCreate).toISOString().slice(0, 10));
  const keys = column(batch, () => randomUUID());
  await run(sql.INSERT_SEEN, [days, keys]);
  seenMs += performance.now() - started;
}

/** @param {readonly Message[]} batch */
function fold(batch) {
  /** @type {Map<string, Device>} */
  const devices = new Map();
  /** @type {Map<string, Series>} */
  const series = new Map();
  for (const { body } of batch) {
    const { productKey: pk, deviceName: dn, iotId, deviceType: type } = body;
    const key = `${pk} ${dn}`;
    let device = devices.get(key);
    if (!device) devices.set(key, (device = { id: 0, pk, dn, iotId, type, first: Infinity, last: 0 }));
    for (const identifier of Object.keys(body.items)) {
      const { value: number, time: at } = body.items[identifier];
      if (at < device.first) device.first = at;
      if (at > device.last) device.last = at;
      const seriesKey = `${key} ${identifier}`;
      let one = series.get(seriesKey);
      if (!one) series.set(seriesKey, (one = { device: key, identifier, id: 0, at, number, readings: new Map() }));
      else if (at > one.at) Object.assign(one, { at, number });
      one.readings.set(at, number);
    }
  }
  return { devices: sorted(devices), series: sorted(series) };
}

/** In one order whatever came first, as in the service. @template T @param {Map<string, T>} map */
function sorted(map) {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @param {Device[]} devices */
async function writeDevices(devices) {
  const names = (/** @type {Device[]} */ some) => [column(some, ({ pk }) => pk), column(some, ({ dn }) => dn)];
  const { rows } = await run(sql.LOCK_DEVICES, names(devices));
  for (const { id, place } of rows) Object.assign(devices[place - 1] ?? {}, { id });
  const missing = devices.filter(({ id }) => id === 0);
  if (missing.length > 0) {
    const made = await run(sql.INSERT_DEVICES, names(missing));
    const byName = new Map(missing.map((device) => [device.dn, device]));
    for (const { id, deviceName } of made.rows) Object.assign(byName.get(deviceName) ?? {}, { id });
  }
  const time = (/** @type {number} */ at) => new Date(at);
  const none = column(devices, () => null);
  await run(sql.UPDATE_DEVICES, [
    column(devices, ({ id }) => id),
    column(devices, ({ iotId }) => iotId),
    column(devices, ({ last }) => time(last)),
    column(devices, ({ type }) => type),
    column(devices, ({ last }) => time(last)),
    ...Array(10).fill(none),
    column(devices, ({ first }) => time(first)),
    column(devices, ({ last }) => time(last)),
    column(devices, ({ first }) => time(first)),
  ]);
}

/** @param {Series[]} series @param {Map<string, Device>} devices */
async function writeSeries(series, devices) {
  const columns = (/** @type {Series[]} */ some) => [
    column(some, ({ device }) => devices.get(device)?.id ?? 0),
    column(some, ({ identifier }) => identifier),
    column(some, ({ at }) => new Date(at)),
    column(some, ({ number }) => number),
    column(some, () => null),
  ];
  const { rows } = await run(sql.UPDATE_SERIES, columns(series));
  for (const { id, place } of rows) Object.assign(series[place - 1] ?? {}, { id });
  const missing = series.filter(({ id }) => id === 0);
  if (missing.length === 0) return;
  const made = await run(sql.INSERT_SERIES, columns(missing));
  const byKey = new Map(missing.map((one) => [`${devices.get(one.device)?.id} ${one.identifier}`, one]));
  for (const { id, deviceId, identifier } of made.rows)
    Object.assign(byKey.get(`${deviceId} ${identifier}`) ?? {}, { id });
}

/** @param {Series[]} series */
async function writeReadings(series) {
  const rows = series.flatMap(({ id, readings }) => [...readings].map(([at, number]) => ({ id, at, number })));
  const none = column(rows, () => null);
  await run(sql.INSERT_READINGS, [
    column(rows, ({ id }) => id),
    column(rows, ({ at }) => new Date(at)),
    column(rows, ({ number }) => number),
    none,
    none,
  ]);
}

async function writeQueue() {
  while (queue.length > 0) {
    const batch = queue;
    queue = [];
    await write(batch);
  }
  writing = false;
}

consume({
  port,
  signIn,
  credit,
  onMessage: (body, accept) => {
    queue.push({ body: JSON.parse(body), received: performance.now(), index: count++, accept });
    if (writing) return;
    writing = true;
    setImmediate(() => void writeQueue());
  },
});

serveQuestions((question) => {
  if (question.do === 'reset') {
    latency.clear();
    seenMs = transactionMs = batches = 0;
  }
  return { latency: latency.summary(), seenMs, transactionMs, batches };
});
