import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import type { DeviceKey } from '../../src/domain/device-key.js';
import { exactJson } from '../../src/api/exact-json.js';
import { AggregateReader, type AggregateQuestion } from '../../src/storage/aggregate.reader.js';
import { ChartReader } from '../../src/storage/chart.reader.js';
import { EventCountReader } from '../../src/storage/event-count.reader.js';
import { EventReader, type EventPlace } from '../../src/storage/event.reader.js';
import { PresenceReader, type PresencePlace } from '../../src/storage/presence.reader.js';
import { ReadingReader } from '../../src/storage/reading.reader.js';
import { ScopedDeviceReader } from '../../src/storage/scoped-device.reader.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { UserScope } from '../../src/storage/user-scope.js';
import { holds, joined, userWindows } from '../../src/storage/user-windows.js';
import type { Bounds } from '../../src/storage/reading-source.js';
import { aBinding, aNumber, anEvent, aReading, aStatus } from '../support/api.js';
import { NOON } from '../support/messages.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';

const AGGREGATES: AggregateQuestion = {
  identifiers: null,
  from: null,
  to: null,
  now: new Date(NOON + 60_000),
  interval: { kind: 'clock', ms: 6_000 },
  timeZone: 'UTC',
  functions: ['count', 'avg', 'first', 'last', 'delta', 'rate', 'timeWeightedAverage', 'durations', 'p50'],
  fill: 'linear',
};
const USER = { identityId: 'anna' };
const at = (second: number): Date => new Date(NOON + second * 1000);
const NOW = at(100);

/** A fact of a device that is yet to be named. */
interface Fact {
  readonly second: number;
  readonly of: (device: DeviceKey) => DeviceEvent;
  readonly binding: boolean;
}

const second = fc.integer({ min: 0, max: 40 });
const binding = fc
  .record({ second, who: fc.constantFrom('anna', 'bert'), bound: fc.boolean(), owned: fc.boolean() })
  .map(({ second: when, who, bound, owned }): Fact => ({
    second: when,
    binding: true,
    of: (device) => aBinding(device, who, bound, at(when), owned),
  }));
const reading = fc
  .record({ second, name: fc.constantFrom('a', 'b', 'c'), value: fc.integer({ min: 0, max: 9 }) })
  .map(({ second: when, name, value }): Fact => ({
    second: when,
    binding: false,
    of: (device) => aReading(device, name, aNumber(String(value)), at(when)),
  }));
const event = fc.record({ second, name: fc.constantFrom('Opened', 'Closed') }).map(({ second: when, name }): Fact => ({
  second: when,
  binding: false,
  of: (device) => anEvent(device, name, at(when)),
}));
const status = fc.record({ second, online: fc.boolean() }).map(({ second: when, online }): Fact => ({
  second: when,
  binding: false,
  of: (device) => aStatus(device, online, at(when)),
}));
const tag = fc.record({ second, value: fc.constantFrom('x', 'y') }).map(({ second: when, value }): Fact => ({
  second: when,
  binding: false,
  of: (device) => ({ kind: 'tags-changed', device, at: at(when), tags: [{ key: 'room', value }] }),
}));
const history = fc
  .record({
    bindings: fc.array(binding, { minLength: 1, maxLength: 8 }),
    facts: fc.array(fc.oneof(reading, event, status, tag), { minLength: 1, maxLength: 30 }),
  })
  .map(({ bindings, facts }) => [...bindings, ...facts]);

/** When the device was the user's, found out by looking at the facts one by one. */
function windowsOf(facts: readonly Fact[]): readonly Bounds[] {
  const device = { productKey: '', deviceName: '' };
  const own = facts
    .map(({ of }) => of(device))
    .flatMap((one) =>
      (one.kind === 'user-bound' || one.kind === 'user-unbound') && one.user.identityId === 'anna' ? [one] : [],
    )
    .sort(
      (a, b) => a.at.getTime() - b.at.getTime() || Number(a.kind === 'user-bound') - Number(b.kind === 'user-bound'),
    );
  const stretches: Bounds[] = [];
  own.forEach((one, index) => {
    const next = own[index + 1]?.at.getTime() ?? Infinity;
    if (one.kind === 'user-bound' && next > one.at.getTime()) stretches.push({ low: one.at.getTime(), high: next });
  });
  return joined(stretches);
}

function isOwn({ of }: Fact): boolean {
  const one = of({ productKey: '', deviceName: '' });
  return 'user' in one && one.user.identityId === 'anna';
}

let serial = 0;

describe('what a user is told of a device', () => {
  let store: TestStore;
  let snapshots: Snapshots;

  beforeAll(async () => {
    store = await openStore();
    snapshots = new Snapshots(store.prisma);
  });
  afterAll(() => store.close());

  const happen = async (facts: readonly Fact[]): Promise<DeviceKey> => {
    const device = { productKey: 'a1Scope', deviceName: `device-${++serial}` };
    await store.writer.write(facts.map(({ of }) => decodedAs([of(device)])));
    return device;
  };

  /** Everything that can be asked of a device in the name of the user, without its own name and surrogate keys. */
  const answers = async (device: DeviceKey): Promise<unknown> => {
    const events = new EventReader(snapshots);
    const pages: unknown[] = [];
    for (const order of ['asc', 'desc'] as const) {
      let after: EventPlace | null = null;
      do {
        const page: Awaited<ReturnType<EventReader['ofDevice']>> = await events.ofDevice(
          device,
          { q: '' },
          { from: null, to: null, order },
          { limit: 2, after },
          USER,
        );
        pages.push(
          page?.items.map(({ kind, identifier, type, at: when, value }) => [
            kind,
            identifier,
            type,
            when,
            value.text,
          ]) ?? null,
        );
        after = page?.next ?? null;
      } while (after);
    }
    const buckets = [0, 7, 14, 21, 28, 35].map((from) => ({ low: at(from).getTime(), high: at(from + 7).getTime() }));
    const counts = await new EventCountReader(snapshots).ofDevice(device, {
      filter: {},
      buckets,
      by: 'kind',
      user: USER,
    });
    // events of one millisecond come in the order of their hashes, which name the device
    const scope = new UserScope(snapshots);
    const ever = { from: null, to: null, order: 'asc' } as const;
    const readings = await scope.asking(device, USER, (windows) =>
      new ReadingReader(snapshots).history(device, null, ever, { limit: 1000, after: null }, windows),
    );
    const aggregates = await scope.asking(device, USER, (windows) =>
      new AggregateReader(snapshots).aggregates(device, AGGREGATES, windows),
    );
    const chart = await scope.asking(device, USER, (windows) =>
      new ChartReader(snapshots).chart(device, { identifiers: null, from: null, to: null, points: 5 }, windows),
    );
    const presence = new PresenceReader(snapshots);
    const intervals: unknown[] = [];
    for (const order of ['asc', 'desc'] as const) {
      let after: PresencePlace | null = null;
      do {
        const page: Awaited<ReturnType<PresenceReader['intervals']>> = await scope.asking(device, USER, (windows) =>
          presence.intervals(device, { from: at(3), to: null, order }, { limit: 2, after }, windows),
        );
        intervals.push(...(page?.items ?? []));
        after = page?.next ?? null;
      } while (after);
    }
    const summary = await scope.asking(device, USER, (windows) =>
      presence.summary(device, { from: null, to: null }, NOW, windows),
    );
    return {
      presence: { intervals, summary },
      history: exactJson([readings, aggregates, chart]),
      pages: pages
        .flat()
        .map((one) => JSON.stringify(one))
        .sort(),
      counts,
    };
  };

  const state = async (device: DeviceKey): Promise<unknown> => {
    const reader = new ScopedDeviceReader(snapshots);
    const view = await reader.find(device, USER, NOW);
    const status = await reader.status(device, USER, NOW);
    return (
      view && {
        ...view,
        deviceName: '',
        status,
        properties: Object.entries(view.properties).map(([name, { value, at: when }]) => [name, value.text, when]),
      }
    );
  };

  it('is what would be told had nothing else ever happened', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (facts) => {
        const windows = windowsOf(facts);
        const open = windows.filter(({ low, high }) => low <= NOW.getTime() && NOW.getTime() < high);
        // the user's own facts are what makes the windows; an unbind is told to nobody, as its moment is the first behind a window
        const within = (stretches: readonly Bounds[]): readonly Fact[] =>
          facts.filter((fact) => isOwn(fact) || holds(stretches, at(fact.second).getTime()));

        const whole = await happen(facts);
        const [row] = await store.prisma.$queryRawUnsafe<{ id: number }[]>(
          `SELECT "id" FROM "Device" WHERE "deviceName" = $1`,
          whole.deviceName,
        );
        expect(await snapshots.read((query) => userWindows(query, row?.id ?? 0, USER))).toEqual(windows);
        expect(await answers(whole)).toEqual(await answers(await happen(within(windows))));
        expect(await state(whole)).toEqual(await state(await happen(within(open))));
      }),
      { numRuns: 25 },
    );
  });

  it('is nothing of a device that never was theirs, as of one that does not exist', async () => {
    const device = await happen([
      { second: 1, binding: true, of: (key) => aBinding(key, 'bert', true, at(1)) },
      { second: 2, binding: true, of: (key) => aBinding(key, 'anna', false, at(30)) }, // nobody knows since when
      { second: 3, binding: false, of: (key) => aReading(key, 'a', aNumber('1'), at(3)) },
    ]);
    for (const key of [device, { productKey: 'no', deviceName: 'such' }]) {
      expect(await new ScopedDeviceReader(snapshots).find(key, USER, NOW)).toBeNull();
      expect(
        await new EventReader(snapshots).ofDevice(
          key,
          {},
          { from: null, to: null, order: 'asc' },
          { limit: 1, after: null },
          USER,
        ),
      ).toBeNull();
      expect(await new UserScope(snapshots).asking(key, USER, () => Promise.resolve('asked'))).toBeNull();
    }
  });

  it('is of one moment, whatever is committed between two parts of an answer', async () => {
    const device = await happen([{ second: 1, binding: true, of: (key) => aBinding(key, 'anna', true, at(1)) }]);
    const events = new EventReader(snapshots);
    const found = await new UserScope(snapshots).asking(device, USER, async () => {
      await store.writer.write([decodedAs([anEvent(device, 'Late', at(2))])]);
      return events.ofDevice(
        device,
        { kinds: ['event-raised'] },
        { from: null, to: null, order: 'asc' },
        { limit: 9, after: null },
        USER,
      );
    });
    expect(found).toEqual({ items: [], next: null });
  });
});
