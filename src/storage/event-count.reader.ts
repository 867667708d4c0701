import { Injectable } from '@nestjs/common';
import type { DeviceReference } from './device.reader.js';
import { type Lane, walkedEvents } from './event-walk.js';
import { eventConditions, type EventFilter, lanesOfAll, leftOf } from './event.reader.js';
import { type Instant, Parameters } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import { type Query, Snapshots } from './snapshots.js';
import { findScopedDevice, type UserReference, within } from './user-windows.js';

/** What counts can be told apart by. */
export const COUNTED_BY = ['kind', 'type', 'identifier', 'productKey'] as const;
export type CountedBy = (typeof COUNTED_BY)[number];

/** How many events there were in a stretch of time. */
export interface EventCountView {
  readonly from: Instant;
  readonly to: Instant;
  readonly count: number;
  /** The same by what was asked for, the most frequent first. */
  readonly groups?: readonly { readonly key: string | null; readonly count: number }[];
}

/** A question about counts. */
export interface CountQuestion {
  readonly filter: EventFilter;
  /** In order and without gaps. */
  readonly buckets: readonly Bounds[];
  readonly by: CountedBy | undefined;
  readonly user: UserReference | undefined;
}

/** More events would have to be looked at, or more groups told, than one answer may. */
export class TooMuchToCount extends Error {
  override readonly name = 'TooMuchToCount';
}

/** So many events are looked at to answer one question; it takes a second or two. */
const LOOKED_AT = 1_000_000;
const GROUPS = 10_000;

/** Counts what happened. */
@Injectable()
export class EventCountReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * The events of one device; with a user, only while it was theirs.
   * @returns null when there is no such device, or when it never was the user's.
   * @throws SeveralDevices, TooMuchToCount
   */
  async ofDevice(reference: DeviceReference, question: CountQuestion): Promise<readonly EventCountView[] | null> {
    return this.snapshots.read(async (query) => {
      const found = await findScopedDevice(query, reference, question.user);
      if (!found) return null;
      const { id: device } = found.device;
      const lanes = within(found.windows, wholeOf(question)).map((window) => ({ ...window, device }));
      return counts(query, lanes, question);
    });
  }

  /**
   * Those of any device, and of products; with a user, of their devices while these were theirs.
   * @throws TooManyWindows, TooMuchToCount
   */
  async all(question: CountQuestion): Promise<readonly EventCountView[]> {
    return this.snapshots.read(async (query) =>
      counts(query, await lanesOfAll(query, question.filter, wholeOf(question), question.user), question),
    );
  }
}

function wholeOf({ buckets }: CountQuestion): Bounds {
  return { low: buckets[0]?.low ?? 0, high: buckets.at(-1)?.high ?? 0 };
}

interface Row {
  readonly bucket: number;
  readonly key: string | null;
  readonly count: number;
  readonly looked: number;
}

async function counts(
  query: Query,
  lanes: readonly Lane[],
  { filter, buckets, by }: CountQuestion,
): Promise<readonly EventCountView[]> {
  const rows = lanes.length === 0 ? [] : await countRows(query, lanes, { filter, buckets, by });
  if (rows.reduce((sum, { looked }) => sum + looked, 0) > LOOKED_AT) {
    throw new TooMuchToCount(`more than ${LOOKED_AT.toLocaleString('en')} events would have to be looked at`);
  }
  const told = rows.filter(({ count }) => count > 0);
  if (told.length > GROUPS) throw new TooMuchToCount(`there are more than ${GROUPS.toLocaleString('en')} groups`);
  const found = new Map<number, Row[]>();
  for (const row of told) found.set(row.bucket, [...(found.get(row.bucket) ?? []), row]);
  return buckets.map(({ low, high }, index) => {
    const own = found.get(index + 1) ?? [];
    return {
      from: new Date(low).toISOString(),
      to: new Date(high).toISOString(),
      count: own.reduce((sum, { count }) => sum + count, 0),
      ...(by !== undefined && { groups: own.map(({ key, count }) => ({ key, count })) }),
    };
  });
}

async function countRows(
  query: Query,
  lanes: readonly Lane[],
  { filter, buckets, by }: Pick<CountQuestion, 'filter' | 'buckets' | 'by'>,
): Promise<Row[]> {
  const [lane] = lanes;
  const left = lane ? leftOf(filter, lane) : null;
  const parameters = new Parameters();
  const most = parameters.add(LOOKED_AT + 1, 'int');
  const edges = parameters.add(`{${buckets.map(({ low }) => new Date(low).toISOString()).join(',')}}`, 'text');
  const looked = walkedEvents({ lanes, order: 'desc', after: null }, parameters, most, undefined, columnsFor(left, by));
  const counted = left ? ` FILTER (WHERE ${eventConditions(parameters, left).join(' AND ')})` : '';
  const key =
    by === undefined ? 'NULL::text' : by === 'productKey' ? `coalesce(d."productKey", c."productKey")` : `c."${by}"`;
  const groups = by === undefined ? [] : by === 'productKey' ? ['"deviceId"', '"productKey"'] : [`"${by}"`];
  const columns = groups.map((column) => `, e.${column}`).join('');
  // counted by device first, so that each device's product is looked up once
  return query<Row>(
    `SELECT c.bucket, ${key} AS "key", sum(c.count)::float8 AS "count", sum(c.looked)::float8 AS "looked"
     FROM (
       SELECT width_bucket(e."at", ${edges}::timestamptz[]) AS bucket${columns}, count(*)${counted} AS count, count(*) AS looked
       FROM (SELECT * FROM ${looked} e LIMIT ${most}) e GROUP BY 1${columns}
     ) c ${by === 'productKey' ? 'LEFT JOIN LATERAL (SELECT d."productKey" FROM "Device" d WHERE d."id" = c."deviceId" OFFSET 0) d ON TRUE' : ''}
     GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2 LIMIT ${GROUPS * 2}`,
    ...parameters.values,
  );
}

/** No more columns than are needed: where an index has them all, the table is not read. */
function columnsFor(left: EventFilter | null, by: CountedBy | undefined): readonly string[] {
  if (left) return ['*'];
  const more = by === 'productKey' ? ['deviceId', 'productKey'] : by === undefined ? [] : [by];
  return ['at', ...more];
}
