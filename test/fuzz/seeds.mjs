// @ts-check
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { EMPTY } from './input.mjs';

/**
 * @typedef {import('./input.mjs').Input} Input
 * @typedef {import('../../src/simulator/platform/platform-message.js').Publication} Publication
 * @typedef {import('../../src/simulator/devices/device.js').Device} Device
 */

const AT = 1_700_000_170_000;

/**
 * What mutation begins with: bodies recorded in the field, every message of the protocol in both flavours as the simulator
 * writes it, and the simulator's poison, each also as the bytes of an AMQP message.
 * @param {string} root
 * @returns {Promise<Input[]>}
 */
export async function seeds(root) {
  /** @param {string} file */
  const built = (file) => import(pathToFileURL(path.join(root, 'dist', 'simulator', file)).href);
  const good = [...recorded(root), ...(await everyKind(built))];
  const messages = [...good, ...(await spoilt(built, good))];
  const { encodeMessage } = await built('amqp/encode-message.js');
  const forms = ['data', 'several-data', 'value-string', 'value-binary'];
  const bytes = messages.flatMap((publication, index) => {
    const { topic, messageId, generateTime } = publication;
    const input = {
      ...EMPTY,
      topic,
      body: Buffer.from(publication.body),
      messageId: messageId === undefined ? EMPTY.messageId : messageId,
      generateTime: generateTime === null ? null : String(generateTime ?? AT),
    };
    if (input.body.length > 4_096) return [input];
    const message = {
      ...input,
      id: '170000000012300001',
      anonymous: messageId === null,
      bodyForm: forms[index % forms.length],
      generateTime: generateTime ?? null,
      qos: 1,
      properties: { extra: index % 3 === 0 ? 'text' : index % 3 === 1 ? 12.5 : null },
    };
    /** @type {Input['encode']} */
    const encode = index % 5 === 0 ? 'base64' : null;
    return [input, { ...EMPTY, transfer: encodeMessage(message, encode !== null), encode }];
  });
  return [...bytes, secretInStrings()];
}

/**
 * A secret in JSON in a string in JSON in a string and so on, deeper than it is looked for: all of it must go.
 * @returns {Input}
 */
function secretInStrings() {
  const secret = 'Zq7deepSecret';
  let text = `{"deviceSecret":"${secret}"}`;
  for (let depth = 0; depth < 11; depth++) text = JSON.stringify(text);
  return { ...EMPTY, topic: '/a1DemoLiv01/purifier-17/user/update', body: Buffer.from(`{"a":${text}}`), secret };
}

/**
 * @param {string} root
 * @returns {Publication[]}
 */
function recorded(root) {
  const lines = readFileSync(path.join(root, 'test/fixtures/field-samples.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const { topic, body, kind } = JSON.parse(line);
    return { topic: topic ?? (kind === 'property' ? '/a1/field/thing/event/property/post' : null), body };
  });
}

/**
 * @param {(file: string) => Promise<any>} built
 * @returns {Promise<Publication[]>}
 */
async function everyKind(built) {
  /** @type {typeof import('../../src/simulator/devices/messages.js')} */
  const messages = await built('devices/messages.js');
  const { Device } = await built('devices/device.js');
  return /** @type {const} */ (['living', 'enterprise']).flatMap((voice) => {
    /** @param {string} deviceName @returns {Device} */
    const device = (deviceName) =>
      new Device({
        product: { productKey: 'a1DemoLiv01', deviceType: 'AirPurifier', voice, role: 'device', tenant: null },
        deviceName,
        iotId: `iot-${deviceName}`,
        deviceSecret: 'd41d8cd98f00b204',
        createdAt: AT,
      });
    const [one, gateway] = [device('purifier-17'), device('gateway-1')];
    const user = { identityId: '5052opdemo01', tenantId: 'tenant01' };
    const event = {
      identifier: 'Alarm',
      name: '报警',
      type: /** @type {const} */ ('alert'),
      value: { code: 7, text: 'hot' },
    };
    const items = {
      Power: { value: 1, time: AT },
      Speed: { value: 24.45, time: AT - 5 },
      Mode: { value: 'a', time: AT },
    };
    const failed = { Pm25: { code: 6306, message: 'not int', time: AT, value: '--' } };
    const upgrade = { jobId: 'job1', taskId: 'task1', srcVersion: '1.0.0', destVersion: '1.0.1' };
    const samples = { Power: [items.Power, { value: 0, time: AT + 1 }], Alarm: [{ value: { code: 7 }, time: AT }] };
    const reply = { requestId: '700000001', service: 'property/set', code: 200, message: 'success', data: {} };
    return [
      messages.propertyPost(one, items, AT),
      messages.propertyPost(one, items, AT, failed, true),
      messages.eventPost(one, event, AT, AT),
      messages.eventPost(one, event, AT, AT, true, undefined, failed),
      messages.propertyBatch(one, samples, AT),
      messages.eventBatch(one, event, [AT, AT + 1], AT),
      messages.downlinkReply(one, reply, AT),
      messages.downlinkReply(one, { ...reply, code: 9201 }, AT),
      messages.status(one, true, AT, AT, AT),
      messages.status(one, false, AT, AT - 90_000, AT),
      messages.binding(one, user, true, true, AT, one.iotId),
      messages.binding(one, user, false, false, AT, ''),
      messages.lifecycle(one, 'create', AT, 'd41d8cd98f00b204'),
      messages.lifecycle(one, 'delete', AT, ''),
      messages.topology(gateway, 'create', [one], AT),
      messages.topology(gateway, 'disable', [one, gateway], AT),
      messages.found(gateway, [one], AT),
      messages.tags(one, { room: 'kitchen', floor: '2' }, AT),
      messages.upgradeResult(one, upgrade, true, AT),
      messages.upgradeProgress(one, upgrade, 40, AT),
      messages.moduleVersion(one, '1.0.1', AT),
      {
        topic: '/a1DemoLiv01/pkg1/job1/ota/job/status',
        body: `{"productKey":"a1DemoLiv01","moduleName":"default","packageId":"pkg1","jobId":"job1","status":"COMPLETED","messageCreateTime":${AT}}`,
      },
      {
        topic: '/as/mqtt/status/a1DemoLiv01/purifier-17',
        body: '{"status":"offline","offlineReasonCode":427,"protocol":"modbus","utcTime":"2023-11-14T22:16:10.000Z","utcLastTime":"2023-11-14T22:16:09.000Z"}',
      },
      { topic: '/a1DemoLiv01/purifier-17/user/update', body: '{"hello":[1,2.50,{"a":null}]}' },
      { topic: '/a1DemoLiv01/purifier-17/user/raw', body: Uint8Array.of(0xff, 0, 1, 0x7f) },
    ];
  });
}

/**
 * @param {(file: string) => Promise<any>} built
 * @param {Publication[]} good
 * @returns {Promise<Publication[]>}
 */
async function spoilt(built, good) {
  const { Random } = await built('random.js');
  const { poison } = await built('faults/stream/poison.js');
  const { oddities } = await built('faults/stream/oddities.js');
  const { unknownTopics } = await built('faults/stream/unknown-topics.js');
  /** @type {Publication[]} */
  const made = [];
  for (const fault of [poison, oddities, unknownTopics]) {
    const random = new Random(fault.name);
    const keep = (/** @type {Publication} */ publication) => void made.push(publication);
    const context = { id: 'seed', random, now: () => AT, passOn: () => undefined, add: keep, did: () => undefined };
    const active = fault.begin(fault.schema.parse({ share: 1 }), context);
    for (let round = 0; round < 3; round++) for (const publication of good) active.pass(publication);
  }
  return made.filter(({ body }) => body.length <= 16_384);
}
