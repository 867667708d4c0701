import type { Instant } from './read-columns.js';
import { instant, Parameters } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import type { Query } from './snapshots.js';

/** The place of an event in its list. */
export type EventPlace = readonly [at: Instant, hash: string];

/** A part of the log that an index answers in the order of time: of one device, request, identifier or kind, or all of it. */
export interface Lane extends Bounds {
  readonly device?: number;
  readonly requestId?: string;
  readonly identifier?: string;
  readonly kind?: string;
}

/** A walk through lanes that all are of the same sort, from a place on. */
export interface EventWalk {
  readonly lanes: readonly Lane[];
  readonly order: 'asc' | 'desc';
  readonly after: EventPlace | null;
}

/** Further conditions on an event `e`. */
export type EventConditions = (parameters: Parameters) => readonly string[];

/** A page looks at no more entries than this. What is rare may so leave a page short, or empty, with a `next` all the same. */
const LOOKED_AT = 20_000;

const COLUMNS = {
  device: ['deviceId', 'int'],
  requestId: ['requestId', 'text'],
  identifier: ['identifier', 'text'],
  kind: ['kind', 'text'],
} as const;

type By = keyof typeof COLUMNS;
const SORTS = Object.keys(COLUMNS) as readonly By[];

/** SQL of the first `limit` events of a walk that conditions hold for, as rows of EventLog in no order. */
export function walkedEvents(
  { lanes, order, after }: EventWalk,
  parameters: Parameters,
  limit: string,
  conditions: EventConditions = () => [],
  columns: readonly string[] = ['*'],
): string {
  const [first] = lanes;
  if (!first) throw new Error('a walk needs a lane');
  const by = SORTS.find((sort) => first[sort] !== undefined);
  const place = after ? behind(parameters, after, order === 'desc' ? '<' : '>') : [];
  const shown = columns.map((column) => `e.${column === '*' ? column : `"${column}"`}`).join(', ');
  const shared = [...place, ...conditions(parameters)];
  const end = `ORDER BY ${inOrder(by, order)} FETCH FIRST (${limit}) ROWS ${by === undefined || by === 'device' ? 'ONLY' : 'WITH TIES'}`;
  if (lanes.length === 1) {
    const own = by === undefined ? [] : [`e."${COLUMNS[by][0]}" = ${parameters.add(first[by], COLUMNS[by][1])}`];
    const found = ['TRUE', ...own, ...bounded(parameters, first), ...shared].join(' AND ');
    return `(SELECT ${shown} FROM "EventLog" e WHERE ${found} ${end})`;
  }
  if (by === undefined) throw new Error('several lanes need something that tells them apart');
  const hull = { low: Math.min(...lanes.map(({ low }) => low)), high: Math.max(...lanes.map(({ high }) => high)) };
  const [column, type] = COLUMNS[by];
  const table = parameters.add(
    JSON.stringify(lanes.map((lane) => ({ key: lane[by], low: timeOf(lane.low), high: timeOf(lane.high) }))),
    'text',
  );
  const found = [
    `e."${column}" = w."key"`,
    'e."at" >= w."low"',
    'e."at" < w."high"',
    ...bounded(parameters, hull),
    ...shared,
  ];
  return `(SELECT ${shown} FROM json_to_recordset(${table}::json) AS w("key" ${type}, "low" timestamptz, "high" timestamptz)
     CROSS JOIN LATERAL (SELECT ${shown} FROM "EventLog" e WHERE ${found.join(' AND ')} ${end}) e)`;
}

/** The last entry that a page of a walk looks at, or null when it can look at all that are left. */
export async function endOfLook(query: Query, walk: EventWalk): Promise<EventPlace | null> {
  const each = Math.max(1, Math.floor(LOOKED_AT / walk.lanes.length));
  let nearest: EventPlace | null = null;
  const isNearer = (at: Instant): boolean =>
    nearest === null || (walk.order === 'desc' ? at > nearest[0] : at < nearest[0]);
  for (const lane of walk.lanes) {
    const parameters = new Parameters();
    const direction = walk.order.toUpperCase();
    const entries = walkedEvents({ ...walk, lanes: [lane] }, parameters, parameters.add(each, 'int'), undefined, [
      'at',
      'hash',
    ]);
    const [row] = await query<{ at: Instant; hash: string }>(
      `SELECT ${instant('e."at"')} AS "at", e."hash"::text AS "hash" FROM ${entries} e
       ORDER BY e."at" ${direction}, e."hash" ${direction} OFFSET ${each - 1} LIMIT 1`,
      ...parameters.values,
    );
    if (row && isNearer(row.at)) nearest = [row.at, row.hash];
  }
  return nearest;
}

/** Conditions on an event that it does not lie behind a place. */
export function upTo(parameters: Parameters, end: EventPlace, order: 'asc' | 'desc'): readonly string[] {
  return behind(parameters, end, order === 'desc' ? '>=' : '<=');
}

/** Comparing rows prunes no partitions, so the time is compared on its own as well. */
function behind(parameters: Parameters, [at, hash]: EventPlace, operator: '<' | '>' | '>=' | '<='): readonly string[] {
  const time = parameters.add(at, 'timestamptz');
  return [
    `e."at" ${operator === '<' ? '<=' : operator === '>' ? '>=' : operator} ${time}`,
    `(e."at", e."hash") ${operator} (${time}, ${parameters.add(hash, 'uuid')})`,
  ];
}

/** The indexes on kind, identifier and request end with the time: events of the same millisecond come together there, unsorted. */
function inOrder(by: By | undefined, order: 'asc' | 'desc'): string {
  const direction = order.toUpperCase();
  return by === undefined || by === 'device' ? `e."at" ${direction}, e."hash" ${direction}` : `e."at" ${direction}`;
}

/** Bounds that are parameters: partitions outside of them are not even planned for. */
export function bounded(parameters: Parameters, { low, high }: Bounds): readonly string[] {
  const conditions: string[] = [];
  if (low > -Infinity) conditions.push(`e."at" >= ${parameters.add(timeOf(low), 'timestamptz')}`);
  if (high < Infinity) conditions.push(`e."at" < ${parameters.add(timeOf(high), 'timestamptz')}`);
  return conditions;
}

function timeOf(epochMs: number): string {
  if (epochMs === Infinity) return 'infinity';
  return epochMs === -Infinity ? '-infinity' : new Date(epochMs).toISOString();
}
