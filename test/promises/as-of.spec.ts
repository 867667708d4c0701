import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseFilter } from '../../src/api/filter/parse-filter.js';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import { AsOfReader } from '../../src/storage/as-of.reader.js';
import { ALL_FIELDS } from '../../src/storage/device-fields.js';
import { DeviceListReader } from '../../src/storage/device-list.reader.js';
import { DeviceReader, type DeviceView } from '../../src/storage/device.reader.js';
import { filterSql } from '../../src/storage/filter-sql.js';
import { JsonText } from '../../src/storage/json-text.js';
import { Parameters } from '../../src/storage/read-columns.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';
import { happenings, heardAt, moment, MOMENTS, ofProduct, upTo } from './happenings.js';

/**
 * The state as of a moment is what the mirror says that received what happened up to it and nothing else. Many histories share a
 * database: the whole of each goes to one product in some order and to another in another order, and what of it had happened by
 * a moment to a third.
 */

const EXAMPLES_A_ROUND = 25;
const ROUNDS = Number(process.env['PROMISES_ROUNDS'] ?? 10);
const FILTERS = [
  'online eq true',
  'not (lifecycle eq "delete") and lastSeen ge "2026-11-20T12:00:03Z"',
  'state.p gt 30 or state.q eq "x"',
  'tags.k eq "x" or gateway endsWith "g1"',
  'owner eq "u1" or iotId eq "i1"',
  'since lt "2026-11-20T12:00:02Z" or firstSeen ge "2026-11-20T12:00:04Z"',
];

const anyExample = fc.record({
  happenings,
  order: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
  moment: fc.integer({ min: -1, max: MOMENTS }),
  filter: fc.constantFrom(...FILTERS),
});
type Example = typeof anyExample extends fc.Arbitrary<infer T> ? T : never;

describe('the state as of a moment', () => {
  let store: TestStore;
  let now: DeviceReader;
  let asOf: AsOfReader;
  let snapshots: Snapshots;
  let round = 0;

  beforeAll(async () => {
    store = await openStore();
    snapshots = new Snapshots(store.prisma);
    now = new DeviceReader(snapshots);
    asOf = new AsOfReader(snapshots, {});
  });
  afterAll(() => store.close());

  /** Writes the events of many products, each product's in its order, `size` of each at a time. */
  async function write(products: readonly (readonly DeviceEvent[])[], size: number): Promise<void> {
    for (let from = 0; products.some((events) => events.length > from); from += size) {
      const batch = products.flatMap((events) => events.slice(from, from + size));
      await store.writer.write(batch.map((event) => decodedAs([event])));
    }
  }

  async function check(examples: readonly Example[]): Promise<void> {
    const prefix = `r${++round}x`;
    const products = examples.map((example, index) => {
      const key = (side: string): string => `${prefix}${String(index).padStart(2, '0')}${side}`;
      const events = (productKey: string): DeviceEvent[] =>
        example.happenings.map((each) => ofProduct(each, productKey));
      const at = moment(example.moment + 0.5);
      return { ...example, at, key, events };
    });
    await write(
      products.map(({ key, events }) => events(key('whole'))),
      100,
    );
    await write(
      products.map(({ key, events, order }) =>
        events(key('shuffled'))
          .map((event, index) => ({ event, rank: order[index] ?? 0 }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ event }) => event),
      ),
      3,
    );
    await write(
      products.map(({ key, events, at }) => cut(events(key('cut')), at)),
      100,
    );
    for (const { key, at, filter } of products) {
      const expected = await everyDevice(key('cut'));
      for (const side of ['whole', 'shuffled']) {
        const list = await asOf.list({ productKey: key(side), deleted: true, filter: null }, at, ALL);
        expect(list.next).toBeNull();
        expect(list.items.map((view) => plain(view, key(side)))).toEqual(expected);
      }
      await checkSingle(key, at);
      const matching = await asOf.list(
        { deleted: true, filter: parseFilter(`productKey eq "${key('whole')}" and (${filter})`) },
        at,
        ALL,
      );
      expect(matching.items.map(({ deviceName }) => deviceName)).toEqual(await matchingNow(key('cut'), filter));
    }
    expect(await rows(prefix, 'shuffled')).toEqual(await rows(prefix, 'whole'));
  }

  async function checkSingle(key: (side: string) => string, at: Date): Promise<void> {
    for (const deviceName of ['d1', 'd2']) {
      const device = { productKey: key('whole'), deviceName };
      const same = { productKey: key('cut'), deviceName };
      const view = await asOf.find(device, at);
      const viewNow = await now.find(same);
      expect(view && plain(view, key('whole'))).toEqual(viewNow && plain(viewNow, key('cut')));
      expect(await asOf.status(device, at)).toEqual(await now.status(same));
      expect(await asOf.properties(device, at, 'p')).toEqual(await now.properties(same, 'p'));
    }
  }

  async function everyDevice(productKey: string): Promise<unknown[]> {
    const field = { kind: 'attribute', name: 'productKey' } as const;
    const inProduct = { kind: 'compare', field, operator: 'eq', value: { type: 'text', text: productKey } } as const;
    const sort = { field: 'productKey', descending: false } as const;
    const { items } = await new DeviceListReader(snapshots).list({ filters: [inProduct] }, sort, ALL_FIELDS, ALL);
    return items.map((view) => plain(view as DeviceView, productKey));
  }

  async function matchingNow(productKey: string, filter: string): Promise<string[]> {
    const parameters = new Parameters();
    const condition = filterSql(parseFilter(filter), parameters);
    const product = parameters.add(productKey, 'text');
    const found = await store.prisma.$queryRawUnsafe<{ deviceName: string }[]>(
      `SELECT d."deviceName" FROM "Device" d WHERE d."productKey" = ${product} AND (${condition}) ORDER BY 1`,
      ...parameters.values,
    );
    return found.map(({ deviceName }) => deviceName);
  }

  /** The rows of history that a round's products have, without surrogate keys. */
  async function rows(prefix: string, side: string): Promise<string[]> {
    const found = await store.prisma.$queryRawUnsafe<{ row: string }[]>(
      `SELECT replace(d."productKey" || ' ' || d."deviceName" || ' ' || h.row::text, $2::text, '') AS row FROM (
         SELECT "deviceId", to_jsonb(k) - 'deviceId' AS row FROM "DeviceIdentity" k
         UNION ALL SELECT "deviceId", to_jsonb(k) - 'deviceId' FROM "DeviceHistory" k
         UNION ALL SELECT "deviceId", to_jsonb(k) - 'deviceId' FROM "PresenceHistory" k
       ) h JOIN "Device" d ON d."id" = h."deviceId" WHERE d."productKey" LIKE $1::text ORDER BY 1`,
      `${prefix}%${side}`,
      side,
    );
    return found.map(({ row }) => row);
  }

  it('is what a mirror says that heard of nothing later', async () => {
    const examples = fc.array(anyExample, { minLength: EXAMPLES_A_ROUND, maxLength: EXAMPLES_A_ROUND });
    await fc.assert(fc.asyncProperty(examples, check), { numRuns: ROUNDS, endOnFailure: true });
  }, 240_000);
});

const ALL = { limit: 100, after: null };

/** What had happened by then; and when a device was heard first, that it was, whoever told of it later. */
function cut(events: readonly DeviceEvent[], at: Date): DeviceEvent[] {
  const happened = events.flatMap((event) => upTo(event, at) ?? []);
  for (const deviceName of ['d1', 'd2']) {
    const heard = events.flatMap((event) =>
      'device' in event && event.device.deviceName === deviceName ? [event] : [],
    );
    const first = Math.min(...heard.flatMap(heardAt).map((time) => time.getTime()));
    const device = heard[0] && 'device' in heard[0] ? heard[0].device : null;
    if (device && first <= at.getTime()) {
      happened.push({ kind: 'version-reported', device, at: new Date(first), value: '{"heard": "first"}' });
    }
  }
  return happened;
}

/** A device without its product's key, JSON as text. */
function plain(view: DeviceView, productKey: string): unknown {
  return JSON.parse(
    JSON.stringify(view, (_, value: unknown) => (value instanceof JsonText ? value.text : value)).replaceAll(
      productKey,
      '{pk}',
    ),
  );
}
