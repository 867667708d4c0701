import type { Changes, RowChange } from '../domain/replay.js';
import { column } from './columns.js';
import { instant } from './read-columns.js';
import { readingsOf } from './reading-source.js';
import type { Transaction } from './prisma.service.js';
import type { WritePlan } from './write-plan.js';
import { lockDevices } from './write-rows.js';

/** No more rows than this are named one by one. */
const NAMED_AT_MOST = 100;

/** A row that a plan may touch: its table, what identifies it (as JSON text), and a mark of its content. */
interface Row {
  readonly table: string;
  readonly key: string;
  readonly mark: string;
}

/**
 * Does a write and says what it changed, by looking at every row that the plan can touch before and after. The devices are
 * locked first, in the order in which the write does it, so that nobody else changes these rows meanwhile.
 */
export async function changesOf(tx: Transaction, plan: WritePlan, write: () => Promise<void>): Promise<Changes> {
  await lockDevices(tx, plan.devices);
  const before = await touchable(tx, plan);
  await write();
  return compared(before, await touchable(tx, plan));
}

function compared(before: ReadonlyMap<string, Row>, after: ReadonlyMap<string, Row>): Changes {
  const changes: Record<string, number> = {};
  const rows: RowChange[] = [];
  let all = 0;
  const note = ({ table, key }: Row, change: RowChange['change']): void => {
    changes[table] = (changes[table] ?? 0) + 1;
    all += 1;
    if (rows.length < NAMED_AT_MOST) rows.push({ table, change, key: JSON.parse(key) as RowChange['key'] });
  };
  for (const [id, row] of after) {
    const known = before.get(id);
    if (!known) note(row, 'insert');
    else if (known.mark !== row.mark) note(row, 'update');
  }
  for (const [id, row] of before) if (!after.has(id)) note(row, 'delete');
  return { changes, rows, rowsLeftOut: all - rows.length };
}

/** The rows that a plan can touch, table by table. */
async function touchable(tx: Transaction, { devices, series, events, bindings }: WritePlan): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>();
  const look = async (sql: string, ...columns: readonly string[]): Promise<void> => {
    for (const row of await tx.$queryRawUnsafe<Row[]>(sql, ...columns)) rows.set(`${row.table} ${row.key}`, row);
  };
  if (devices.length > 0) {
    const productKeys = column(devices, ({ device }) => device.productKey);
    const deviceNames = column(devices, ({ device }) => device.deviceName);
    for (const sql of OF_DEVICES) await look(sql, productKeys, deviceNames);
  }
  const readings = series.flatMap(({ device, identifier, readings: values }) =>
    [...values.keys()].map((at) => ({ device, identifier, at })),
  );
  if (readings.length > 0) {
    const [first, last] = readings.reduce(
      ([low, high], { at }) => [Math.min(low, at), Math.max(high, at)],
      [Infinity, -Infinity],
    );
    await look(
      READINGS,
      column(readings, ({ device }) => device.productKey),
      column(readings, ({ device }) => device.deviceName),
      column(readings, ({ identifier }) => identifier),
      column(readings, ({ at }) => new Date(at)),
      new Date(first).toISOString(),
      new Date(last + 1).toISOString(),
    );
  }
  if (events.length > 0) {
    await look(
      EVENTS,
      column(events, ({ at }) => at),
      column(events, ({ hash }) => hash),
    );
  }
  if (bindings.length > 0) {
    await look(
      BINDINGS,
      column(bindings, ({ device }) => device.productKey),
      column(bindings, ({ device }) => device.deviceName),
      column(bindings, ({ user }) => user.identityId),
      column(bindings, ({ user }) => user.scopeId),
      column(bindings, ({ user }) => user.tenantId),
    );
  }
  return rows;
}

const DEVICE = `'productKey', d."productKey", 'deviceName', d."deviceName"`;

/** What a row is called: its table, its key for people, and a hash of all that it holds. */
function row(table: string, alias: string, key: string): string {
  return `'${table}' AS "table", json_build_object(${key})::text AS "key", hashtextextended(${alias}::text, 0)::text AS "mark"`;
}

/** $1 product keys, $2 device names: the devices, and everything of them that a \`create\` makes them forget. */
const OF_DEVICES = [
  `SELECT ${row('Device', 'd', DEVICE)}
   FROM unnest($1::text::text[], $2::text::text[]) AS i(pk, dn)
   JOIN "Device" d ON d."productKey" = i.pk AND d."deviceName" = i.dn ORDER BY 2`,
  `SELECT ${row('DeviceProperty', 'p', `${DEVICE}, 'identifier', p."identifier"`)}
   FROM unnest($1::text::text[], $2::text::text[]) AS i(pk, dn)
   JOIN "Device" d ON d."productKey" = i.pk AND d."deviceName" = i.dn
   JOIN "DeviceProperty" p ON p."deviceId" = d."id" ORDER BY 2`,
  `SELECT ${row('DeviceTag', 't', `${DEVICE}, 'key', t."key"`)}
   FROM unnest($1::text::text[], $2::text::text[]) AS i(pk, dn)
   JOIN "Device" d ON d."productKey" = i.pk AND d."deviceName" = i.dn
   JOIN "DeviceTag" t ON t."deviceId" = d."id" ORDER BY 2`,
];

/** $1 product keys, $2 device names, $3 identifiers, $4 times, $5 and $6 from when until when all of them are. */
const READINGS = `
SELECT ${row('PropertyReading', 'r', `${DEVICE}, 'identifier', p."identifier", 'at', ${instant('r."at"')}`)}
FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::timestamptz[]) AS i(pk, dn, identifier, at)
JOIN "Device" d ON d."productKey" = i.pk AND d."deviceName" = i.dn
JOIN "DeviceProperty" p ON p."deviceId" = d."id" AND p."identifier" = i.identifier
CROSS JOIN LATERAL (${readingsOf(
  'p."id"',
  ['$5::timestamptz', 'i.at'],
  ['$6::timestamptz', `i.at + INTERVAL '1 ms'`],
)}) r ORDER BY 2`;

/** $1 times, $2 hashes. */
const EVENTS = `
SELECT ${row(
  'EventLog',
  'e',
  `'productKey', coalesce(d."productKey", e."productKey"), 'deviceName', d."deviceName", 'kind', e."kind",
   'identifier', e."identifier", 'at', ${instant('e."at"')}, 'hash', e."hash"`,
)}
FROM unnest($1::text::timestamptz[], $2::text::uuid[]) AS i(at, hash)
JOIN "EventLog" e ON e."at" = i.at AND e."hash" = i.hash
LEFT JOIN "Device" d ON d."id" = e."deviceId" ORDER BY 2`;

/** $1 product keys, $2 device names, $3 identities, $4 scopes, $5 tenants: all facts of each (device, user). */
const BINDINGS = `
SELECT ${row(
  'UserBinding',
  'b',
  `${DEVICE}, 'identityId', b."identityId", 'scopeId', b."scopeId", 'tenantId', b."tenantId", 'at', ${instant('b."at"')},
   'bound', b."bound", 'owned', b."owned"`,
)}
FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[])
  AS i(pk, dn, identity, scope, tenant)
JOIN "Device" d ON d."productKey" = i.pk AND d."deviceName" = i.dn
JOIN "UserBinding" b ON b."deviceId" = d."id" AND b."identityId" = i.identity AND b."scopeId" = i.scope
  AND b."tenantId" = i.tenant ORDER BY 2`;
