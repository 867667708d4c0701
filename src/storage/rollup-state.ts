import { ROLLUP_LOCK } from './advisory-locks.js';
import { epochMs } from './read-columns.js';
import type { PrismaService, Transaction } from './prisma.service.js';

/** How far the roll-ups are, in epoch milliseconds; see RollupState in schema.prisma. */
export interface RollupState {
  readonly announced: number;
  readonly ready: number;
  readonly hoursUntil: number;
  readonly hoursSeries: number;
  readonly daysUntil: number;
  readonly daysSeries: number;
  readonly daysFrom: number;
  readonly pastSeries: number;
  readonly pastDone: boolean;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Nothing older is rolled up: it shares one partition without a beginning. */
export const ROLLUPS_FROM = Date.UTC(2015, 0, 1);

/**
 * How soon an hour counts as over: what comes later than this is stored as ever, and its day is rolled up again.
 */
const SETTLED_AFTER_MS = 15 * 60_000;

/** The state, held until this transaction ends; null while another keeper holds it, and before the first `advance`. */
export async function holdState(tx: Transaction): Promise<RollupState | null> {
  const [lock] = await tx.$queryRawUnsafe<{ had: boolean }[]>(
    `SELECT pg_try_advisory_xact_lock(${ROLLUP_LOCK}) AS had`,
  );
  if (!lock?.had) return null;
  const [state] = await tx.$queryRawUnsafe<RollupState[]>(STATE);
  return state ?? null;
}

/** Notes what has changed of it. */
export async function noteState(tx: Transaction, changed: Partial<RollupState>): Promise<void> {
  const assignments = Object.entries(changed).map(([name, value], index) =>
    typeof value === 'number' && !name.endsWith('Series')
      ? { sql: `"${name}" = to_timestamp($${index + 1}::float8 / 1000)`, value }
      : { sql: `"${name}" = $${index + 1}`, value },
  );
  await tx.$executeRawUnsafe(
    `UPDATE "RollupState" SET ${assignments.map(({ sql }) => sql).join(', ')}`,
    ...assignments.map(({ value }) => value),
  );
}

/**
 * Moves up to where roll-ups may reach. A batch that looked before the announcement does not know that it has to mark what it
 * stores, so what was announced is not rolled up until all such batches are over: they hold a lock on the marks from before they
 * look to their end.
 * @returns whether all that was announced is ready. If not, some transaction takes very long: try again later.
 */
export async function advance(prisma: PrismaService, now: Date, waitMs: number): Promise<boolean> {
  const settled = now.getTime() - SETTLED_AFTER_MS;
  await prisma.$executeRawUnsafe(BEGIN, timeText(ROLLUPS_FROM), timeText(floor(settled, DAY_MS)));
  const announced = await prisma.inTransaction(async (tx) => {
    const state = await holdState(tx);
    if (!state) return null;
    const target = Math.max(floor(settled, HOUR_MS), state.announced);
    if (target > state.announced) await noteState(tx, { announced: target });
    return target > state.ready ? target : null;
  });
  if (announced === null) return true;
  if (!(await olderBatchesOver(prisma, waitMs))) return false;
  await prisma.$executeRawUnsafe(
    `UPDATE "RollupState" SET "ready" = greatest("ready", $1::text::timestamptz)`,
    timeText(announced),
  );
  return true;
}

/** Waits for every batch that may have looked before now. */
async function olderBatchesOver(prisma: PrismaService, waitMs: number): Promise<boolean> {
  const batches = async (): Promise<string[]> => {
    const rows = await prisma.$queryRawUnsafe<{ id: string }[]>(
      `SELECT l.virtualtransaction AS id FROM pg_locks l
       WHERE l.locktype = 'relation' AND l.relation = '"RollupMark"'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return rows.map(({ id }) => id);
  };
  const older = new Set(await batches());
  const until = performance.now() + waitMs;
  let left = older.size;
  while (left > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = (await batches()).filter((id) => older.has(id)).length;
  }
  return left === 0;
}

/** The beginning of the hour or day of a time. */
export function floor(epochMs: number, stepMs: number): number {
  return Math.floor(epochMs / stepMs) * stepMs;
}

/** A time as PostgreSQL reads it. */
export function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** $1 nothing is ready yet, $2 the first day that is not over: what lies before it is the past. */
const BEGIN = `
INSERT INTO "RollupState" ("announced", "ready", "hoursUntil", "daysUntil", "daysFrom")
SELECT t.none, t.none, t.today, t.today, t.today FROM (SELECT $1::text::timestamptz AS none, $2::text::timestamptz AS today) t
WHERE NOT EXISTS (SELECT FROM "RollupState") ON CONFLICT DO NOTHING`;

const time = (name: string): string => `${epochMs(`"${name}"`)} AS "${name}"`;

const STATE = `
SELECT ${['announced', 'ready', 'hoursUntil', 'daysUntil', 'daysFrom'].map(time).join(', ')},
  "hoursSeries", "daysSeries", "pastSeries", "pastDone"
FROM "RollupState"`;
