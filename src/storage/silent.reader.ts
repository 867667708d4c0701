import { Injectable } from '@nestjs/common';
import { instant, type Instant, type Page, type PageRequest, Parameters } from './read-columns.js';
import { readingsOf } from './reading-source.js';
import { type Query, Snapshots } from './snapshots.js';

/** A device that has been silent for longer than it is used to. */
export interface SilentDevice {
  readonly productKey: string;
  readonly deviceName: string;
  readonly online: boolean | null;
  readonly lastSeen: Instant;
  readonly silentSeconds: number;
  /** Nine of ten of its last pauses were no longer than this. */
  readonly habitSeconds: number;
  /** How many times its habit it has been silent. */
  readonly times: number;
}

/** The place of a device in the list: the hour in which it was heard last, and its number. */
export type SilentPlace = readonly [hour: Instant, id: string];

interface Candidate {
  readonly id: number;
  readonly productKey: string;
  readonly deviceName: string;
  readonly online: boolean | null;
  readonly lastSeen: Instant;
  readonly hour: Instant;
}

/** What is asked. */
export interface SilentQuestion {
  readonly factor: number;
  readonly productKey: string | null;
  readonly now: Date;
}

const DAY_MS = 86_400_000;
/** A page looks at the habits of no more devices than this. */
const LOOKED_AT = 500;
/** A device that tells several things at once is not expected at once again. */
const SHORTEST_HABIT_SECONDS = 60;
/** The pauses between so many last moments at which it was heard, in so many days before the last of them, are its habit. */
const MOMENTS = 50;
const HABIT_MS = 30 * DAY_MS;
/** Of so many properties, those that were reported last. */
const SERIES = 4;

/** Answers which devices should have been heard by now, judged by themselves. */
@Injectable()
export class SilentReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** About by when they were heard last, the longest silence first. */
  async list(question: SilentQuestion, page: PageRequest<SilentPlace>): Promise<Page<SilentDevice, SilentPlace>> {
    return this.snapshots.read(async (query) => {
      const candidates = await silentFor(query, question, page.after);
      const habits = await habitsOf(query, candidates);
      const found: SilentDevice[] = [];
      for (const candidate of candidates) {
        const device = silent(candidate, habits.get(candidate.id), question);
        if (!device) continue;
        found.push(device);
        if (found.length === page.limit) return { items: found, next: placeOf(candidate) };
      }
      const last = candidates.at(-1);
      return { items: found, next: last && candidates.length === LOOKED_AT ? placeOf(last) : null };
    });
  }
}

/** Those that were not heard for the least time that is worth a look. */
function silentFor(
  query: Query,
  { factor, productKey, now }: SilentQuestion,
  after: SilentPlace | null,
): Promise<Candidate[]> {
  const parameters = new Parameters();
  const latest = now.getTime() - factor * SHORTEST_HABIT_SECONDS * 1000;
  const high = parameters.add(new Date(latest).toISOString(), 'timestamptz');
  const conditions = [
    `d."lastSeenHour" <= ${high}`,
    `d."lastSeen" < ${high}`,
    `d."lifecycle" IS DISTINCT FROM 'delete'`,
  ];
  if (productKey !== null) conditions.push(`d."productKey" = ${parameters.add(productKey, 'text')}`);
  if (after) {
    const [hour, id] = after;
    conditions.push(
      `(d."lastSeenHour", d."id") > (${parameters.add(hour, 'timestamptz')}, ${parameters.add(id, 'int')})`,
    );
  }
  return query<Candidate>(
    `SELECT d."id", d."productKey", d."deviceName", d."online", ${instant('d."lastSeen"')} AS "lastSeen",
       ${instant('d."lastSeenHour"')} AS "hour"
     FROM "Device" d WHERE ${conditions.join(' AND ')}
     ORDER BY d."lastSeenHour", d."id" LIMIT ${LOOKED_AT}`,
    ...parameters.values,
  );
}

/** The usual pause of each device, in seconds; those that were heard too few times to have one are missing. */
async function habitsOf(query: Query, devices: readonly Candidate[]): Promise<Map<number, number>> {
  if (devices.length === 0) return new Map();
  const times = devices.map(({ lastSeen }) => Date.parse(lastSeen));
  const parameters = new Parameters();
  const ids = parameters.add(`{${devices.map(({ id }) => id).join(',')}}`, 'text');
  const seen = parameters.add(`{${devices.map(({ lastSeen }) => lastSeen).join(',')}}`, 'text');
  const low = parameters.add(new Date(Math.min(...times) - HABIT_MS).toISOString(), 'timestamptz');
  const high = parameters.add(new Date(Math.max(...times) + 1).toISOString(), 'timestamptz');
  const within = (column: string): string[] => [
    `${column} > s.seen - INTERVAL '${HABIT_MS / 1000} seconds'`,
    `${column} <= s.seen`,
  ];
  const limit = String(MOMENTS);
  const rows = await query<{ id: number; seconds: number }>(
    `SELECT s.id, extract(epoch FROM h.habit)::float8 AS "seconds"
     FROM unnest(${ids}::int4[], ${seen}::timestamptz[]) AS s(id, seen)
     CROSS JOIN LATERAL (
       SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY g.gap) AS habit
       FROM (
         SELECT m."at" - lag(m."at") OVER (ORDER BY m."at") AS gap
         FROM (
           SELECT DISTINCT u."at" FROM (
             SELECT r."at" FROM (
               SELECT p."id" FROM "DeviceProperty" p WHERE p."deviceId" = s.id AND p."at" IS NOT NULL
               ORDER BY p."at" DESC LIMIT ${SERIES}
             ) p CROSS JOIN LATERAL (${readingsOf('p."id"', low, high, within('r."at"'), { order: 'desc', limit })}) r
             UNION ALL
             (SELECT e."at" FROM "EventLog" e
              WHERE e."deviceId" = s.id AND e."kind" = 'event-raised' AND e."at" >= ${low} AND e."at" < ${high}
                AND ${within('e."at"').join(' AND ')}
              ORDER BY e."at" DESC LIMIT ${limit})
           ) u ORDER BY u."at" DESC LIMIT ${limit}
         ) m
       ) g WHERE g.gap IS NOT NULL HAVING count(*) >= 2
     ) h`,
    ...parameters.values,
  );
  return new Map(rows.map(({ id, seconds }) => [id, Math.max(seconds, SHORTEST_HABIT_SECONDS)]));
}

function silent(candidate: Candidate, habit: number | undefined, { factor, now }: SilentQuestion): SilentDevice | null {
  if (habit === undefined) return null;
  const { productKey, deviceName, online, lastSeen } = candidate;
  const silentSeconds = (now.getTime() - Date.parse(lastSeen)) / 1000;
  if (silentSeconds <= factor * habit) return null;
  const times = Math.round((silentSeconds / habit) * 10) / 10;
  return { productKey, deviceName, online, lastSeen, silentSeconds, habitSeconds: habit, times };
}

function placeOf({ hour, id }: Candidate): SilentPlace {
  return [hour, String(id)];
}
