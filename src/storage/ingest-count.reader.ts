import { Injectable } from '@nestjs/common';
import { Snapshots } from './snapshots.js';

/** What became of messages, over all replicas and since ever. `expired` is a share of stored. */
export interface IngestTotals {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly setAside: number;
  readonly expired: number;
}

/** Counts of minutes older than this do not change any more: not by a transaction under way, nor by another clock. */
const SETTLED_AFTER_MS = 60 * 60 * 1000;

/** Answers how many messages there were. The sum of settled minutes is kept, so that only the last hours are read again. */
@Injectable()
export class IngestCountReader {
  private settled: { readonly until: string; readonly counts: ReadonlyMap<string, bigint> } | null = null;

  constructor(private readonly snapshots: Snapshots) {}

  async totals(now: Date): Promise<IngestTotals> {
    const known = this.settled;
    const until = new Date(Math.floor((now.getTime() - SETTLED_AFTER_MS) / 60_000) * 60_000).toISOString();
    const rows = await this.snapshots.read((query) =>
      query<{ outcome: string; old: boolean; count: string }>(
        `SELECT "outcome", "minute" < $1::timestamptz AS "old", sum("count")::text AS "count"
         FROM "IngestCount" WHERE "minute" >= $2::timestamptz GROUP BY 1, 2`,
        until,
        known?.until ?? '-infinity',
      ),
    );
    const settled = new Map(known?.counts);
    for (const { outcome, old, count } of rows)
      if (old) settled.set(outcome, (settled.get(outcome) ?? 0n) + BigInt(count));
    if (!known || known.until <= until) this.settled = { until, counts: settled };
    const all = new Map(settled);
    for (const { outcome, old, count } of rows) if (!old) all.set(outcome, (all.get(outcome) ?? 0n) + BigInt(count));
    const of = (outcome: string): number => Number(all.get(outcome) ?? 0n);
    return {
      received: of('received'),
      stored: of('stored'),
      duplicate: of('duplicate'),
      setAside: of('set-aside'),
      expired: of('expired'),
    };
  }
}
