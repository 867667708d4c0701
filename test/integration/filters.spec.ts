import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { query } from '../../scripts/postgres/connection.mjs';
import { parseFilter } from '../../src/api/filter/parse-filter.js';
import { matchesFilter } from '../../src/domain/filter-match.js';
import { DeviceReader, type DeviceView } from '../../src/storage/device.reader.js';
import { filterSql } from '../../src/storage/filter-sql.js';
import { Parameters } from '../../src/storage/read-columns.js';
import { Snapshots } from '../../src/storage/snapshots.js';
import { openStore, type TestStore } from '../support/writer.js';

/** Values that are nearly each other, in JSON: a filter must tell them apart, or not, in the same way everywhere. */
const VALUES = [
  '0', '5', '5.0', '-5', '5e0', '0.5', '1234567890123456789', '1234567890123456790', '1e30', '0.1000000000000000055',
  'true', 'false', 'null', '""', '"5"', '"a"', '"ab"', '"B"', '"é"', '"😀"', '"ﬀ"', '"a\\"\\\\\\n"', '{}', '[]', '[5]',
  '{"a": 5, "b": {"c": "x"}}', '{"a": "5"}', '{"b": {"c": 1234567890123456789, "a": [1]}, "a": null}', '{"__proto__": 5}', '{"m:x \\"y": {"a": -7}}',
]; // prettier-ignore
const NAMES = ['a', 'b', 'c', '__proto__', 'm:x "y'];
const TEXTS = ['"a"', '"ab"', '"B"', '"é"', '"😀"', '"ﬀ"', '""', '"5"', '"%"', '"pk:a"', '"x:y:z"', '"A\\n\\""'];
const TIMES = ['2026-11-20T12:00:00.000Z', '2026-11-20T12:00:00.001Z', '1999-01-01T00:00:00.000Z'];

const anyOf = (texts: readonly string[]) => fc.constantFrom(...texts);
const text = anyOf(TEXTS).map((json) => JSON.parse(json) as string);
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null, freq: 3 });

const anyDevice = fc.record({
  productKey: text,
  iotId: orNull(text),
  deviceType: orNull(text),
  online: orNull(fc.boolean()),
  since: orNull(anyOf(TIMES)),
  firstSeen: orNull(anyOf(TIMES)),
  lastSeen: orNull(anyOf(TIMES)),
  lifecycle: orNull(anyOf(['create', 'delete', 'enable', 'disable'])),
  gateway: orNull(fc.tuple(text, text)),
  tags: fc.uniqueArray(fc.tuple(anyOf(NAMES), text), { selector: ([name]) => name, maxLength: 3 }),
  properties: fc.uniqueArray(fc.tuple(anyOf(NAMES), anyOf(VALUES), fc.boolean()), {
    selector: ([name]) => name,
    maxLength: 4,
  }),
  owners: fc.uniqueArray(fc.tuple(text, fc.boolean(), fc.boolean()), { selector: ([name]) => name, maxLength: 3 }),
});
type AnyDevice = typeof anyDevice extends fc.Arbitrary<infer T> ? T : never;

const name = anyOf(NAMES).map((each) => `[${JSON.stringify(each)}]`);
const textField = fc.oneof(
  anyOf(['productKey', 'deviceName', 'iotId', 'deviceType', 'gateway', 'owner']),
  name.map((key) => `tags${key}`),
);
const stateField = fc.array(name, { minLength: 1, maxLength: 3 }).map((path) => `state${path.join('')}`);
const timeField = anyOf(['since', 'firstSeen', 'lastSeen']);
const aTime = anyOf([...TIMES, '2026-11-20T12:00:00.0005Z']).map((time) => `"${time}"`);
const order = anyOf(['eq', 'ne', 'gt', 'ge', 'lt', 'le']);
const equality = anyOf(['eq', 'ne']);
const part = anyOf(['contains', 'startsWith', 'endsWith']);
const scalar = anyOf(VALUES.filter((value) => !/^[{[]/.test(value)));
const ordered = anyOf(VALUES.filter((value) => !/^[{[tfn]/.test(value)));
const listOf = (values: fc.Arbitrary<string>) =>
  fc.array(values, { minLength: 1, maxLength: 3 }).map((all) => `(${all.join(', ')})`);
const words = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(' '));

const condition = fc.oneof(
  words(textField, order, anyOf(TEXTS)),
  words(textField, fc.constant('in'), listOf(anyOf([...TEXTS, 'null']))),
  words(textField, part, anyOf(TEXTS)),
  words(timeField, order, aTime),
  words(fc.oneof(textField, timeField, fc.constant('online')), equality, fc.constant('null')),
  words(fc.constant('online'), equality, anyOf(['true', 'false'])),
  words(fc.constant('lifecycle'), equality, anyOf(['"delete"', '"create"', 'null'])),
  words(stateField, equality, scalar),
  words(stateField, order, ordered),
  words(stateField, fc.constant('in'), listOf(scalar)),
  words(stateField, part, anyOf(TEXTS)),
  words(fc.constant('exists'), fc.oneof(textField, timeField, stateField)),
);
const { anyFilter } = fc.letrec<{ anyFilter: string }>((tie) => ({
  anyFilter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    condition,
    words(tie('anyFilter'), anyOf(['and', 'or']), tie('anyFilter')),
    tie('anyFilter').map((filter) => `not (${filter})`),
    tie('anyFilter').map((filter) => `(${filter})`),
  ),
}));

describe('filters', () => {
  let store: TestStore;

  beforeAll(async () => {
    store = await openStore();
  });
  afterAll(() => store.close());

  it('mean the same in the database and in memory', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyDevice, { minLength: 12, maxLength: 12 }),
        fc.array(anyFilter, { minLength: 25, maxLength: 25 }),
        async (devices, filters) => {
          const views = await keep(devices);
          for (const filter of filters) {
            const inMemory = views.filter((view) => matchesFilter(parseFilter(filter), view));
            expect([filter, await find(filter)]).toEqual([filter, inMemory.map(nameOf)]);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('are never neither true nor false', async () => {
    const never = 'state["nope"] gt 5';
    for (const filter of [never, 'iotId eq "x"', 'lastSeen lt "2026-01-01T00:00:00Z"', 'tags.x contains "y"']) {
      const both = await find(`${filter} or not (${filter})`);
      expect(both).toEqual(await find('exists productKey'));
    }
  });

  /** Keeps these devices and no others; answers them as REST shows them. */
  async function keep(devices: readonly AnyDevice[]): Promise<readonly DeviceView[]> {
    await query(store.url, 'TRUNCATE "Device" CASCADE');
    for (const [index, device] of devices.entries()) {
      const { tags, properties, owners, gateway, ...attributes } = device;
      await query(
        store.url,
        `WITH d AS (INSERT INTO "Device" ("deviceName", "productKey", "iotId", "deviceType", "online", "since", "firstSeen", "lastSeen",
             "lifecycle", "gatewayProductKey", "gatewayDeviceName")
           SELECT $1, j->>'productKey', j->>'iotId', j->>'deviceType', (j->>'online')::bool, (j->>'since')::timestamptz,
             (j->>'firstSeen')::timestamptz, (j->>'lastSeen')::timestamptz, j->>'lifecycle', $3, $4 FROM (SELECT $2::jsonb AS j) j
           RETURNING "id"),
         t AS (INSERT INTO "DeviceTag" SELECT "id", e->>0, e->>1, now() FROM d, jsonb_array_elements($5::jsonb) e),
         p AS (INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number", "json")
           SELECT "id", e->>0, CASE WHEN (e->>2)::bool THEN now() END,
             CASE WHEN jsonb_typeof(e->1) = 'number' THEN (e->1)::numeric END, CASE WHEN jsonb_typeof(e->1) <> 'number' THEN e->1 END
           FROM d, jsonb_array_elements($6::jsonb) e)
         INSERT INTO "UserBinding" ("deviceId", "identityId", "scopeId", "tenantId", "at", "bound", "owned", "from", "until")
         SELECT "id", e->>0, 's', 't', now(), TRUE, (e->>1)::bool, now(), CASE WHEN (e->>2)::bool THEN now() END
         FROM d, jsonb_array_elements($7::jsonb) e`,
        [
          `device ${index}`,
          JSON.stringify(attributes),
          gateway?.[0] ?? null,
          gateway?.[1] ?? null,
          JSON.stringify(tags),
          `[${properties.map(([key, value, current]) => `[${JSON.stringify(key)}, ${value}, ${current}]`).join(', ')}]`,
          JSON.stringify(owners),
        ],
      );
    }
    const reader = new DeviceReader(new Snapshots(store.prisma));
    const views: DeviceView[] = [];
    for (const [index, { productKey }] of devices.entries()) {
      const view = await reader.find({ productKey, deviceName: `device ${index}` });
      if (view) views.push(view);
    }
    return views.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  }

  async function find(filter: string): Promise<string[]> {
    const parameters = new Parameters();
    const condition = filterSql(parseFilter(filter), parameters);
    const rows = await store.prisma.$queryRawUnsafe<{ deviceName: string; found: boolean | null }[]>(
      `SELECT d."deviceName", ${condition} AS "found" FROM "Device" d ORDER BY d."deviceName" COLLATE "C"`,
      ...parameters.values,
    );
    expect(rows.filter(({ found }) => found === null)).toEqual([]);
    return rows.filter(({ found }) => found).map(({ deviceName }) => deviceName);
  }
});

function nameOf({ deviceName }: { readonly deviceName: string }): string {
  return deviceName;
}
