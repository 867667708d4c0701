import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NOON } from '../../test/support/messages.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';
import { canonicalJson } from './canonical-json.js';
import { decodeMessage } from './decode-message.js';
import { parseJson } from './parse-json.js';
import { isShort, isStorable } from './storable-text.js';

const SUFFIXES = [
  'thing/event/property/post',
  'thing/event/X/history/post',
  'thing/property/batch/post',
  'thing/event/batch/post',
  'thing/downlink/reply/message',
  'thing/awss/enrollee/user',
  'thing/lifecycle',
  'thing/topo/lifecycle',
  'thing/list/found',
  'thing/deviceinfo/update',
  'ota/upgrade',
  'ota/progress/post',
  'ota/version/post',
  'job/ota/job/status',
  'mqtt/status',
  'user/x',
].map((suffix) => `/pk/dn/${suffix}`);

const topic = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...SUFFIXES) },
  fc.constantFrom(null, '', '/', '/mqtt/status/pk/dn', '/as/mqtt/status/pk/dn'),
  fc.string({ unit: 'binary' }),
);

const time = fc.oneof(
  fc.constantFrom(NOON, String(NOON), NOON + 1e9, -1e300, 'x', '2026-11-20T12:00:00.000Z', null, {}),
  fc.integer(),
);
const text = fc.oneof(
  fc.constantFrom('pk', 'dn', 'create', 'online', '', 'null', '1', '\0', '\ud800', 'd'.repeat(300)),
  fc.string(),
);
const { wild } = fc.letrec<{ wild: unknown }>((tie) => ({
  wild: fc.oneof(
    { maxDepth: 3 },
    text,
    time,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('wild'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(text, fc.constantFrom('value', 'time', '__proto__', 'deviceSecret')), tie('wild'), {
      maxKeys: 4,
    }),
  ),
}));

/** A body with the right fields, each of which may be right, wild or missing. */
const maybe = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> => fc.oneof({ weight: 4, arbitrary: right }, wild);
const item = maybe(fc.record({ value: wild, time: maybe(time) }, { requiredKeys: [] }));
const device = maybe(
  fc.record({ productKey: maybe(text), deviceName: maybe(text), iotId: wild }, { requiredKeys: [] }),
);
const FIELDS: Record<string, fc.Arbitrary<unknown>> = {
  productKey: maybe(fc.constant('pk')),
  deviceName: maybe(fc.constant('dn')),
  gwProductKey: maybe(fc.constant('pk')),
  gwDeviceName: maybe(fc.constant('dn')),
  iotId: maybe(text),
  deviceType: maybe(text),
  gmtCreate: maybe(time),
  messageCreateTime: maybe(time),
  time: maybe(time),
  utcTime: maybe(time),
  utcLastTime: maybe(time),
  items: maybe(fc.dictionary(text, item, { maxKeys: 3 })),
  checkFailedData: maybe(fc.dictionary(text, item, { maxKeys: 2 })),
  payload: maybe(fc.dictionary(text, maybe(fc.array(item, { maxLength: 3 })), { maxKeys: 3 })),
  identifier: maybe(text),
  value: maybe(fc.oneof(wild, fc.array(fc.record({ attrKey: maybe(text), attrValue: maybe(text) })))),
  requestId: maybe(text),
  code: maybe(fc.integer()),
  data: wild,
  status: maybe(
    fc.oneof(fc.constantFrom('online', 'offline', 'SUCCEEDED'), fc.record({ value: maybe(text), time: maybe(time) })),
  ),
  offlineReasonCode: maybe(fc.integer()),
  protocol: maybe(text),
  action: maybe(fc.constantFrom('create', 'add', 'disable', 'online')),
  devices: maybe(fc.array(device, { maxLength: 3 })),
  bind: maybe(fc.boolean()),
  identityInfos: maybe(
    fc.array(maybe(fc.record({ identityId: maybe(text), owned: maybe(fc.nat(2)) })), { maxLength: 3 }),
  ),
  jobId: maybe(text),
  taskId: maybe(text),
  packageId: maybe(text),
  step: maybe(fc.integer()),
  moduleVersion: maybe(text),
};

/** The fields of one kind of message, or of two that somebody mixed. */
const KINDS = [
  ['items', 'checkFailedData', 'requestId', 'gmtCreate'],
  ['identifier', 'value', 'time', 'requestId', 'checkFailedData'],
  ['payload', 'requestId', 'gmtCreate'],
  ['requestId', 'code', 'gmtCreate', 'data'],
  ['status', 'action', 'gmtCreate', 'utcTime', 'utcLastTime', 'offlineReasonCode', 'protocol'],
  ['bind', 'identityInfos', 'messageCreateTime'],
  ['action', 'messageCreateTime'],
  ['gwProductKey', 'gwDeviceName', 'action', 'devices', 'messageCreateTime'],
  ['gwProductKey', 'gwDeviceName', 'devices'],
  ['value', 'messageCreateTime'],
  ['status', 'jobId', 'taskId', 'step', 'messageCreateTime'],
  ['moduleVersion', 'messageCreateTime'],
  ['packageId', 'jobId', 'status', 'messageCreateTime'],
];
const shaped = fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom([], ...KINDS)).chain(([kind, mixedIn]) => {
  const names = ['productKey', 'deviceName', 'iotId', 'deviceType', ...kind, ...mixedIn];
  return fc.record(Object.fromEntries(names.map((name) => [name, FIELDS[name] ?? wild])), { requiredKeys: kind });
});

/** Cuts, repeats and overwrites: JSON that is almost JSON. */
const mangled = fc
  .tuple(
    shaped,
    fc.array(fc.tuple(fc.nat(), fc.nat(20), fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 3 }),
  )
  .map(([body, edits]) =>
    edits.reduce((sofar, [where, cut, insert]) => {
      const start = where % (sofar.length + 1);
      return sofar.slice(0, start) + insert + sofar.slice(start + cut);
    }, JSON.stringify(body)),
  );

const body = fc.oneof(
  { weight: 6, arbitrary: shaped.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 2, arbitrary: mangled.map((value) => Buffer.from(value)) },
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);

const message: fc.Arbitrary<RawMessage> = fc.record({
  transport: fc.constant('amqp'),
  messageId: fc.option(text),
  topic,
  generateTime: fc.option(fc.oneof(fc.constant(String(NOON)), text)),
  properties: fc.dictionary(text, text, { maxKeys: 2 }),
  body,
  fault: fc.constant(null),
  receivedAt: fc.constant(new Date(NOON + 500)),
});

describe('decodeMessage', () => {
  it('never throws: whatever comes is events that can be kept, or a refusal', () => {
    fc.assert(
      fc.property(message, fc.constantFrom('topic' as const, 'any' as const), (raw, bodyIdentity) => {
        const decoded = decodeMessage(raw, { bodyIdentity });
        expectKeepable(decoded);
        expect(isDeepStrictEqual(decodeMessage(raw, { bodyIdentity }), decoded)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

/** One `expect` for everything that may be wrong with a message: thousands of them are slow. */
function expectKeepable({ key, sentAt, events, refusal }: DecodedMessage): void {
  const faults: string[] = [];
  if (!/^[0-9a-f]{32}$/.test(key)) faults.push(`key ${key}`);
  collectFaults({ sentAt }, faults);
  if (refusal !== null) {
    collectFaults(refusal, faults);
    if (events.length > 0) faults.push('refused, with events');
    // the net below the decoders caught a mistake of theirs
    if (refusal.detail.startsWith('Decoding failed')) faults.push(refusal.detail);
  }
  for (const event of events) collectFaults(event, faults);
  expect(faults).toEqual([]);
}

/** Looks at every field of an event, whatever its kind. */
function collectFaults(fields: object, faults: string[]): void {
  for (const [name, field] of Object.entries(fields) as [string, unknown][]) {
    if (field instanceof Date) {
      if (!(field >= FIRST && field <= LAST)) faults.push(`${name} ${field.getTime()}`);
    } else if (typeof field === 'string') {
      if (!isStorable(field) || !isKeepableText(name, field)) faults.push(`${name} ${field}`);
    } else if (typeof field === 'object' && field !== null) collectFaults(field, faults);
  }
}

/** Values and presence details are canonical JSON; identifiers and the like are short. */
function isKeepableText(name: string, text: string): boolean {
  if (name === 'topic') return true;
  if (name !== 'text' && name !== 'value' && name !== 'detail') return isShort(text);
  const parsed = parseJson(text);
  const isJson = 'value' in parsed && canonicalJson(parsed.value) === text;
  return isJson || (name !== 'text' && text.length <= 500); // a tag's value, a refusal's detail
}

const FIRST = new Date('0001-01-01T00:00:00.000Z');
const LAST = new Date('9999-12-31T23:59:59.999Z');
