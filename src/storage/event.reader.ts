import { Injectable } from '@nestjs/common';
import { column as arrayOf } from './columns.js';
import type { DeviceReference } from './device.reader.js';
import { endOfLook, type EventPlace, type Lane, upTo, walkedEvents } from './event-walk.js';
import { JsonText } from './json-text.js';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import type { TimeRange } from './reading.reader.js';
import { type Query, Snapshots } from './snapshots.js';
import { devicesOfUser, findScopedDevice, type UserReference, within } from './user-windows.js';

export type { EventPlace };

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

/** Which events a list shows: those of which all of this is true. What is undefined does not matter. */
export interface EventFilter {
  readonly productKey?: string | undefined;
  /** One of these. */
  readonly kinds?: readonly string[] | undefined;
  readonly identifiers?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly requestId?: string | undefined;
  /** Text in the value, whatever the case. */
  readonly q?: string | undefined;
}

interface Row extends Omit<EventView, 'value'> {
  readonly hash: string;
  readonly value: string;
}

/** Answers what happened. */
@Injectable()
export class EventReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * What happened to one device; with a user, only while it was theirs.
   * @returns null when there is no such device, or when it never was the user's.
   * @throws SeveralDevices
   */
  async ofDevice(
    reference: DeviceReference,
    filter: EventFilter,
    range: TimeRange,
    page: PageRequest<EventPlace>,
    user?: UserReference,
  ): Promise<Page<EventView, EventPlace> | null> {
    return this.snapshots.read(async (query) => {
      const found = await findScopedDevice(query, reference, user);
      if (!found) return null;
      const lanes = within(found.windows, boundsOf(range)).map((window) => ({ ...window, device: found.device.id }));
      return events(query, lanes, filter, range.order, page);
    });
  }

  /**
   * What happened to any device, and to products; with a user, to their devices while these were theirs.
   * @throws TooManyWindows
   */
  async all(
    filter: EventFilter,
    range: TimeRange,
    page: PageRequest<EventPlace>,
    user?: UserReference,
  ): Promise<Page<EventView, EventPlace>> {
    return this.snapshots.read(async (query) => {
      const lanes = await lanesOfAll(query, filter, boundsOf(range), user);
      return events(query, lanes, filter, range.order, page);
    });
  }
}

/** The stretch of a range, endless where it is open. */
export function boundsOf({ from, to }: Pick<TimeRange, 'from' | 'to'>): Bounds {
  return { low: from?.getTime() ?? -Infinity, high: to?.getTime() ?? Infinity };
}

/** Where to look for events of any device, or of a user's devices while these were theirs. @throws TooManyWindows */
export async function lanesOfAll(
  query: Query,
  filter: EventFilter,
  bounds: Bounds,
  user: UserReference | undefined,
): Promise<readonly Lane[]> {
  if (!user) return lanesOf(filter, bounds);
  const devices = await devicesOfUser(query, user);
  return devices.flatMap(({ deviceId, windows }) =>
    within(windows, bounds).map((window) => ({ ...window, device: deviceId })),
  );
}

/** What of a filter an index answers: the part that is likely to leave the fewest events. */
function lanesOf({ requestId, identifiers, kinds }: EventFilter, bounds: Bounds): readonly Lane[] {
  if (requestId !== undefined) return [{ ...bounds, requestId }];
  if (identifiers) return identifiers.map((identifier) => ({ ...bounds, identifier }));
  if (kinds) return kinds.map((kind) => ({ ...bounds, kind }));
  return [bounds];
}

async function events(
  query: Query,
  lanes: readonly Lane[],
  filter: EventFilter,
  order: 'asc' | 'desc',
  page: PageRequest<EventPlace>,
): Promise<Page<EventView, EventPlace>> {
  const [lane] = lanes;
  if (!lane) return { items: [], next: null };
  const left = leftOf(filter, lane);
  const walk = { lanes, order, after: page.after };
  const end = left ? await endOfLook(query, walk) : null;
  const parameters = new Parameters();
  const limit = parameters.add(page.limit + 1, 'int');
  const found = walkedEvents(walk, parameters, limit, () => [
    ...(end ? upTo(parameters, end, order) : []),
    ...(left ? eventConditions(parameters, left) : []),
  ]);
  const direction = order.toUpperCase();
  const rows = await query<Row>(
    `SELECT e."kind", d."productKey" || ':' || d."deviceName" AS "device", coalesce(d."productKey", e."productKey") AS "productKey",
       e."identifier", e."name", e."type", e."requestId", ${instant('e."at"')} AS "at", ${instant('e."receivedAt"')} AS "receivedAt",
       e."value"::text AS "value", e."hash"::text AS "hash"
     FROM ${found} e
     LEFT JOIN LATERAL (SELECT d."productKey", d."deviceName" FROM "Device" d WHERE d."id" = e."deviceId" OFFSET 0) d ON TRUE
     ORDER BY e."at" ${direction}, e."hash" ${direction} LIMIT ${limit}`,
    ...parameters.values,
  );
  const shown = pageOf(rows, page.limit, eventView, ({ at, hash }) => [at, hash] as const);
  return shown.next === null && end ? { ...shown, next: end } : shown;
}

/** What of a filter the lanes do not answer; null when nothing is left. */
export function leftOf(filter: EventFilter, lane: Lane): EventFilter | null {
  const left = {
    ...filter,
    ...(lane.requestId !== undefined && { requestId: undefined }),
    ...(lane.identifier !== undefined && { identifiers: undefined }),
    ...(lane.kind !== undefined && { kinds: undefined }),
  };
  return Object.values(left).some((wanted) => wanted !== undefined) ? left : null;
}

/** The conditions of a filter on an event `e`. */
export function eventConditions(parameters: Parameters, filter: EventFilter): readonly string[] {
  const { productKey, kinds, identifiers, types, requestId, q } = filter;
  const conditions: string[] = [];
  const lists = [
    ['kind', kinds],
    ['identifier', identifiers],
    ['type', types],
  ] as const;
  for (const [column, values] of lists) {
    if (!values) continue;
    const list = parameters.add(
      arrayOf(values, (value) => value),
      'text',
    );
    conditions.push(`e."${column}" = ANY(${list}::text[])`);
  }
  if (requestId !== undefined) conditions.push(`e."requestId" = ${parameters.add(requestId, 'text')}`);
  if (productKey !== undefined) {
    conditions.push(
      `coalesce((SELECT d."productKey" FROM "Device" d WHERE d."id" = e."deviceId"), e."productKey") = ${parameters.add(productKey, 'text')}`,
    );
  }
  if (q !== undefined) conditions.push(`strpos(lower(e."value"::text), lower(${parameters.add(q, 'text')})) > 0`);
  return conditions;
}

function eventView({ hash: _, value, ...row }: Row): EventView {
  return { ...row, value: new JsonText(value) };
}
