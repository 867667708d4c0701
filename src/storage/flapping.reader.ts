import { Injectable } from '@nestjs/common';
import { Parameters } from './read-columns.js';
import { type Query, Snapshots } from './snapshots.js';

/** How often a device went on- or offline. */
export interface FlappingDevice {
  readonly productKey: string;
  readonly deviceName: string;
  readonly changes: number;
}

/** The devices that changed most. */
export interface FlappingList {
  readonly items: readonly FlappingDevice[];
  /** No device that is not listed changed more often than this. */
  readonly othersAtMost: number;
}

const DAY_MS = 86_400_000;
/** Of each day so many devices with the most changes are looked at first, and so many at last. */
const FIRST_DEPTH = 100;
const LAST_DEPTH = 3_200;

interface Seen {
  readonly depth: number;
  readonly candidates: ReadonlySet<number>;
  /** No device that is not among the candidates changed more often than this. */
  readonly bound: number;
}

/**
 * Answers which devices flap. Whoever changed most over several days was among the first of at least one of them, or else changed
 * no more often than the last of those that were looked at, day by day, together: so a few of each day are enough
 * (the threshold algorithm of Fagin, Lotem and Naor).
 */
@Injectable()
export class FlappingReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** Of whole days (UTC), in epoch milliseconds. */
  async most(from: number, to: number, limit: number, productKey: string | null): Promise<FlappingList> {
    const days: string[] = [];
    for (let day = from; day < to; day += DAY_MS) days.push(new Date(day).toISOString().slice(0, 10));
    return this.snapshots.read(async (query) => {
      for (let depth = Math.max(FIRST_DEPTH, limit); ; depth *= 4) {
        const seen = await firstOfEachDay(query, days, depth);
        const ranked = await counted(query, seen.candidates, days, productKey);
        const items = ranked.slice(0, limit);
        const enough = seen.bound === 0 || (items.length === limit && (items.at(-1)?.changes ?? 0) >= seen.bound);
        if (enough || depth >= LAST_DEPTH) {
          return { items, othersAtMost: Math.max(seen.bound, ranked[limit]?.changes ?? 0) };
        }
      }
    });
  }
}

async function firstOfEachDay(query: Query, days: readonly string[], depth: number): Promise<Seen> {
  const rows = await query<{ id: number; day: string; changes: number }>(
    `SELECT t."deviceId" AS "id", i.day::text AS "day", t."changes"
     FROM unnest($1::text::date[]) AS i(day)
     CROSS JOIN LATERAL (
       SELECT d."deviceId", d."changes" FROM "PresenceDay" d WHERE d."day" = i.day AND d."changes" > 0
       ORDER BY d."changes" DESC, d."deviceId" DESC LIMIT $2::int
     ) t`,
    `{${days.join(',')}}`,
    depth,
  );
  const last = new Map<string, { rows: number; changes: number }>();
  for (const { day, changes } of rows) {
    const known = last.get(day);
    last.set(day, { rows: (known?.rows ?? 0) + 1, changes: Math.min(known?.changes ?? Infinity, changes) });
  }
  const bound = [...last.values()].reduce((sum, day) => sum + (day.rows < depth ? 0 : day.changes), 0);
  return { depth, candidates: new Set(rows.map(({ id }) => id)), bound };
}

async function counted(
  query: Query,
  candidates: ReadonlySet<number>,
  days: readonly string[],
  productKey: string | null,
): Promise<FlappingDevice[]> {
  if (candidates.size === 0) return [];
  const parameters = new Parameters();
  const ids = parameters.add(`{${[...candidates].join(',')}}`, 'text');
  const first = parameters.add(days[0], 'text');
  const last = parameters.add(days.at(-1), 'text');
  const product = productKey === null ? '' : ` AND d."productKey" = ${parameters.add(productKey, 'text')}`;
  return query<FlappingDevice>(
    `SELECT d."productKey", d."deviceName", c.changes AS "changes"
     FROM unnest(${ids}::int4[]) AS i(id)
     JOIN "Device" d ON d."id" = i.id${product}
     CROSS JOIN LATERAL (
       SELECT sum(p."changes")::int AS changes FROM "PresenceDay" p
       WHERE p."deviceId" = i.id AND p."day" >= ${first}::date AND p."day" <= ${last}::date
     ) c
     ORDER BY c.changes DESC, d."productKey", d."deviceName"`,
    ...parameters.values,
  );
}
