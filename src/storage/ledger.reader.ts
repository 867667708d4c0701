import { Injectable } from '@nestjs/common';
import { instant, type Instant, type Page, Parameters } from './read-columns.js';
import type { TimeRange } from './reading.reader.js';
import { type Query, Snapshots } from './snapshots.js';

/** What became of messages: received = stored + duplicate + setAside. The others are shares of these. */
export interface LedgerCounts {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly setAside: number;
  readonly setAsideReasons: Readonly<Record<string, number>>;
  readonly late: number;
  readonly expired: number;
  readonly redelivered: number;
  readonly idReused: number;
  readonly spooled: number;
}

/** Of one transport of one replica. */
export interface LedgerPart extends LedgerCounts {
  readonly transport: string;
  readonly replica: string;
}

/** A minute, an hour or a day (UTC): all that was received in it. */
export interface LedgerPeriod extends LedgerCounts {
  readonly from: Instant;
  readonly parts: readonly LedgerPart[];
}

/** How long a period is, in milliseconds. */
export const PERIODS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
export type PeriodLength = keyof typeof PERIODS;

/** Whose counts; what is undefined does not matter. */
export interface LedgerFilter {
  readonly transport?: string | undefined;
  readonly replica?: string | undefined;
}

interface Count {
  readonly outcome: string;
  readonly count: string;
}

/** Counts of minutes older than this do not change any more: not by a transaction under way, nor by another clock. */
const SETTLED_AFTER_MS = 60 * 60 * 1000;

/** The sum of all minutes before `until`, as long as no spool has brought messages of such minutes since. */
interface Settled {
  readonly until: Date;
  readonly spools: string | null;
  readonly counts: readonly Count[];
}

/** Answers how many messages there were, and what became of them. */
@Injectable()
export class LedgerReader {
  /** The sum of settled minutes is kept, so that only the last hours are read again. */
  private settled: Settled | null = null;

  constructor(private readonly snapshots: Snapshots) {}

  /** Over all replicas and since ever. */
  async totals(now: Date): Promise<LedgerCounts> {
    return this.snapshots.read(async (query) => {
      const [spools] = await query<{ at: string | null }>(`SELECT max("storedAt")::text AS "at" FROM "SpoolPosition"`);
      const last = this.settled;
      const known = last !== null && last.spools === (spools?.at ?? null) && last.until <= now ? last : null;
      const until = new Date(Math.floor((now.getTime() - SETTLED_AFTER_MS) / PERIODS.minute) * PERIODS.minute);
      const old = [...(known?.counts ?? []), ...(await sums(query, { from: known?.until ?? null, to: until }))];
      this.settled = { until, spools: spools?.at ?? null, counts: merged(old) };
      return countsOf([...old, ...(await sums(query, { from: until, to: null }))]);
    });
  }

  /** Of what was received in a stretch of time. */
  async between(range: Pick<TimeRange, 'from' | 'to'>): Promise<LedgerCounts> {
    return countsOf(await this.snapshots.read((query) => sums(query, range)));
  }

  /** Period by period; those in which nothing was received are left out. The place of a page is where its last period ends. */
  async periods(
    length: PeriodLength,
    filter: LedgerFilter,
    range: TimeRange,
    page: { readonly limit: number; readonly after: Instant | null },
  ): Promise<Page<LedgerPeriod, readonly [Instant]>> {
    const ms = PERIODS[length];
    const newestFirst = range.order === 'desc';
    const after = page.after === null ? null : new Date(page.after);
    const left = newestFirst ? { ...range, to: after ?? range.to } : { ...range, from: after ?? range.from };
    return this.snapshots.read(async (query) => {
      const first = await edge(query, filter, left);
      if (first === null) return { items: [], next: null };
      const begin = Math.floor(first.getTime() / ms) * ms;
      const end = newestFirst ? begin + ms - page.limit * ms : begin + page.limit * ms;
      const looked = newestFirst
        ? { from: later(left.from, end), to: left.to }
        : { from: left.from, to: earlier(left.to, end) };
      const items = await periodsOf(query, length, filter, { ...looked, order: range.order });
      const rest = newestFirst ? { ...left, to: new Date(end) } : { ...left, from: new Date(end) };
      const more = (await edge(query, filter, rest)) !== null;
      return { items, next: more ? ([new Date(end).toISOString()] as const) : null };
    });
  }
}

async function periodsOf(
  query: Query,
  length: PeriodLength,
  filter: LedgerFilter,
  range: TimeRange,
): Promise<LedgerPeriod[]> {
  const parameters = new Parameters();
  const conditions = [...within(parameters, range.from, range.to), ...filtered(parameters, filter)];
  const period = `date_bin('1 ${length}', c."minute", TIMESTAMPTZ '2000-01-01Z')`;
  const rows = await query<Count & { from: Instant; transport: string; replica: string }>(
    `SELECT ${instant(period)} AS "from", c."transport", c."replica", c."outcome", sum(c."count")::text AS "count"
     FROM "IngestCount" c WHERE ${conditions.join(' AND ')}
     GROUP BY 1, 2, 3, 4 ORDER BY 1 ${range.order.toUpperCase()}, 2, 3`,
    ...parameters.values,
  );
  return groups(rows, ({ from }) => from).map((ofPeriod) => ({
    from: ofPeriod[0].from,
    ...countsOf(ofPeriod),
    parts: groups(ofPeriod, ({ transport, replica }) => JSON.stringify([transport, replica])).map((ofPart) => ({
      transport: ofPart[0].transport,
      replica: ofPart[0].replica,
      ...countsOf(ofPart),
    })),
  }));
}

/** The first minute of a stretch in its order, or null when nothing was received in it. */
async function edge(query: Query, filter: LedgerFilter, range: TimeRange): Promise<Date | null> {
  const parameters = new Parameters();
  const conditions = [...within(parameters, range.from, range.to), ...filtered(parameters, filter)];
  const [row] = await query<{ minute: Date }>(
    `SELECT c."minute" FROM "IngestCount" c WHERE ${conditions.join(' AND ')}
     ORDER BY c."minute" ${range.order.toUpperCase()} LIMIT 1`,
    ...parameters.values,
  );
  return row?.minute ?? null;
}

async function sums(query: Query, { from, to }: Pick<TimeRange, 'from' | 'to'>): Promise<Count[]> {
  const parameters = new Parameters();
  return query<Count>(
    `SELECT c."outcome", sum(c."count")::text AS "count" FROM "IngestCount" c
     WHERE ${within(parameters, from, to).join(' AND ')} GROUP BY 1`,
    ...parameters.values,
  );
}

/** One count for each outcome. */
function merged(counts: readonly Count[]): Count[] {
  const sum = new Map<string, bigint>();
  for (const { outcome, count } of counts) sum.set(outcome, (sum.get(outcome) ?? 0n) + BigInt(count));
  return [...sum].map(([outcome, count]) => ({ outcome, count: String(count) }));
}

function within(parameters: Parameters, from: Date | null, to: Date | null): string[] {
  const conditions = ['TRUE'];
  if (from) conditions.push(`c."minute" >= ${parameters.add(from.toISOString(), 'timestamptz')}`);
  if (to) conditions.push(`c."minute" < ${parameters.add(to.toISOString(), 'timestamptz')}`);
  return conditions;
}

function filtered(parameters: Parameters, { transport, replica }: LedgerFilter): string[] {
  const conditions: string[] = [];
  if (transport !== undefined) conditions.push(`c."transport" = ${parameters.add(transport, 'text')}`);
  if (replica !== undefined) conditions.push(`c."replica" = ${parameters.add(replica, 'text')}`);
  return conditions;
}

const SET_ASIDE = 'set-aside';

function countsOf(rows: readonly Count[]): LedgerCounts {
  const sum = new Map<string, bigint>();
  const reasons: Record<string, number> = {};
  let setAside = 0n;
  for (const { outcome, count } of rows) {
    sum.set(outcome, (sum.get(outcome) ?? 0n) + BigInt(count));
    if (outcome !== SET_ASIDE && !outcome.startsWith(`${SET_ASIDE}:`)) continue;
    setAside += BigInt(count);
    const reason = outcome.slice(SET_ASIDE.length + 1) || 'unknown'; // before reasons were counted
    reasons[reason] = (reasons[reason] ?? 0) + Number(count);
  }
  const of = (outcome: string): number => Number(sum.get(outcome) ?? 0n);
  return {
    received: of('received'),
    stored: of('stored'),
    duplicate: of('duplicate'),
    setAside: Number(setAside),
    setAsideReasons: reasons,
    late: of('late'),
    expired: of('expired'),
    redelivered: of('redelivered'),
    idReused: of('id-reused'),
    spooled: of('spooled'),
  };
}

/** Neighbouring rows of one key. */
function groups<Row>(rows: readonly Row[], key: (row: Row) => string): [Row, ...Row[]][] {
  const found = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const known = found.get(key(row));
    if (known) known.push(row);
    else found.set(key(row), [row]);
  }
  return [...found.values()];
}

function later(time: Date | null, ms: number): Date {
  return new Date(Math.max(time?.getTime() ?? -Infinity, ms));
}

function earlier(time: Date | null, ms: number): Date {
  return new Date(Math.min(time?.getTime() ?? Infinity, ms));
}
