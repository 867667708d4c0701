import { RoundPace, SteadyPace, type BacklogPace } from './backlog-pace.js';

/**
 * How messages are delivered, for all groups (protocol 4 and 9). Durations are in simulated time, but for those of a client:
 * `slowAfterMs`. Rates are in the world's.
 */
export interface DeliveryRules {
  /** Messages/s in real time to one connection; null is without limit. */
  readonly realtimePerSecond: number | null;
  /** Enterprise: messages/s from the backlog of a group; null is without limit. */
  readonly backlogPerSecond: number | null;
  /** Enterprise: a message from the backlog that fails blocks the backlog for so long. */
  readonly retryAfterMs: number;
  /** Living: from one round of the backlog to the next. */
  readonly roundMs: number;
  /** Living: messages that a round begins with, each accept letting another go on; null is all. */
  readonly perRound: number | null;
  /** A client is too slow once a message waited so long for its credit: the message goes to the backlog. */
  readonly slowAfterMs: number;
  /** A message that was not accepted for so long is dropped. */
  readonly retentionMs: number;
  /** What a group may hold before its oldest messages are dropped. */
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
  /** Enterprise: how long shares are uneven after a client joins or leaves; 0 never. */
  readonly settlingMs: number;
}

const MINUTE_MS = 60_000;

/** What the platform says, but for its capacity (100 million messages), the bytes, and what too slow means. */
export const PLATFORM_RULES: DeliveryRules = {
  realtimePerSecond: 1_000,
  backlogPerSecond: 200,
  retryAfterMs: MINUTE_MS,
  roundMs: 5 * MINUTE_MS,
  perRound: 10,
  slowAfterMs: 1_000,
  retentionMs: 1_440 * MINUTE_MS,
  maxQueued: 1_000_000,
  maxQueuedBytes: 512 * 1_024 * 1_024,
  settlingMs: 10 * MINUTE_MS,
};

/** With the platform's limits on rates. */
export function withPlatformRates(rules: DeliveryRules): DeliveryRules {
  const { realtimePerSecond, backlogPerSecond, perRound } = PLATFORM_RULES;
  return { ...rules, realtimePerSecond, backlogPerSecond, perRound };
}

/** For tests of other things: no rate limits, and what fails comes back after 50 ms. */
export const QUICK_RULES: DeliveryRules = {
  ...withoutLimits(PLATFORM_RULES),
  retryAfterMs: 50,
  roundMs: 50,
  settlingMs: 0,
  // A machine that stands still for a while must not change the order of what a test receives.
  slowAfterMs: 3_600_000,
};

/** The same without any limit of a rate; the rhythms stay. */
export function withoutLimits(rules: DeliveryRules): DeliveryRules {
  return { ...rules, realtimePerSecond: null, backlogPerSecond: null, perRound: null };
}

/** What one group goes by. */
export interface GroupRules extends DeliveryRules {
  /** Random client of the group (Enterprise), or always the one that came first (Living, protocol 4.3). */
  readonly sharing: 'random' | 'oldest';
}

/** The rhythm of the backlog: rounds for a Living app, a steady rate for an Enterprise group. */
export function backlogPace({ sharing, backlogPerSecond, retryAfterMs, roundMs, perRound }: GroupRules): BacklogPace {
  return sharing === 'oldest' ? new RoundPace(roundMs, perRound) : new SteadyPace(backlogPerSecond, retryAfterMs);
}

/** `base` with what is given instead; undefined is not given. */
export function deliveryRules(base: DeliveryRules, given: Partial<DeliveryRules>): DeliveryRules {
  const change = (name: keyof DeliveryRules): object => (given[name] === undefined ? {} : { [name]: given[name] });
  return Object.assign({}, base, ...(Object.keys(base) as (keyof DeliveryRules)[]).map(change)) as DeliveryRules;
}
