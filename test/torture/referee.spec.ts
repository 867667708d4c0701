import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { decodeMessage } from '../../src/decoding/decode-message.js';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import type { RawMessage } from '../../src/domain/raw-message.js';
import { encodeMessage } from '../../src/simulator/amqp/encode-message.js';
import { Registry } from '../../src/simulator/devices/registry.js';
import { FAULT_KINDS } from '../../src/simulator/faults/catalogue.js';
import { Fleet } from '../../src/simulator/fleet/fleet.js';
import { demoMembers, demoProducts } from '../../src/simulator/fleet/line-up.js';
import type { PlatformMessage } from '../../src/simulator/platform/platform-message.js';
import { Random } from '../../src/simulator/random.js';
import { startSimulator } from '../../src/simulator/simulator.js';
import { StorageKeeper } from '../../src/storage/storage.keeper.js';
import { rawMessage } from '../../src/transports/amqp/raw-message.js';
import { history, messageOf } from '../promises/facts.js';
import { aMessage, LOCK, NOON } from '../support/messages.js';
import { openStore, type TestStore } from '../support/writer.js';
import { actualRows } from './referee/actual-rows.mjs';
import { differences } from './referee/differences.mjs';
import { asPublished } from './referee/published.mjs';
import { Referee } from './referee/referee.mjs';

/**
 * The referee of `npm run torture` against the real decoder and writer: whatever the simulator says, however it is spoilt, both
 * must come to the same tables; and a single changed row must not escape it.
 */

let store: TestStore;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

/** One for the whole file: what one fault did is mixed with what the others did to the same devices at the same times. */
const referee = new Referee({ receipt: () => NOON });

const STREAM_FAULTS = FAULT_KINDS.map(({ name }) => name).slice(
  0,
  FAULT_KINDS.findIndex(({ name }) => name === 'disconnects'),
);
/** So much that every way of a fault comes several times, beside its default of a few in a hundred. */
const OFTEN: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'clock-skew': { devices: 0.5 },
  oddities: { share: 0.6 },
  poison: { share: 0.3 },
  'unknown-topics': { share: 0.3 },
  duplicates: { share: 0.3, copies: 2 },
};

interface Life {
  readonly seed: string;
  readonly flavour: 'living' | 'enterprise' | 'both';
  readonly faults: readonly string[];
  readonly steps: number;
}

/** Every message of a small fleet's life, as the simulator published it. */
async function lived({ seed, flavour, faults, steps }: Life): Promise<PlatformMessage[]> {
  let now = NOON;
  const published: PlatformMessage[] = [];
  const simulator = await startSimulator({
    seed,
    clock: () => now,
    onPublished: (message) => published.push(message),
  });
  for (const name of faults) simulator.faults.start(name, OFTEN[name] ?? {});
  const fleet = new Fleet({ seed, members: demoMembers(demoProducts(flavour), 13), registry: new Registry() });
  for (const publication of fleet.start(now)) simulator.publish(publication);
  for (let step = 0; step < steps; step++) {
    now += 1_500;
    for (const publication of fleet.next(now)) simulator.publish(publication);
  }
  await simulator.stop(); // what faults held back comes last
  return published;
}

/** Writes messages in an order of chance, some of them twice, in batches of chance. */
async function mirror(messages: readonly PlatformMessage[], seed: string): Promise<void> {
  const random = new Random(`deliveries/${seed}`);
  const deliveries = random.shuffled([...messages, ...messages.filter(() => random.chance(0.2))]);
  while (deliveries.length > 0) {
    const batch = deliveries.splice(0, random.whole(1, 300));
    await store.writer.write(batch.map((message) => decoded(message, NOON + random.whole(0, 3_600_000))));
  }
}

function decoded(message: PlatformMessage, receivedAt: number): DecodedMessage {
  const raw = rawMessage(encodeMessage(message, false), { encode: undefined, receivedAt: new Date(receivedAt) });
  return decodeMessage(raw, { bodyIdentity: 'topic' });
}

async function live(life: Life): Promise<readonly PlatformMessage[]> {
  const messages = await lived(life);
  for (const message of messages) referee.add(asPublished(message));
  await mirror(messages, life.seed);
  return messages;
}

/** The same for messages that the simulator does not make: neighbours partly in one batch, partly in several. */
async function tell(messages: readonly RawMessage[]): Promise<void> {
  for (const { messageId: id, topic, generateTime, body } of messages) {
    referee.add({ id, topic, generateTime, properties: {}, body });
  }
  const random = new Random('deliveries');
  for (let from = 0; from < messages.length; from += 100) {
    const some = random.shuffled(messages.slice(from, from + 100));
    while (some.length > 0) {
      const batch = some.splice(0, random.whole(1, 100));
      await store.writer.write(batch.map((message) => decodeMessage(message, { bodyIdentity: 'topic' })));
    }
  }
}

const verdict = async (most = 10) => differences(referee.expected(), await actualRows(store.url)).slice(0, most);

describe('the referee agrees with the tables', () => {
  it.each(['living', 'enterprise', 'both'] as const)('on the life of a fleet of %s devices', async (flavour) => {
    const messages = await live({ seed: flavour, flavour, faults: [], steps: 200 });
    expect(messages.length).toBeGreaterThan(200);
    expect(await verdict()).toEqual([]);
    expect(referee.setAside).toBe(0);
  });

  it.each(STREAM_FAULTS)('on a fleet with %s', async (fault) => {
    await live({ seed: fault, flavour: 'both', faults: [fault], steps: 120 });
    expect(await verdict()).toEqual([]);
  });

  it('on a fleet with all of them at once', async () => {
    await live({ seed: 'all', flavour: 'both', faults: STREAM_FAULTS, steps: 250 });
    expect(await verdict()).toEqual([]);
    expect(referee.setAside).toBeGreaterThan(60);
  });

  it('on histories in which every rule decides something', async () => {
    const histories = fc.sample(
      history((fact) => fact),
      { numRuns: 300, seed: 4 },
    );
    await tell(
      histories.flatMap((facts, product) =>
        facts.map((fact, index) => messageOf(fact, `history${product}`, `${product}-${index}`)),
      ),
    );
    expect(await verdict()).toEqual([]);
  });

  it('on events that several messages tell, each with other words beside the fact', async () => {
    const words = ['a', 'b', 'c', undefined].map((word) => ({ name: word, type: word, requestId: word }));
    const events = Array.from({ length: 20 }, (_, n) => ({ ...LOCK, identifier: 'Told', value: { n }, time: NOON }));
    const topic = `/${LOCK.productKey}/${LOCK.deviceName}/thing/event/Told/post`;
    await tell(events.flatMap((event) => words.map((word) => aMessage({ topic, body: { ...event, ...word } }))));
    expect(await verdict()).toEqual([]);
  });
});

describe('the referee notices', () => {
  // Each its own row, far from the others': a row that is wrong already could not become wrong.
  const reading = (n: number): string =>
    `("seriesId", "at") = (SELECT "seriesId", "at" FROM "PropertyReading" WHERE "number" IS NOT NULL ORDER BY 1, 2 OFFSET ${n * 10} LIMIT 1)`;
  const event = (n: number): string =>
    `("at", "hash") = (SELECT "at", "hash" FROM "EventLog" WHERE "kind" = 'event-raised' ORDER BY 1, 2 OFFSET ${n * 10} LIMIT 1)`;
  const binding = (n: number): string =>
    `ctid = (SELECT ctid FROM "UserBinding" WHERE "until" IS NULL ORDER BY "at", "identityId" OFFSET ${n} LIMIT 1)`;
  const aside = (n: number): string =>
    `"id" = (SELECT "id" FROM "SetAsideMessage" WHERE length("body") > 9 ORDER BY 1 OFFSET ${n} LIMIT 1)`;
  const TIMES = [
    'iotIdAt',
    'deviceTypeAt',
    'since',
    'presenceOrder',
    'lifecycleAt',
    'createdAt',
    'gatewayAt',
    'lastSeen',
  ];
  const NAMES = ['iotId', 'deviceType', 'lifecycle', 'gatewayProductKey', 'gatewayDeviceName'];
  const deviceColumns: readonly (readonly [column: string, value: string])[] = [
    ...TIMES.map((name) => [name, `coalesce("${name}", now()) - INTERVAL '1 year'`] as const),
    ...NAMES.map((name) => [name, `concat('x', "${name}")`] as const),
    ['online', 'NOT coalesce("online", FALSE)'],
    ['offlineReason', 'coalesce("offlineReason", 0) + 1'],
    ['firstSeen', `coalesce("firstSeen", now()) + INTERVAL '1 year'`],
  ];

  let known: number;
  beforeAll(async () => {
    known = (await verdict(Infinity)).length;
  });

  it.each<[what: string, table: string, sql: string, differences?: number]>([
    [
      'a reading of another value',
      'PropertyReading',
      `UPDATE "PropertyReading" SET "number" = "number" + 1 WHERE ${reading(1)}`,
    ],
    [
      'a reading of another time',
      'PropertyReading',
      `UPDATE "PropertyReading" SET "at" = "at" + INTERVAL '1 ms' WHERE ${reading(2)}`,
      2,
    ],
    [
      'a number kept as JSON',
      'PropertyReading',
      `UPDATE "PropertyReading" SET "json" = to_jsonb("number"), "number" = NULL WHERE ${reading(3)}`,
    ],
    ['a missing reading', 'PropertyReading', `DELETE FROM "PropertyReading" WHERE ${reading(4)}`],
    [
      'a surplus reading',
      'PropertyReading',
      `INSERT INTO "PropertyReading" ("at", "seriesId", "number") SELECT '2020-01-01', "id", 1 FROM "DeviceProperty" LIMIT 1`,
    ],
    ['a missing event', 'EventLog', `DELETE FROM "EventLog" WHERE ${event(1)}`],
    [
      'an event twice',
      'EventLog',
      `INSERT INTO "EventLog" SELECT "at", gen_random_uuid(), "deviceId", "productKey", "kind", "identifier", "name", "type", "requestId", "value", "receivedAt" FROM "EventLog" WHERE ${event(2)}`,
    ],
    ['an event of another name', 'EventLog', `UPDATE "EventLog" SET "name" = 'x' WHERE ${event(3)}`],
    ['an event of another value', 'EventLog', `UPDATE "EventLog" SET "value" = '{"x": 1}' WHERE ${event(4)}`, 2],
    [
      'an event of another device',
      'EventLog',
      `UPDATE "EventLog" SET "deviceId" = (SELECT max("id") FROM "Device") WHERE ${event(5)}`,
      2,
    ],
    ['a binding of another end', 'UserBinding', `UPDATE "UserBinding" SET "until" = "at" WHERE ${binding(1)}`],
    ['a missing binding', 'UserBinding', `DELETE FROM "UserBinding" WHERE ${binding(2)}`],
    [
      'a tag of another time',
      'DeviceTag',
      `UPDATE "DeviceTag" SET "at" = "at" - INTERVAL '1 s' WHERE ctid = (SELECT ctid FROM "DeviceTag" LIMIT 1)`,
    ],
    ['a surplus tag', 'DeviceTag', `INSERT INTO "DeviceTag" SELECT "id", 'x', 'y', now() FROM "Device" LIMIT 1`],
    [
      'an old current value',
      'DeviceProperty',
      `UPDATE "DeviceProperty" SET "number" = "number" - 1 WHERE "id" = (SELECT min("id") FROM "DeviceProperty" WHERE "number" IS NOT NULL)`,
    ],
    [
      'a forgotten current value',
      'DeviceProperty',
      `UPDATE "DeviceProperty" SET "at" = NULL, "number" = NULL WHERE "id" = (SELECT max("id") FROM "DeviceProperty" WHERE "number" IS NOT NULL)`,
    ],
    ['another reason', 'SetAsideMessage', `UPDATE "SetAsideMessage" SET "reason" = 'x' WHERE ${aside(1)}`],
    [
      'another byte',
      'SetAsideMessage',
      `UPDATE "SetAsideMessage" SET "body" = set_byte("body", 0, 1) WHERE ${aside(2)}`,
      2,
    ],
    ['a message set aside that is gone', 'SetAsideMessage', `DELETE FROM "SetAsideMessage" WHERE ${aside(3)}`],
    [
      'a message that was not seen',
      'SeenMessage',
      `DELETE FROM "SeenMessage" WHERE "key" = (SELECT "key" FROM "SeenMessage" LIMIT 1)`,
    ],
    ...deviceColumns.map(([column, value], index): [string, string, string] => [
      `a device's ${column}`,
      'Device',
      `UPDATE "Device" SET "${column}" = ${value} WHERE "id" = (SELECT "id" FROM "Device" ORDER BY "id" OFFSET ${index} LIMIT 1)`,
    ]),
  ])('%s', async (_, table, sql, more = 1) => {
    expect(await store.prisma.$executeRawUnsafe(sql)).toBe(1);
    const found = await verdict(Infinity);
    expect(found.filter((each) => each.table === table).length).toBeGreaterThan(0);
    expect(found.length - known).toBe(more);
    known = found.length;
  });
});

it('the referee judges readings that are packed like those that are not', async () => {
  const known = await verdict(Infinity);
  Logger.overrideLogger(false);
  const keeper = new StorageKeeper({ databaseUrl: store.url, packReadingsAfterDays: 1 });
  const work = await keeper.keep(new Date(Date.UTC(2100, 0, 1)));
  expect(work?.packed.size).toBeGreaterThan(0);
  expect(await verdict(Infinity)).toEqual(known);
});
