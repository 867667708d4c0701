import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeMessage } from '../../src/decoding/decode-message.js';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import { encodeMessage } from '../../src/simulator/amqp/encode-message.js';
import { Registry } from '../../src/simulator/devices/registry.js';
import { FAULT_KINDS } from '../../src/simulator/faults/catalogue.js';
import { Fleet } from '../../src/simulator/fleet/fleet.js';
import { demoMembers, demoProducts } from '../../src/simulator/fleet/line-up.js';
import type { PlatformMessage } from '../../src/simulator/platform/platform-message.js';
import { Random } from '../../src/simulator/random.js';
import { startSimulator } from '../../src/simulator/simulator.js';
import { rawMessage } from '../../src/transports/amqp/raw-message.js';
import { NOON } from '../support/messages.js';
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

const verdict = async () => differences(referee.expected(), await actualRows(store.url)).slice(0, 10);

describe('the referee agrees with the tables', () => {
  it.each(['living', 'enterprise', 'both'] as const)('on the life of a fleet of %s devices', async (flavour) => {
    const messages = await live({ seed: flavour, flavour, faults: [], steps: 500 });
    expect(messages.length).toBeGreaterThan(500);
    expect(await verdict()).toEqual([]);
    expect(referee.setAside).toBe(0);
  });

  it.each(STREAM_FAULTS)('on a fleet with %s', async (fault) => {
    await live({ seed: fault, flavour: 'both', faults: [fault], steps: 300 });
    expect(await verdict()).toEqual([]);
  });

  it('on a fleet with all of them at once', async () => {
    await live({ seed: 'all', flavour: 'both', faults: STREAM_FAULTS, steps: 1_000 });
    expect(await verdict()).toEqual([]);
    expect(referee.setAside).toBeGreaterThan(100);
  });
});
