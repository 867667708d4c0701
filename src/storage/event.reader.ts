import { Injectable } from '@nestjs/common';
import { type DeviceReference, findDevice } from './device.reader.js';
import { JsonText } from './json-text.js';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import type { TimeRange } from './reading.reader.js';
import { type Query, Snapshots } from './snapshots.js';

/** An entry of the event log. */
export interface EventView {
  readonly kind: string;
  /** productKey:deviceName; null for what concerns a product and no device. */
  readonly device: string | null;
  readonly productKey: string;
  readonly identifier: string | null;
  readonly name: string | null;
  readonly type: string | null;
  readonly requestId: string | null;
  readonly at: Instant;
  readonly receivedAt: Instant;
  readonly value: JsonText;
}

/** Which events a list shows; what is undefined does not matter. */
export interface EventFilter {
  readonly productKey?: string;
  readonly kind?: string;
  readonly identifier?: string;
}

/** The place of an event in its list. */
export type EventPlace = readonly [at: Instant, hash: string];

interface Row extends Omit<EventView, 'value'> {
  readonly hash: string;
  readonly value: string;
}

/** A page looks at no more entries than this. A rare kind may so leave a page short, or empty, with a `next` all the same. */
const LOOKED_AT = 20_000;

/** Answers what happened. */
@Injectable()
export class EventReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * What happened to one device.
   * @returns null when there is no such device.
   * @throws SeveralDevices
   */
  async ofDevice(
    reference: DeviceReference,
    filter: EventFilter,
    range: TimeRange,
    page: PageRequest<EventPlace>,
  ): Promise<Page<EventView, EventPlace> | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      return device && events(query, device.id, filter, range, page);
    });
  }

  /** What happened to any device, and to products. */
  async all(
    filter: EventFilter,
    range: TimeRange,
    page: PageRequest<EventPlace>,
  ): Promise<Page<EventView, EventPlace>> {
    return this.snapshots.read((query) => events(query, null, filter, range, page));
  }
}

async function events(
  query: Query,
  deviceId: number | null,
  filter: EventFilter,
  range: TimeRange,
  page: PageRequest<EventPlace>,
): Promise<Page<EventView, EventPlace>> {
  const direction = range.order.toUpperCase();
  const filtered = Object.values(filter).some((wanted) => wanted !== undefined);
  const end = filtered ? await endOfLook(query, deviceId, range, page.after) : null;

  const parameters = new Parameters();
  const conditions = walked(parameters, deviceId, range, page.after);
  if (end) conditions.push(...upTo(parameters, end, range.order));
  if (filter.kind !== undefined) conditions.push(`e."kind" = ${parameters.add(filter.kind, 'text')}`);
  if (filter.identifier !== undefined) conditions.push(`e."identifier" = ${parameters.add(filter.identifier, 'text')}`);
  if (filter.productKey !== undefined) {
    conditions.push(`coalesce(d."productKey", e."productKey") = ${parameters.add(filter.productKey, 'text')}`);
  }
  const rows = await query<Row>(
    `SELECT e."kind", d."productKey" || ':' || d."deviceName" AS "device", coalesce(d."productKey", e."productKey") AS "productKey",
       e."identifier", e."name", e."type", e."requestId", ${instant('e."at"')} AS "at", ${instant('e."receivedAt"')} AS "receivedAt",
       e."value"::text AS "value", e."hash"::text AS "hash"
     FROM "EventLog" e LEFT JOIN "Device" d ON d."id" = e."deviceId"
     WHERE ${conditions.join(' AND ')}
     ORDER BY e."at" ${direction}, e."hash" ${direction} LIMIT ${parameters.add(page.limit + 1, 'int')}`,
    ...parameters.values,
  );
  const found = pageOf(rows, page.limit, eventView, ({ at, hash }) => [at, hash] as const);
  return found.next === null && end ? { ...found, next: end } : found;
}

/** The last entry that this page looks at, or null when it can look at all that are left. */
async function endOfLook(
  query: Query,
  deviceId: number | null,
  range: TimeRange,
  after: EventPlace | null,
): Promise<EventPlace | null> {
  const parameters = new Parameters();
  const direction = range.order.toUpperCase();
  const conditions = walked(parameters, deviceId, range, after);
  const [row] = await query<{ at: Instant; hash: string }>(
    `SELECT ${instant('e."at"')} AS "at", e."hash"::text AS "hash" FROM "EventLog" e WHERE ${conditions.join(' AND ')}
     ORDER BY e."at" ${direction}, e."hash" ${direction} OFFSET ${LOOKED_AT - 1} LIMIT 1`,
    ...parameters.values,
  );
  return row ? [row.at, row.hash] : null;
}

/** Conditions that an index answers, partition by partition. */
function walked(parameters: Parameters, deviceId: number | null, range: TimeRange, after: EventPlace | null): string[] {
  const conditions = ['TRUE'];
  const { from, to, order } = range;
  if (deviceId !== null) conditions.push(`e."deviceId" = ${parameters.add(deviceId, 'int')}`);
  if (from) conditions.push(`e."at" >= ${parameters.add(from.toISOString(), 'timestamptz')}`);
  if (to) conditions.push(`e."at" < ${parameters.add(to.toISOString(), 'timestamptz')}`);
  if (after) conditions.push(...compared(parameters, after, order === 'desc' ? '<' : '>'));
  return conditions;
}

function upTo(parameters: Parameters, end: EventPlace, order: 'asc' | 'desc'): string[] {
  return compared(parameters, end, order === 'desc' ? '>=' : '<=');
}

/** Comparing rows prunes no partitions, so the time is compared on its own as well. */
function compared(parameters: Parameters, [at, hash]: EventPlace, operator: '<' | '>' | '>=' | '<='): string[] {
  const time = parameters.add(at, 'timestamptz');
  return [
    `e."at" ${operator === '<' ? '<=' : operator === '>' ? '>=' : operator} ${time}`,
    `(e."at", e."hash") ${operator} (${time}, ${parameters.add(hash, 'uuid')})`,
  ];
}

function eventView({ hash: _, value, ...row }: Row): EventView {
  return { ...row, value: new JsonText(value) };
}
