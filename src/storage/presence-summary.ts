import type { PresenceInterval } from './presence-interval.js';
import type { Instant } from './read-columns.js';

/** How much of a stretch of time a device was online. */
export interface PresenceSummary {
  readonly from: Date;
  readonly to: Date;
  /** Of the time in which it is known, in percent; null when nothing is. */
  readonly uptimePercent: number | null;
  readonly onlineSeconds: number;
  readonly offlineSeconds: number;
  readonly unknownSeconds: number;
  /** How often it went on- or offline within the range. */
  readonly changes: number;
  /** How many times of being offline touch the range. */
  readonly outages: number;
  readonly longestOutage: Outage | null;
}

/** A time of being offline, as far as it lies in the range. */
export interface Outage {
  readonly from: Date;
  readonly until: Date;
  readonly seconds: number;
  readonly reason: number | null;
}

/** Sums up intervals in order of time. Where one does not begin as the one before it ends, nobody was to know what lies between. */
export function summaryOf(intervals: readonly PresenceInterval[], from: Date, to: Date): PresenceSummary {
  const spent = { online: 0, offline: 0, unknown: 0 };
  let changes = 0;
  let outages = 0;
  let longest: Outage | null = null;
  let before: boolean | null = null;
  let ended: Instant | null = null;
  for (const { online, from: begin, until: end, reason } of intervals) {
    const start = Math.max(from.getTime(), begin === null ? -Infinity : Date.parse(begin));
    const stop = Math.min(to.getTime(), end === null ? Infinity : Date.parse(end));
    spent[online === null ? 'unknown' : online ? 'online' : 'offline'] += stop - start;
    if (before !== null && online !== null && begin === ended) changes += 1;
    [before, ended] = [online, end];
    if (online !== false) continue;
    outages += 1;
    const seconds = (stop - start) / 1000;
    if (!longest || seconds > longest.seconds)
      longest = { from: new Date(start), until: new Date(stop), seconds, reason };
  }
  const known = spent.online + spent.offline;
  return {
    from,
    to,
    uptimePercent: known === 0 ? null : Math.round((spent.online / known) * 1e6) / 1e4,
    onlineSeconds: spent.online / 1000,
    offlineSeconds: spent.offline / 1000,
    unknownSeconds: spent.unknown / 1000,
    changes,
    outages,
    longestOutage: longest,
  };
}
