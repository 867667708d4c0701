import { bucketsOf, isTimeZone } from '../domain/calendar-buckets.js';
import { DAY_MS, parseInterval } from '../domain/interval.js';
import { commonSpan, SLOT_MS } from '../storage/presence-spans.js';
import type { FlappingQuery, PresenceCurveQuery } from './presence.queries.js';
import { BadParameters } from './problem.js';
import { rangeOf } from './queries.js';

const MOST_POINTS = 1_000;
/** So many slots may be added up for a curve; whole hours are kept as such. */
const MOST_SLOTS = 20_000;
const MOST_DAYS = 92;

/**
 * The moments at which a curve has its points, in order, none of them in the future.
 * @throws BadParameters
 */
export function curveMoments(query: PresenceCurveQuery, now: Date): readonly number[] {
  const { from, to } = rangeOf({ ...query, order: 'asc' });
  const interval = parseInterval(query.interval);
  if (typeof interval === 'string') throw bad('interval', interval);
  if (!isTimeZone(query.timeZone)) throw bad('timeZone', 'must be an IANA time zone such as Asia/Shanghai');
  const high = Math.min(to?.getTime() ?? Infinity, now.getTime());
  const low = Math.floor((from?.getTime() ?? high - DAY_MS) / SLOT_MS) * SLOT_MS;
  if (low >= high) return [];
  const buckets = bucketsOf(interval, query.timeZone, { low, high }, MOST_POINTS);
  if (buckets === null) {
    throw bad(
      'interval',
      `makes more than ${MOST_POINTS} points of this range: ask for a longer one, or for less time`,
    );
  }
  const moments = buckets.map((bucket) => bucket.low);
  const span = commonSpan(moments);
  if (span === null) throw bad('interval', 'must be of whole five minutes');
  if (span === '5 minutes' && (high - low) / SLOT_MS > MOST_SLOTS) {
    throw bad('interval', 'must be of whole hours for so long a range, which must begin with an hour then');
  }
  return moments;
}

/**
 * The days of a flapping list, in epoch milliseconds.
 * @throws BadParameters
 */
export function flappingDays(query: FlappingQuery, now: Date): { readonly from: number; readonly to: number } {
  for (const parameter of ['from', 'to'] as const) {
    const time = query[parameter];
    if (time && time.getTime() % DAY_MS !== 0) {
      throw bad(parameter, 'must be the beginning of a day in UTC: changes are counted by the day');
    }
  }
  rangeOf({ ...query, order: 'asc' });
  const tomorrow = (Math.floor(now.getTime() / DAY_MS) + 1) * DAY_MS;
  const to = Math.min(query.to?.getTime() ?? Infinity, tomorrow);
  const from = query.from?.getTime() ?? to - 7 * DAY_MS;
  if (to - from > MOST_DAYS * DAY_MS) throw bad('from', `must be at most ${MOST_DAYS} days before \`to\``);
  return { from, to };
}

function bad(parameter: string, detail: string): BadParameters {
  return new BadParameters([{ parameter, detail }]);
}
