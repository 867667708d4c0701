import fc from 'fast-check';
import type { RawMessage } from '../../src/domain/raw-message.js';
import { aMessage, NOON } from '../support/messages.js';

/**
 * What the property-based test sends: drawn from so few devices, instants and values that ties, repeats, late binds and
 * devices made anew are the rule and not the exception.
 */
export type Fact =
  | {
      readonly kind: 'report';
      readonly device: string;
      readonly sent: number;
      readonly iotId: string;
      readonly deviceType: string;
      readonly items: readonly Item[];
    }
  | { readonly kind: 'batch'; readonly device: string; readonly items: readonly Item[] }
  | {
      readonly kind: 'status';
      readonly device: string;
      readonly online: boolean;
      readonly lastPacket: number | null;
      readonly time: number;
      readonly gatewayed: boolean;
      readonly reason: number | null;
    }
  | { readonly kind: 'living-status'; readonly device: string; readonly online: boolean; readonly time: number }
  | {
      readonly kind: 'binding';
      readonly device: string;
      readonly bound: boolean;
      readonly identityId: string;
      readonly owned: boolean;
      readonly time: number;
    }
  | {
      readonly kind: 'lifecycle';
      readonly device: string;
      readonly action: string;
      readonly time: number;
      readonly iotId: string;
    }
  | {
      readonly kind: 'tags';
      readonly device: string;
      readonly key: string;
      readonly value: string;
      readonly time: number;
    }
  | {
      readonly kind: 'topology';
      readonly gateway: string;
      readonly device: string;
      readonly action: string;
      readonly time: number;
    }
  | {
      readonly kind: 'event';
      readonly device: string;
      readonly identifier: string;
      readonly name: string | null;
      readonly value: string;
      readonly time: number;
    }
  | { readonly kind: 'check-failed'; readonly device: string; readonly identifier: string; readonly time: number }
  | { readonly kind: 'poison'; readonly device: string };

export interface Item {
  readonly identifier: string;
  readonly value: PoolValue;
  readonly time: number;
}

/** A value as it is sent, as the mirror shows it, and its place in the fixed order. */
export interface PoolValue {
  readonly sent: string;
  readonly shown: string;
  readonly rank: number;
}

/** In the fixed order: numbers by size, then the others by the bytes of their canonical text. `99` stands there in three spellings. */
const POOL: readonly PoolValue[] = [
  { sent: '-1', shown: '-1', rank: 0 },
  { sent: '99', shown: '99', rank: 1 },
  { sent: '99.0', shown: '99', rank: 1 },
  { sent: '99.00000000000000', shown: '99', rank: 1 },
  { sent: '100', shown: '100', rank: 2 },
  { sent: '12345678901234567890', shown: '12345678901234567890', rank: 3 },
  { sent: '"99"', shown: '"99"', rank: 4 },
  { sent: '"b"', shown: '"b"', rank: 5 },
  { sent: '{"bb":2,"a":1}', shown: '{"a": 1, "bb": 2}', rank: 6 },
];

/** Epoch milliseconds of one of the few instants. */
export const instant = (index: number): number => NOON + index * 1000;

const device = fc.constantFrom('d1', 'd1', 'd2');
const time = fc.integer({ min: 0, max: 3 });
const item = fc.record({
  identifier: fc.constantFrom('p', 'p', 'q'),
  value: fc.constantFrom(...POOL),
  time: fc.integer({ min: 0, max: 2 }),
});
const items = fc.uniqueArray(item, { minLength: 1, maxLength: 2, selector: ({ identifier }) => identifier });

/** The kinds of facts, the most contested ones the most frequent. */
const KINDS: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Fact> }[] = [
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      device,
      sent: time,
      iotId: fc.constantFrom('', 'i1', 'i2'),
      deviceType: fc.constantFrom('A', 'B'),
      items,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('batch' as const),
      device,
      items: fc.array(item, { minLength: 2, maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('status' as const),
      device,
      online: fc.boolean(),
      lastPacket: fc.option(time, { nil: null }),
      time,
      gatewayed: fc.boolean(),
      reason: fc.option(fc.constantFrom(427, 428), { nil: null }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('living-status' as const), device, online: fc.boolean(), time }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('binding' as const),
      device: fc.constant('d1'),
      bound: fc.boolean(),
      identityId: fc.constantFrom('u1', 'u1', 'u2'),
      owned: fc.boolean(),
      time: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('lifecycle' as const),
      device,
      action: fc.constantFrom('create', 'create', 'delete', 'enable'),
      time,
      iotId: fc.constantFrom('', 'i3'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('tags' as const),
      device,
      key: fc.constantFrom('k', 'l'),
      value: fc.constantFrom('x', 'y'),
      time,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('topology' as const),
      gateway: fc.constantFrom('g1', 'g2'),
      device,
      action: fc.constantFrom('create', 'delete'),
      time,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      device: fc.constant('d1'),
      identifier: fc.constantFrom('e', 'e', 'f'),
      name: fc.constantFrom(null, 'n1', 'n2'),
      value: fc.constantFrom('{"a":1}', '{"a":1.0}', '{"a":2}'),
      time: fc.constantFrom(0, 0, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('check-failed' as const),
      device,
      identifier: fc.constantFrom('p', 'q'),
      time,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('poison' as const), device }) },
];

const anyFact = fc.oneof(...KINDS);

/**
 * The facts of one history: of all kinds in half of the histories, of a single kind in the others, where they contend for
 * the same rows at the same instants.
 */
export function history<T>(of: (fact: fc.Arbitrary<Fact>) => fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  const facts = (fact: fc.Arbitrary<Fact>): fc.Arbitrary<T[]> => fc.array(of(fact), { minLength: 1, maxLength: 7 });
  return fc.oneof(facts(anyFact), fc.oneof(...KINDS.map(({ arbitrary }) => facts(arbitrary))));
}

/** The platform's message for a fact about a device of the product, with this message id. */
export function messageOf(fact: Fact, productKey: string, messageId: string): RawMessage {
  const { topic, body } = wireForm(fact, productKey);
  return aMessage({ messageId, topic, body, generateTime: String(instant(9)) });
}

function wireForm(fact: Fact, productKey: string): { readonly topic: string; readonly body: string } {
  const of = (deviceName: string): string => `"productKey":"${productKey}","deviceName":"${deviceName}"`;
  const topic = (suffix: string, deviceName = 'device' in fact ? fact.device : ''): string =>
    `/${productKey}/${deviceName}/${suffix}`;
  switch (fact.kind) {
    case 'report': {
      const body = fact.items.map(
        ({ identifier, value, time: t }) => `"${identifier}":{"value":${value.sent},"time":${instant(t)}}`,
      );
      const { iotId, deviceType, sent } = fact;
      return {
        topic: topic('thing/event/property/post'),
        body: `{${of(fact.device)},"iotId":"${iotId}","deviceType":"${deviceType}","gmtCreate":${instant(sent)},"items":{${body.join(',')}}}`,
      };
    }
    case 'batch': {
      const samples = (id: string): string =>
        fact.items
          .filter(({ identifier }) => identifier === id)
          .map(({ value, time: t }) => `{"value":${value.sent},"time":${instant(t)}}`)
          .join(',');
      return {
        topic: topic('thing/property/batch/post'),
        body: `{${of(fact.device)},"payload":{"p":[${samples('p')}],"q":[${samples('q')}]}}`,
      };
    }
    case 'status': {
      const { online, lastPacket, gatewayed, reason } = fact;
      const utc = (index: number): string => new Date(instant(index)).toISOString();
      const last = lastPacket === null ? '' : `,"utcLastTime":"${utc(lastPacket)}"`;
      const offline = online || reason === null ? '' : `,"offlineReasonCode":${reason}`;
      return {
        topic: gatewayed ? `/sys${topic('device/status/notify')}` : `/as/mqtt/status${topic('').slice(0, -1)}`,
        body: `{${of(fact.device)},"status":"${online ? 'online' : 'offline'}","utcTime":"${utc(fact.time)}"${last}${offline}${gatewayed ? ',"protocol":"sl651"' : ''}}`,
      };
    }
    case 'living-status': {
      const { online } = fact;
      return {
        topic: `/mqtt/status/${productKey}/${fact.device}`,
        body: `{${of(fact.device)},"action":"${online ? 'online' : 'offline'}","status":{"value":"${online ? 1 : 0}","time":${instant(fact.time)}}}`,
      };
    }
    case 'binding': {
      const { bound, identityId, owned } = fact;
      const who = `{"identityId":"${identityId}","scopeId":"","tenantId":"t","owned":${owned ? 1 : 0}}`;
      return {
        topic: topic('thing/awss/enrollee/user'),
        body: `{${of(fact.device)},"iotId":"","bind":${bound},"messageCreateTime":${instant(fact.time)},"identityInfos":[${who}]}`,
      };
    }
    case 'lifecycle':
      return {
        topic: topic('thing/lifecycle'),
        body: `{${of(fact.device)},"action":"${fact.action}","iotId":"${fact.iotId}","messageCreateTime":${instant(fact.time)}}`,
      };
    case 'tags':
      return {
        topic: topic('thing/deviceinfo/update'),
        body: `{${of(fact.device)},"value":[{"attrKey":"${fact.key}","attrValue":"${fact.value}"}],"messageCreateTime":${instant(fact.time)}}`,
      };
    case 'topology':
      return {
        topic: topic('thing/topo/lifecycle', fact.gateway),
        body: `{"gwProductKey":"${productKey}","gwDeviceName":"${fact.gateway}","devices":[{${of(fact.device)}}],"action":"${fact.action}","messageCreateTime":${instant(fact.time)}}`,
      };
    case 'event': {
      const name = fact.name === null ? '' : `,"name":"${fact.name}"`;
      return {
        topic: topic(`thing/event/${fact.identifier}/post`),
        body: `{${of(fact.device)},"identifier":"${fact.identifier}","type":"info"${name},"value":${fact.value},"time":${instant(fact.time)}}`,
      };
    }
    case 'check-failed': {
      const failure = `"${fact.identifier}":{"code":6306,"message":"wrong type","value":"15","time":${instant(fact.time)}}`;
      return {
        topic: topic('thing/event/property/post'),
        body: `{${of(fact.device)},"items":{},"checkFailedData":{${failure}}}`,
      };
    }
    case 'poison':
      return { topic: topic('thing/event/property/post'), body: `{${of(fact.device)},"items":` };
    default:
      return fact satisfies never;
  }
}
