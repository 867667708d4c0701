import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeMessage } from '../../src/decoding/decode-message.js';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import { mirrorRows, type MirrorRows } from '../support/mirror-rows.js';
import { openStore, type TestStore } from '../support/writer.js';
import { history, messageOf, type Fact } from './facts.js';
import { verdict, type Verdict } from './referee.js';

/**
 * Promises 2 and 3, from bytes to tables: whatever the order, the repetition and the batching, the tables say what the
 * referee works out from the facts alone, and each message counts once. Many examples share a database and its batches,
 * each with a product of its own.
 */

let store: TestStore;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

/** How many examples share their batches, and how many such rounds there are. */
const EXAMPLES_A_ROUND = 40;
const ROUNDS = Number(process.env['PROMISES_ROUNDS'] ?? 52);

interface Example {
  /** Each fact, and whether a second message (another id) carries it too. */
  readonly facts: readonly { readonly fact: Fact; readonly toldTwice: boolean }[];
  /** Deliveries: which message (modulo their number), and whether a new batch begins with it. */
  readonly deliveries: readonly { readonly message: number; readonly newBatch: boolean }[];
  /** The order of those that no delivery above named: by these numbers. */
  readonly lateOrder: readonly number[];
}

const anyExample: fc.Arbitrary<Example> = fc.record({
  facts: history((fact) => fc.record({ fact, toldTwice: fc.boolean() })),
  deliveries: fc.array(fc.record({ message: fc.nat(20), newBatch: fc.boolean() }), { maxLength: 14 }),
  lateOrder: fc.array(fc.nat(20), { minLength: 14, maxLength: 14 }),
});

/** The batches of one example: every message at least once. */
function batchesOf(example: Example, productKey: string): { batches: DecodedMessage[][]; messages: Fact[] } {
  const told = example.facts.flatMap(({ fact, toldTwice }) => (toldTwice ? [fact, fact] : [fact]));
  const decoded = told.map((fact, index) =>
    decodeMessage(messageOf(fact, productKey, `${productKey}-${index}`), { bodyIdentity: 'topic' }),
  );
  const batches: DecodedMessage[][] = [[]];
  const named = new Set<number>();
  for (const { message, newBatch } of example.deliveries) {
    const index = message % decoded.length;
    named.add(index);
    if (newBatch) batches.push([]);
    batches.at(-1)?.push(...decoded.slice(index, index + 1));
  }
  const late = [...decoded.keys()].filter((index) => !named.has(index));
  late.sort((a, b) => (example.lateOrder[a % 14] ?? 0) - (example.lateOrder[b % 14] ?? 0));
  batches.push(late.flatMap((index) => decoded.slice(index, index + 1)));
  return { batches, messages: told };
}

let rounds = 0;

async function check(examples: readonly Example[]): Promise<void> {
  const prefix = `round${++rounds}x`;
  const products = examples.map((example, index) => {
    const productKey = `${prefix}${String(index).padStart(3, '0')}`;
    return { productKey, example, ...batchesOf(example, productKey) };
  });
  const outcomes = new Map<string, string[]>();
  const most = Math.max(...products.map(({ batches }) => batches.length));
  for (let batch = 0; batch < most; batch++) {
    const together = products.flatMap(({ productKey, batches }) =>
      (batches[batch] ?? []).map((message) => ({ productKey, message })),
    );
    const results = await store.writer.write(together.map(({ message }) => message));
    together.forEach(({ productKey }, index) => {
      outcomes.set(productKey, [...(outcomes.get(productKey) ?? []), results[index] ?? 'none']);
    });
  }
  const rows = await mirrorRows(store.prisma, prefix);
  const aside = await setAsideByProduct(prefix);
  for (const { productKey, example, batches, messages } of products) {
    const facts = example.facts.map(({ fact }) => fact);
    expect(asVerdict(rows.get(productKey), aside.get(productKey) ?? 0)).toEqual(verdict(facts, messages));
    const deliveries = batches.flat().length;
    const counted = (outcome: string): number =>
      (outcomes.get(productKey) ?? []).filter((one) => one === outcome).length;
    expect({ first: counted('stored') + counted('set-aside'), again: counted('duplicate') }).toEqual({
      first: messages.length,
      again: deliveries - messages.length,
    });
  }
}

function asVerdict(rows: MirrorRows | undefined, setAside: number): Verdict {
  const { devices = [], tags = [], properties = [], readings = [], events = [], bindings = [] } = rows ?? {};
  return {
    devices: devices
      .map((row) => JSON.parse(row) as { deviceName: string })
      .sort((a, b) => (a.deviceName < b.deviceName ? -1 : 1)),
    tags,
    properties,
    readings,
    events: events.map((row) => row.split(' ').slice(0, 6).join(' ')).sort(),
    bindings: bindings
      .map((row) => JSON.parse(row.slice(0, row.lastIndexOf('}') + 1)) as Record<string, unknown>)
      .map(({ identityId, scopeId, tenantId, at, bound, owned, from, until }) => ({
        identityId,
        scopeId,
        tenantId,
        at,
        bound,
        owned,
        from,
        until,
      }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    setAside,
  };
}

async function setAsideByProduct(prefix: string): Promise<Map<string, number>> {
  const rows = await store.prisma.$queryRawUnsafe<{ pk: string; count: number }[]>(
    `SELECT split_part("topic", '/', 2) AS pk, count(*)::int AS count FROM "SetAsideMessage" WHERE "topic" LIKE '/' || $1::text || '%' GROUP BY 1`,
    prefix,
  );
  return new Map(rows.map(({ pk, count }) => [pk, count]));
}

describe('the mirror', () => {
  it('says the same whatever the order, the repetition and the batching', async () => {
    const round = fc.array(anyExample, { minLength: EXAMPLES_A_ROUND, maxLength: EXAMPLES_A_ROUND });
    await fc.assert(fc.asyncProperty(round, check), {
      numRuns: ROUNDS,
      endOnFailure: process.env['PROMISES_ROUNDS'] !== undefined,
    });
  }, 240_000);
});
