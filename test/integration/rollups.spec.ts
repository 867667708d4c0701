import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import type { Value } from '../../src/domain/value.js';
import { DAY_MS, HOUR_MS } from '../../src/storage/rollup-state.js';
import { Rollups } from '../../src/storage/rollups.js';
import { bothAnswers, bothExtremes, rollUpAll } from '../support/rollups.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';

const MINUTE_MS = 60_000;
/** Midnight of a day in UTC; every example has days of its own behind those of the one before. */
const FIRST_DAY = Date.UTC(2026, 0, 1);
const DAYS_OF_AN_EXAMPLE = 5;

let store: TestStore;
let rollups: Rollups;
beforeAll(async () => {
  store = await openStore();
  rollups = new Rollups(store.prisma, store.partitions);
});
afterAll(() => store.close());

/** Readings in a row, as a device reports them that kept them for a while. */
interface Burst {
  readonly write: 'burst';
  readonly property: 'a' | 'b';
  readonly minute: number;
  readonly stepMs: number;
  readonly values: readonly Value[];
  readonly repeated: number;
}

type Deed =
  | Burst
  | { readonly write: 'roll-up'; readonly minute: number; readonly seriesAtOnce: number }
  | { readonly write: 'question'; readonly edges: readonly number[]; readonly ends: boolean };

const anyMinute = fc.nat(DAYS_OF_AN_EXAMPLE * 1440);
const aNumber = fc
  .oneof(
    fc.integer({ min: -500, max: 5000 }).map((n) => String(n / 100)),
    fc.constantFrom('12345678901234567', '0.1', '0.0000001', '9223372036854775807.5'),
  )
  .map((text): Value => ({ kind: 'number', text }));
const anyValue = fc.oneof(
  { weight: 400, arbitrary: aNumber },
  { weight: 1, arbitrary: fc.constant<Value>({ kind: 'json', text: '"on"' }) },
);
const anyBurst: fc.Arbitrary<Burst> = fc.record({
  write: fc.constant('burst' as const),
  property: fc.constantFrom('a' as const, 'b' as const),
  minute: anyMinute,
  stepMs: fc.constantFrom(1, 700, 5_000, 7_321, MINUTE_MS, 13 * MINUTE_MS),
  values: fc.array(anyValue, { minLength: 1, maxLength: 700, size: 'max' }),
  repeated: fc.constantFrom(0, 0, 1),
});
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: anyBurst },
  {
    weight: 3,
    arbitrary: fc.record({
      write: fc.constant('roll-up' as const),
      minute: fc.nat((DAYS_OF_AN_EXAMPLE + 1) * 1440),
      seriesAtOnce: fc.constantFrom(1, 2, 50),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      write: fc.constant('question' as const),
      edges: fc.oneof(
        fc.constantFrom(HOUR_MS, DAY_MS, 30 * MINUTE_MS, 6 * HOUR_MS).chain((step) =>
          fc.record({ from: anyMinute, count: fc.integer({ min: 1, max: 40 }) }).map(({ from, count }) => {
            const low = Math.floor((from * MINUTE_MS) / step) * step;
            return Array.from({ length: count + 1 }, (_, index) => low + index * step);
          }),
        ),
        fc
          .uniqueArray(fc.nat(DAYS_OF_AN_EXAMPLE * DAY_MS), { minLength: 2, maxLength: 8 })
          .map((edges) => edges.sort((a, b) => a - b)),
      ),
      ends: fc.boolean(),
    }),
  },
);

let examples = 0;

async function check(deeds: readonly Deed[]): Promise<void> {
  const base = FIRST_DAY + examples * DAYS_OF_AN_EXAMPLE * DAY_MS;
  const device = { productKey: 'rolled', deviceName: `device-${++examples}` };
  const ask = async (edges: readonly number[], ends: boolean): Promise<void> => {
    const series = await store.prisma.$queryRawUnsafe<{ id: number }[]>(
      `SELECT p."id" FROM "DeviceProperty" p JOIN "Device" d ON d."id" = p."deviceId" WHERE d."deviceName" = $1 ORDER BY 1`,
      device.deviceName,
    );
    // With a gap where the third stretch would be.
    const stretches = edges
      .slice(1)
      .map((high, index) => ({ low: base + (edges[index] ?? 0), high: base + high }))
      .filter((_, index) => index !== 2);
    const seriesIds = series.map(({ id }) => id);
    const { raw, rolled } = await bothAnswers(store.prisma, { seriesIds, stretches, ends });
    expect(rolled).toEqual(raw);
    const drawn = await bothExtremes(store.prisma, { seriesIds, stretches });
    expect(drawn.rolled).toEqual(drawn.raw);
  };
  for (const deed of deeds) {
    if (deed.write === 'burst') {
      const events = eventsOf(deed, device, base);
      for (let time = 0; time <= deed.repeated; time++) await store.writer.write([decodedAs(events)]);
    } else if (deed.write === 'roll-up') {
      await rollUpAll(rollups, new Date(base + deed.minute * MINUTE_MS), deed.seriesAtOnce);
    } else {
      await ask(deed.edges, deed.ends);
    }
  }
  for (const steps of [24, 24 * DAYS_OF_AN_EXAMPLE, DAYS_OF_AN_EXAMPLE]) {
    const stepMs = (DAYS_OF_AN_EXAMPLE * DAY_MS) / steps;
    await ask(
      Array.from({ length: steps + 1 }, (_, index) => index * stepMs),
      true,
    );
  }
}

function eventsOf(burst: Burst, device: { productKey: string; deviceName: string }, base: number): DeviceEvent[] {
  const { property: identifier, minute, stepMs, values } = burst;
  const readings = values.map((value, index) => ({
    identifier,
    value,
    at: new Date(base + minute * MINUTE_MS + index * stepMs),
  }));
  return [{ kind: 'properties-reported', device, at: new Date(base), readings }];
}

describe('roll-ups', () => {
  it('say what the readings say, whatever comes late, again or in any order', async () => {
    await fc.assert(fc.asyncProperty(fc.array(anyDeed, { minLength: 3, maxLength: 14, size: 'max' }), check), {
      numRuns: 8,
      endOnFailure: true,
    });
  }, 120_000);
});
