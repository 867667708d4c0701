import { JsonText } from './json-text.js';
import { instant, type Instant } from './read-columns.js';
import { readingsOf, VALUE_OF_READING } from './reading-source.js';
import type { Query } from './snapshots.js';

/** What kinds of changes there are, in the order in which a transaction's changes stand in the log. */
export const CHANGE_KINDS = ['device', 'presence', 'binding', 'event', 'reading'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** A pointer of the log: which kind of row, and what it takes to find it. */
export interface Pointer {
  readonly seq: string;
  /** From 1, within its row of the log. */
  readonly index: number;
  readonly kind: ChangeKind;
  /** Of a device, or of the series of a reading. */
  readonly id: number | null;
  readonly at: Instant | null;
  readonly hash: string | null;
}

/** A row that changed, as it is now. */
export interface Change {
  readonly pointer: Pointer;
  readonly kind: ChangeKind;
  /** Null for what concerns a product and no device. */
  readonly deviceId: number | null;
  readonly productKey: string;
  readonly deviceName: string | null;
  readonly iotId: string | null;
  readonly identifier: string | null;
  /** What REST says of such a row. */
  readonly data: object;
}

/** The rows that pointers lead to, in their order. A row that is gone is left out; a pointer to several gives several. */
export async function findChanges(query: Query, pointers: readonly Pointer[]): Promise<Change[]> {
  const found = new Map<Pointer, Change[]>();
  for (const kind of CHANGE_KINDS) {
    const some = pointers.filter((pointer) => pointer.kind === kind);
    if (some.length === 0) continue;
    for (const row of await query<Row>(ROWS[kind], ...columnsOf(kind, some))) {
      const pointer = some[row.place - 1];
      if (!pointer) continue;
      const changes = found.get(pointer) ?? [];
      changes.push(changeOf(pointer, row));
      found.set(pointer, changes);
    }
  }
  return pointers.flatMap((pointer) => found.get(pointer) ?? []);
}

interface Row extends Record<string, unknown> {
  /** From 1, among the pointers asked for. */
  readonly place: number;
  readonly deviceId: number | null;
  readonly productKey: string;
  readonly deviceName: string | null;
  readonly iotId: string | null;
  readonly identifier: string | null;
}

function changeOf(pointer: Pointer, row: Row): Change {
  const { deviceId, productKey, deviceName, iotId, identifier } = row;
  const data = Object.fromEntries(
    DATA[pointer.kind].map((name) => [name, JSON_TEXT.has(name) ? json(row[name]) : row[name]]),
  );
  return { pointer, kind: pointer.kind, deviceId, productKey, deviceName, iotId, identifier, data };
}

/** What comes as JSON text and goes out as it is. Left out where it is null. */
const JSON_TEXT: ReadonlySet<string> = new Set(['value', 'values', 'tags']);

function json(text: unknown): JsonText | undefined {
  return typeof text === 'string' ? new JsonText(text) : undefined;
}

/** The fields of what is told, by their names in REST. */
const DATA: Record<ChangeKind, readonly string[]> = {
  device: [
    ...['productKey', 'deviceName', 'iotId', 'deviceType', 'online', 'since', 'lastSeen', 'firstSeen', 'lifecycle'],
    ...['gateway', 'tags'],
  ],
  presence: ['device', 'online', 'since', 'lastSeen', 'reason'],
  binding: ['device', 'identityId', 'scopeId', 'tenantId', 'owned', 'from', 'until'],
  event: ['kind', 'device', 'productKey', 'identifier', 'name', 'type', 'requestId', 'at', 'receivedAt', 'value'],
  reading: ['device', 'identifier', 'value', 'at', 'values', 'current'],
};

/** The parameters of a kind's query: its pointers, column by column, as array literals. */
function columnsOf(kind: ChangeKind, pointers: readonly Pointer[]): string[] {
  const array = (cells: readonly (string | number | null)[]): string => `{${cells.join(',')}}`;
  const ids = array(pointers.map(({ id }) => id));
  const times = array(pointers.map(({ at }) => `"${at}"`));
  switch (kind) {
    case 'device':
    case 'presence':
      return [ids];
    case 'binding':
      return [ids, times];
    case 'reading':
      return [ids, times, ...boundsOf(pointers)];
    case 'event':
      return [times, array(pointers.map(({ hash }) => hash))];
    default:
      return kind satisfies never;
  }
}

/** Finds the rows of each pointer by themselves: the planner has no choice to read a table, or all its partitions, instead. */
function lookUp(sql: string, name: string): string {
  return `JOIN LATERAL (${sql} OFFSET 0) ${name} ON TRUE`;
}

/** The stretch of time that pointers lie in: partitions outside of it are not even planned for. */
function boundsOf(pointers: readonly Pointer[]): [low: string, high: string] {
  const times = pointers.flatMap(({ at }) => at ?? []).sort(); // texts of equal length sort as times do
  const behind = new Date(Date.parse(times.at(-1) ?? '') + 1);
  return [times[0] ?? '', behind.getUTCFullYear() > 9999 ? 'infinity' : behind.toISOString()];
}

const NAME = `d."productKey" || ':' || d."deviceName" AS "device"`;
const DEVICE = `d."id" AS "deviceId", d."productKey", d."deviceName", d."iotId", ${NAME}`;

const ROWS: Record<ChangeKind, string> = {
  device: `
SELECT i.place::int AS "place", ${DEVICE}, NULL AS "identifier", d."deviceType", d."online", ${instant('d."since"')} AS "since",
  ${instant('d."lastSeen"')} AS "lastSeen", ${instant('d."firstSeen"')} AS "firstSeen", d."lifecycle",
  d."gatewayProductKey" || ':' || d."gatewayDeviceName" AS "gateway",
  coalesce((SELECT json_object_agg(t."key", t."value" ORDER BY t."key")::text FROM "DeviceTag" t
            WHERE t."deviceId" = d."id"), '{}') AS "tags"
FROM unnest($1::text::int4[]) WITH ORDINALITY AS i(id, place) ${lookUp('SELECT d.* FROM "Device" d WHERE d."id" = i.id', 'd')}`,
  presence: `
SELECT i.place::int AS "place", ${DEVICE}, NULL AS "identifier", d."online", ${instant('d."since"')} AS "since",
  ${instant('d."lastSeen"')} AS "lastSeen", d."offlineReason" AS "reason"
FROM unnest($1::text::int4[]) WITH ORDINALITY AS i(id, place) ${lookUp('SELECT d.* FROM "Device" d WHERE d."id" = i.id', 'd')}`,
  binding: `
SELECT i.place::int AS "place", ${DEVICE}, NULL AS "identifier", b."identityId", b."scopeId", b."tenantId", b."owned",
  ${instant('b."from"')} AS "from", ${instant('b."until"')} AS "until"
FROM unnest($1::text::int4[], $2::text::timestamptz[]) WITH ORDINALITY AS i(id, at, place)
${lookUp('SELECT b.* FROM "UserBinding" b WHERE b."deviceId" = i.id AND b."at" = i.at AND (b."from" IS NOT NULL OR b."until" IS NOT NULL)', 'b')}
${lookUp('SELECT d.* FROM "Device" d WHERE d."id" = i.id', 'd')}
ORDER BY i.place, b."bound", b."owned", b."identityId", b."scopeId", b."tenantId"`,
  event: `
SELECT i.place::int AS "place", e."deviceId", coalesce(d."productKey", e."productKey") AS "productKey", d."deviceName", d."iotId",
  ${NAME}, e."identifier", e."kind", e."name", e."type", e."requestId", ${instant('e."at"')} AS "at",
  ${instant('e."receivedAt"')} AS "receivedAt", e."value"::text AS "value"
FROM unnest($1::text::timestamptz[], $2::text::uuid[]) WITH ORDINALITY AS i(at, hash, place)
${lookUp('SELECT e.* FROM "EventLog" e WHERE e."at" = i.at AND e."hash" = i.hash', 'e')}
LEFT ${lookUp('SELECT d.* FROM "Device" d WHERE d."id" = e."deviceId"', 'd')}`,
  reading: `
SELECT i.place::int AS "place", ${DEVICE}, p."identifier", ${instant('r."at"')} AS "at", ${VALUE_OF_READING} AS "value",
  r."several"::text AS "values", p."at" IS NOT DISTINCT FROM r."at" AS "current"
FROM unnest($1::text::int4[], $2::text::timestamptz[]) WITH ORDINALITY AS i(id, at, place)
${lookUp('SELECT p.* FROM "DeviceProperty" p WHERE p."id" = i.id', 'p')}
${lookUp('SELECT d.* FROM "Device" d WHERE d."id" = p."deviceId"', 'd')}
${lookUp(readingsOf('i.id', ['$3::timestamptz', 'i.at'], ['$4::timestamptz', `i.at + INTERVAL '1 millisecond'`]), 'r')}`,
};
