// @ts-check
// What the platform would send: every kind of protocol.md, section 7, the real bodies of test/fixtures/field-samples.jsonl,
// and what nobody can understand. What must become of it is in expected-rows.txt.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';

/** A value with the AMQP type that publish.py gives it. Plain numbers go out as `long`. @typedef {string | number | [type: string, value: string | number]} Typed */

/**
 * A message as publish.py takes it.
 * @typedef {object} Sent
 * @property {string | string[]} body Base64; several: one data section each
 * @property {'data' | 'string' | 'binary'} [as]
 * @property {Record<string, Typed>} [properties]
 * @property {Record<string, Typed>} applicationProperties
 */

/** The platform's clock when it made the first of these messages. */
const EPOCH = 1_700_000_000_000;
let made = 0;

/**
 * @param {string | null} topic
 * @param {unknown} body text, bytes, or whatever is to be written as JSON
 * @param {Partial<Sent>} [options]
 * @returns {Sent}
 */
function message(topic, body, options = {}) {
  made += 1;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return {
    body: bytes.toString('base64'),
    applicationProperties: {
      ...(topic === null ? {} : { topic }),
      messageId: `17190000000000${String(made).padStart(5, '0')}`,
      generateTime: EPOCH + 1_500_000 + made,
      qos: ['int', 1],
    },
    ...options,
  };
}

const LIVING = { iotId: 'lv0Zc3demoIot0001', productKey: 'a1DemoLiv01', deviceName: 'purifier-17' };
const BOILER = { iotId: 'en7Qx1demoIot0042', productKey: 'h9DemoEnt02', deviceName: 'boiler-3' };
const GATEWAY = { gwIotId: 'en7QxGateway01', gwProductKey: 'h9DemoGw03', gwDeviceName: 'gw-hall' };
const ofLiving = '/a1DemoLiv01/purifier-17';
const ofBoiler = '/h9DemoEnt02/boiler-3';
const ofGateway = '/h9DemoGw03/gw-hall';

/** @type {readonly Sent[]} */
const catalogue = [
  // 7.1 Property post, both flavours.
  message(`${ofLiving}/thing/event/property/post`, {
    deviceType: 'AirPurifier',
    ...LIVING,
    gmtCreate: EPOCH + 123_456,
    items: {
      PowerSwitch: { value: 1, time: EPOCH + 123_401 },
      PM25: { value: 18, time: EPOCH + 123_401 },
    },
  }),
  message(`${ofBoiler}/thing/event/property/post`, {
    deviceType: 'CustomCategory',
    ...BOILER,
    requestId: '8815',
    gmtCreate: EPOCH + 200_011,
    items: {
      WaterTemp: { value: 61.5, time: EPOCH + 200_004 },
      Site: { value: { lat: 48.21, lon: 16.37 }, time: EPOCH + 200_004 },
    },
    checkFailedData: {
      Mode: { code: 6306, message: 'value type does not match the model', value: 'eco', time: EPOCH + 200_004 },
    },
  }),
  // 7.2 Event post.
  message(`${ofLiving}/thing/event/FilterAlarm/post`, {
    identifier: 'FilterAlarm',
    name: '滤芯 worn out',
    type: 'alert',
    deviceType: 'AirPurifier',
    ...LIVING,
    time: EPOCH + 300_777,
    value: { RemainingPercent: 4, FilterId: 'F-2' },
  }),
  message(`${ofBoiler}/thing/event/Overheat/post`, {
    identifier: 'Overheat',
    name: 'Overheat',
    type: 'error',
    ...BOILER,
    requestId: '8816',
    time: EPOCH + 300_900,
    gmtCreate: EPOCH + 300_905,
    value: {},
  }),
  // 7.3 Downlink reply, request ids of both flavours; one that the platform gave in the device's place.
  message(`${ofLiving}/thing/downlink/reply/message`, {
    gmtCreate: EPOCH + 401_000,
    ...LIVING,
    requestId: '550129',
    code: 200,
    message: 'success',
    topic: '/sys/a1DemoLiv01/purifier-17/thing/service/property/set',
    data: {},
  }),
  message(
    `${ofBoiler}/thing/downlink/reply/message`,
    `{"gmtCreate":${EPOCH + 402_000},"iotId":"${BOILER.iotId}","productKey":"h9DemoEnt02","deviceName":"boiler-3",` +
      '"requestId":1719000000000000123,"code":9201,"message":"device offline","topic":"/sys/h9DemoEnt02/boiler-3/thing/service/property/set"}',
  ),
  // 7.4 Device status, Living; the offline overtakes the online before it.
  message('/mqtt/status/a1DemoLiv01/purifier-17', {
    deviceType: 'AirPurifier',
    ...LIVING,
    action: 'offline',
    gmtCreate: EPOCH + 500_212,
    status: { time: EPOCH + 500_190, value: '0' },
  }),
  message('/mqtt/status/a1DemoLiv01/purifier-17', {
    deviceType: 'AirPurifier',
    ...LIVING,
    action: 'online',
    gmtCreate: EPOCH + 499_212,
    status: { time: EPOCH + 499_190, value: '1' },
  }),
  // 7.5 Device status, Enterprise; its gateway variant and its reduced form.
  message('/as/mqtt/status/h9DemoEnt02/boiler-3', {
    status: 'offline',
    ...BOILER,
    offlineReasonCode: 427,
    time: '2023-11-15 06:25:10.480',
    utcTime: '2023-11-14T22:25:10.480Z',
    lastTime: '2023-11-15 06:25:10.102',
    utcLastTime: '2023-11-14T22:25:10.102Z',
    clientIp: '198.51.100.23',
  }),
  message('/sys/h9DemoEnt02/hydrant-1/device/status/notify', {
    status: 'online',
    iotId: 'en7QxHydrant01',
    productKey: 'h9DemoEnt02',
    deviceName: 'hydrant-1',
    protocol: 'sl651',
    time: '2023-11-15 06:26:00.000',
    utcTime: '2023-11-14T22:26:00.000Z',
    lastTime: '1970-01-01 08:00:00.000',
    utcLastTime: '1970-01-01T00:00:00.000Z',
  }),
  message('/as/mqtt/status/h9DemoEnt02/old-1', {
    status: 'online',
    productKey: 'h9DemoEnt02',
    deviceName: 'old-1',
    time: '2023-11-15 06:27:00.000',
    utcTime: '2023-11-14T22:27:00.000Z',
  }),
  // 7.6 User binding: an owner, a share, the end of the share; iotId is empty.
  ...[
    { bind: true, at: 600_345, identityId: '50demoIdentity771', owned: 1 },
    { bind: true, at: 610_000, identityId: '50demoIdentity772', owned: 0 },
    { bind: false, at: 620_000, identityId: '50demoIdentity772', owned: 0 },
  ].map(({ bind, at, identityId, owned }) =>
    message(`${ofLiving}/thing/awss/enrollee/user`, {
      bind,
      productKey: 'a1DemoLiv01',
      deviceName: 'purifier-17',
      iotId: '',
      messageCreateTime: EPOCH + at,
      identityInfos: [{ identityId, scopeId: '', tenantId: '1DDEMOTENANT', owned }],
      params: {},
    }),
  ),
  // 7.7 Life cycle; the secret of a new device is nobody's business.
  message('/h9DemoEnt02/new-1/thing/lifecycle', {
    action: 'create',
    iotId: 'en7QxNew01',
    productKey: 'h9DemoEnt02',
    deviceName: 'new-1',
    deviceSecret: 'interopSecret0123456789',
    messageCreateTime: EPOCH + 690_000,
  }),
  message(`${ofBoiler}/thing/lifecycle`, { action: 'disable', ...BOILER, messageCreateTime: EPOCH + 700_000 }),
  // 7.8 Topology, 7.9 sub-devices found (no time in the body: generateTime counts).
  message(`${ofGateway}/thing/topo/lifecycle`, {
    action: 'create',
    ...GATEWAY,
    devices: [{ iotId: 'en7QxSub07', productKey: 'h9DemoEnt02', deviceName: 'probe-7' }],
    messageCreateTime: EPOCH + 800_000,
  }),
  message(
    `${ofGateway}/thing/list/found`,
    { ...GATEWAY, devices: [{ iotId: 'en7QxSub08', productKey: 'h9DemoEnt02', deviceName: 'probe-8' }] },
    {
      applicationProperties: {
        topic: `${ofGateway}/thing/list/found`,
        messageId: '1719000000000100000',
        generateTime: EPOCH + 850_000,
      },
    },
  ),
  // 7.10 Property batch, 7.11 event batch, 7.12 history (which is older than what is known).
  message(`${ofBoiler}/thing/property/batch/post`, {
    ...BOILER,
    requestId: '8820',
    gmtCreate: EPOCH + 900_500,
    payload: {
      WaterTemp: [
        { value: 60.8, time: EPOCH + 840_000 },
        { value: 61.2, time: EPOCH + 870_000 },
      ],
    },
  }),
  message(`${ofBoiler}/thing/event/batch/post`, {
    ...BOILER,
    requestId: '8821',
    gmtCreate: EPOCH + 901_500,
    payload: {
      Ignition: [
        { value: { attempt: 1 }, time: EPOCH + 880_000 },
        { value: { attempt: 2 }, time: EPOCH + 880_500 },
      ],
    },
  }),
  message(`${ofBoiler}/thing/event/property/history/post`, {
    deviceType: 'CustomCategory',
    ...BOILER,
    gmtCreate: EPOCH + 902_000,
    items: { WaterTemp: { value: 20.25, time: EPOCH - 86_400_000 } },
  }),
  message(`${ofBoiler}/thing/event/Overheat/history/post`, {
    identifier: 'Overheat',
    name: 'Overheat',
    type: 'error',
    ...BOILER,
    time: EPOCH - 86_000_000,
    gmtCreate: EPOCH + 903_000,
    value: { peak: 99.5 },
  }),
  // 7.13 Tags.
  message(`${ofBoiler}/thing/deviceinfo/update`, {
    ...BOILER,
    value: [
      { attrKey: 'floor', attrValue: '2' },
      { attrKey: '楼', attrValue: '乙' },
    ],
    messageCreateTime: EPOCH + 1_000_000,
  }),
  // 7.14 to 7.17 OTA.
  message(`${ofBoiler}/ota/upgrade`, {
    ...BOILER,
    status: 'SUCCEEDED',
    messageCreateTime: EPOCH + 1_100_000,
    srcVersion: '2.0.1',
    destVersion: '2.1.0',
    desc: 'success',
    jobId: 'job-demo-11',
    taskId: 'task-demo-9001',
  }),
  message(`${ofBoiler}/ota/progress/post`, {
    ...BOILER,
    moduleName: 'burner',
    step: '45',
    desc: 'downloading',
    destVersion: '2.1.0',
    jobId: 'job-demo-11',
    messageCreateTime: EPOCH + 1_050_000,
  }),
  message(`${ofBoiler}/ota/version/post`, {
    ...BOILER,
    moduleName: 'burner',
    moduleVersion: '2.1.0',
    messageCreateTime: EPOCH + 1_200_000,
  }),
  message('/h9DemoEnt02/pkg-demo-5/job-demo-11/ota/job/status', {
    productKey: 'h9DemoEnt02',
    moduleName: 'burner',
    packageId: 'pkg-demo-5',
    jobId: 'job-demo-11',
    status: 'IN_PROGRESS',
    messageCreateTime: EPOCH + 1_050_000,
  }),
  // 7.18 Custom topics: JSON, text, bytes that are neither, and nothing at all.
  message('/h9DemoEnt02/meter-9/user/raw/up', '{"reading":12345678901234567890.10,"ok":true}'),
  message('/h9DemoEnt02/meter-9/user/raw/up', 'temp=21;humi=40'),
  message('/h9DemoEnt02/meter-9/user/raw/up', Buffer.from([0x00, 0xff, 0xfe, 0x80, 0x0d, 0x0a])),
  message('/h9DemoEnt02/meter-9/user/raw/up', ''),
];

/** One property post for each way in which a client can write a message. */
const forms = [
  form('data', {}),
  form('string', { as: 'string' }),
  form('binary', { as: 'binary' }),
  form('large', {}, '"'.padEnd(70_000, 'ä') + '"'),
  form('id-ulong', { properties: { id: ['ulong', 18_000_000_000_000_000] } }, '1', { messageId: undefined }),
  form('id-text', { properties: { id: 'standard-id-1' } }, '1', { messageId: undefined }),
  form('id-both', { properties: { id: 'standard-id-2', content_type: 'application/json' } }, '1', {}),
  form('time-text', {}, '1', { generateTime: String(EPOCH + 1_400_000) }),
  form('time-timestamp', {}, '1', { generateTime: ['timestamp', EPOCH + 1_400_000] }),
  form('time-ulong', {}, '1', { generateTime: ['ulong', EPOCH + 1_400_000] }),
  form('bare', {}, '1', { messageId: undefined, generateTime: undefined, qos: undefined }),
  form('19-digits', {}, '9223372036854775807'),
  form('17-digits', {}, '0.56639999999999990'),
  form('30-digits', {}, '-123456789012345.678901234567890'),
  form('exponent', {}, '1.50e-7'),
  form('zeros', {}, '99.0'),
  form('truth', {}, 'true'),
  form('nothing', {}, 'null'),
  form('text', {}, '"00000000"'),
  form('array', {}, '[3, 2.0, {"b": 1, "a": 12345678901234567890}]'),
];

/**
 * @param {string} identifier
 * @param {Partial<Sent>} options
 * @param {string} value JSON
 * @param {Record<string, Typed | undefined>} application
 */
function form(identifier, options, value = '1', application = {}) {
  const topic = '/i1Forms/thing-1/thing/event/property/post';
  const time = EPOCH + 1_300_000;
  const body = `{"productKey":"i1Forms","deviceName":"thing-1","gmtCreate":${time},"items":{"${identifier}":{"value":${value},"time":${time}}}}`;
  const sent = message(topic, body, options);
  return {
    ...sent,
    applicationProperties: JSON.parse(JSON.stringify({ ...sent.applicationProperties, ...application })),
  };
}

/** One body in three data sections. RabbitMQ 3.10 hands sections on in the opposite order: so they go in that way. */
const inSections = {
  ...message('/i1Forms/thing-1/thing/event/property/post', ''),
  body: [
    '{"productKey":"i1Forms","deviceName":"thing-1",',
    `"gmtCreate":${EPOCH + 1_300_000},"items":{"sections":`,
    '{"value":3}}}',
  ]
    .map((part) => Buffer.from(part).toString('base64'))
    .reverse(),
};

/** Bodies as a server-side subscription really sent them; where the topic was not recorded, the one that they came on. */
const field = readFileSync(path.join(root, 'test/fixtures/field-samples.jsonl'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    /** @type {{ id: string, kind: string, topic: string | null, body: string }} */
    const { kind, topic, body } = JSON.parse(line);
    const { productKey, deviceName, identifier, gmtCreate, time, utcTime } = JSON.parse(body);
    const usual = `/${productKey}/${deviceName}/thing/event/${kind === 'event' ? identifier : 'property'}/post`;
    const sent = message(topic ?? usual, body);
    const saidAt = gmtCreate ?? time ?? (utcTime === undefined ? undefined : Date.parse(utcTime));
    const generateTime = saidAt === undefined ? EPOCH + 1_600_000 : saidAt + 7;
    return { ...sent, applicationProperties: { ...sent.applicationProperties, generateTime } };
  });

/**
 * What nobody can understand, and the reason that must stand with it.
 * @type {readonly { reason: string, sent: Sent }[]}
 */
export const poison = [
  { reason: 'not-json', sent: message('/i1Poison/p-1/thing/event/property/post', '{"productKey":"i1Poison",') },
  {
    reason: 'not-json',
    sent: message('/i1Poison/p-1/thing/event/property/post', Buffer.from([0x7b, 0x00, 0xff, 0x7d])),
  },
  { reason: 'not-json', sent: message('/i1Poison/p-1/thing/event/property/post', '') },
  { reason: 'not-an-object', sent: message('/i1Poison/p-1/thing/event/property/post', '[1, 2]') },
  { reason: 'too-deep', sent: message('/i1Poison/p-1/thing/event/property/post', '['.repeat(10_000)) },
  {
    reason: 'invalid-body',
    sent: message('/i1Poison/p-1/thing/lifecycle', { action: 'explode', productKey: 'i1Poison', deviceName: 'p-1' }),
  },
  { reason: 'unknown-topic', sent: message('nowhere', { some: 'thing' }) },
  { reason: 'no-topic', sent: message(null, { some: 'thing' }) },
  {
    reason: 'no-topic', // a topic that is no text is none
    sent: {
      ...message(null, 'x'),
      applicationProperties: {
        topic: 7,
        messageId: ['ulong', 42],
        generateTime: ['double', 0.5],
        'odd\u0000\ud83d\ude00 name': 'a\u0000b',
      },
    },
  },
  {
    reason: 'no-topic',
    sent: { body: Buffer.from('no property at all').toString('base64'), applicationProperties: {} },
  },
];

/** Everything once, poison among the rest. @type {readonly Sent[]} */
export const all = [...catalogue, ...forms, inSections, ...field].flatMap((sent, index) => {
  const bad = poison[index / 5];
  return bad === undefined ? [sent] : [bad.sent, sent];
});

/**
 * One message of a long stream: the n-th report of one of 40 devices, with a value that tells which it was.
 * @param {number} n
 * @returns {Sent}
 */
export function streamed(n) {
  const device = n % 40;
  const at = STREAM_FROM + n;
  const name = `s-${device}`;
  return {
    body: Buffer.from(
      `{"productKey":"i1Stream","deviceName":"${name}","gmtCreate":${at},"items":{"count":{"value":${n}.25,"time":${at}}}}`,
    ).toString('base64'),
    applicationProperties: {
      topic: `/i1Stream/${name}/thing/event/property/post`,
      messageId: `18190000000000${String(n).padStart(5, '0')}`,
      generateTime: at,
    },
  };
}

/** Messages of today, as in real life: their keys are remembered. */
export const STREAM_FROM = Date.now() - 3_600_000;
