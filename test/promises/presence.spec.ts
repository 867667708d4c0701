import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import { AsOfReader } from '../../src/storage/as-of.reader.js';
import type { DeviceView } from '../../src/storage/device.reader.js';
import { PresenceCounter } from '../../src/storage/presence-counter.js';
import { PresenceFleetReader } from '../../src/storage/presence-fleet.reader.js';
import type { PresenceInterval } from '../../src/storage/presence-interval.js';
import { type PresencePlace, PresenceReader } from '../../src/storage/presence.reader.js';
import type { Page } from '../../src/storage/read-columns.js';
import type { TimeRange } from '../../src/storage/reading.reader.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';
import { happenings, moment, MOMENTS, ofProduct } from './happenings.js';

/**
 * Presence through time is what the state as of each moment says, put together: intervals, their sums, and the counts of the fleet,
 * whatever the order in which it was told and however often the fleet was counted meanwhile.
 */

const EXAMPLES_A_ROUND = 15;
const ROUNDS = Number(process.env['PROMISES_ROUNDS'] ?? 2);
const EVERY = Array.from({ length: MOMENTS + 1 }, (_, index) => index);

const anyExample = fc.record({
  happenings,
  order: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
  from: fc.integer({ min: -1, max: MOMENTS }),
  length: fc.integer({ min: 1, max: MOMENTS }),
  limit: fc.integer({ min: 1, max: 3 }),
});
type Example = typeof anyExample extends fc.Arbitrary<infer T> ? T : never;

describe('presence through time', () => {
  let store: TestStore;
  let presence: PresenceReader;
  let fleet: PresenceFleetReader;
  let asOf: AsOfReader;
  let counter: PresenceCounter;
  let round = 0;

  beforeAll(async () => {
    store = await openStore();
    const snapshots = new Snapshots(store.prisma);
    presence = new PresenceReader(snapshots);
    fleet = new PresenceFleetReader(snapshots);
    asOf = new AsOfReader(snapshots, {});
    counter = new PresenceCounter(store.prisma);
  });
  afterAll(() => store.close());

  async function check(examples: readonly Example[]): Promise<void> {
    const prefix = `r${++round}x`;
    const products = examples.map((example, index) => {
      const productKey = `${prefix}${String(index).padStart(2, '0')}`;
      return { ...example, productKey, events: shuffled(example, productKey) };
    });
    for (let from = 0; products.some(({ events }) => events.length > from); from += 3) {
      const batch = products.flatMap(({ events }) => events.slice(from, from + 3));
      await store.writer.write(batch.map((event) => decodedAs([event])));
      await counter.work();
    }
    for (const product of products) {
      const views = await viewsOf(product.productKey);
      await checkFleet(product.productKey, views);
      for (const deviceName of ['d1', 'd2']) {
        if (views.at(-1)?.has(deviceName)) await checkDevice(product, deviceName, views);
      }
    }
  }

  /** The devices of a product at each of the moments, at the last of which everything has happened. */
  async function viewsOf(productKey: string): Promise<Map<string, DeviceView>[]> {
    const lists = [];
    for (const index of EVERY) {
      lists.push(
        await asOf.list({ productKey, deleted: true, filter: null }, moment(index), { limit: 9, after: null }),
      );
    }
    return lists.map(({ items }) => new Map(items.map((view) => [view.deviceName, view])));
  }

  async function checkFleet(productKey: string, views: readonly ReadonlyMap<string, DeviceView>[]): Promise<void> {
    // a point of the curve is what was just before it
    const moments = EVERY.map((index) => moment(index + 1).getTime());
    const curve = await fleet.curve(moments, productKey);
    const expected = views.map((devices) => {
      const counted = [...devices.values()].filter(({ lifecycle }) => lifecycle !== 'delete');
      const count = (online: boolean | null): number => counted.filter((view) => view.online === online).length;
      return { online: count(true), offline: count(false), unknown: count(null) };
    });
    expect(curve.map(({ online, offline, unknown }) => ({ online, offline, unknown }))).toEqual(expected);
    const rows = await store.prisma.$queryRawUnsafe<{ name: string; changes: number }[]>(
      `SELECT d."deviceName" AS name, p."changes" FROM "PresenceDay" p JOIN "Device" d ON d."id" = p."deviceId"
       WHERE d."productKey" = $1::text AND p."changes" <> 0 ORDER BY 1`,
      productKey,
    );
    const flips = ['d1', 'd2'].map((name) => ({ name, changes: flipsOf(views.map((devices) => devices.get(name))) }));
    expect(rows).toEqual(flips.filter(({ changes }) => changes > 0));
  }

  async function checkDevice(
    { productKey, from, length, limit }: Example & { readonly productKey: string },
    deviceName: string,
    views: readonly ReadonlyMap<string, DeviceView>[],
  ): Promise<void> {
    const device = { productKey, deviceName };
    const runs = runsOf(views.map((devices) => devices.get(deviceName)?.online ?? null));
    const [low, high] = [moment(from), moment(from + length)];
    const within = runs.filter((run) => run.begin < high.getTime() && run.end > low.getTime());
    const walk = async (range: TimeRange): Promise<unknown[]> => {
      const found: PresenceInterval[] = [];
      let after: PresencePlace | null = null;
      do {
        const page: Page<PresenceInterval, PresencePlace> | null = await presence.intervals(device, range, {
          limit,
          after,
        });
        found.push(...(page?.items ?? []));
        after = page?.next ?? null;
      } while (after);
      return found.map(({ online, from: begin, until }) => ({
        online,
        begin: begin === null ? -Infinity : Date.parse(begin),
        end: until === null ? Infinity : Date.parse(until),
      }));
    };
    expect(await walk({ from: null, to: null, order: 'asc' })).toEqual(runs);
    expect(await walk({ from: null, to: null, order: 'desc' })).toEqual([...runs].reverse());
    expect(await walk({ from: low, to: high, order: 'asc' })).toEqual(within);
    expect(await walk({ from: low, to: high, order: 'desc' })).toEqual([...within].reverse());
    const seconds = (online: boolean | null): number =>
      within.reduce((sum, run) => sum + (run.online === online ? spent(run, low, high) : 0), 0);
    expect(await presence.summary(device, { from: low, to: high }, moment(99))).toMatchObject({
      onlineSeconds: seconds(true),
      offlineSeconds: seconds(false),
      unknownSeconds: seconds(null),
      changes: within.filter(({ online }, at) => isFlip(within[at - 1]?.online ?? null, online)).length,
      outages: within.filter(({ online }) => online === false).length,
      longestOutage: within.some(({ online }) => online === false)
        ? { seconds: Math.max(...within.filter(({ online }) => online === false).map((run) => spent(run, low, high))) }
        : null,
    });
  }

  it('is the state as of every moment, put together', async () => {
    const examples = fc.array(anyExample, { minLength: EXAMPLES_A_ROUND, maxLength: EXAMPLES_A_ROUND });
    await fc.assert(fc.asyncProperty(examples, check), { numRuns: ROUNDS, endOnFailure: true });
  }, 240_000);
});

interface Run {
  readonly online: boolean | null;
  readonly begin: number;
  readonly end: number;
}

function runsOf(states: readonly (boolean | null)[]): Run[] {
  const runs: Run[] = [{ online: null, begin: -Infinity, end: Infinity }];
  states.forEach((online, index) => {
    const last = runs.pop();
    if (!last) return;
    if (last.online === online) runs.push(last);
    else
      runs.push({ ...last, end: moment(index).getTime() }, { online, begin: moment(index).getTime(), end: Infinity });
  });
  return runs;
}

function spent({ begin, end }: Run, low: Date, high: Date): number {
  return (Math.min(end, high.getTime()) - Math.max(begin, low.getTime())) / 1000;
}

function isFlip(before: boolean | null, after: boolean | null): boolean {
  return before !== null && after !== null && before !== after;
}

/** What a deleted device says counts for nothing. */
function flipsOf(views: readonly (DeviceView | undefined)[]): number {
  const states = views.map((view) => (view && view.lifecycle !== 'delete' ? view.online : null));
  return states.filter((online, index) => isFlip(states[index - 1] ?? null, online)).length;
}

function shuffled({ happenings: told, order }: Example, productKey: string): DeviceEvent[] {
  return told
    .map((event, index) => ({ event: ofProduct(event, productKey), rank: order[index] ?? 0 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ event }) => event);
}
