/** What a device counts as among its fleet; `absent` is not counted: not known yet, or deleted. */
export type FleetState = 'online' | 'offline' | 'unknown' | 'absent';

/** From `at` on, until the next, a device counts as `state`. Times in epoch milliseconds. */
export interface FleetChange {
  readonly at: number;
  readonly state: FleetState;
  /** Whether it is one of on- and offline and the one before is the other. */
  readonly flips: boolean;
}

/** What decides what a device counts as, each in the order of time. */
export interface FleetFacts {
  readonly knownSince: number | null;
  readonly lifecycle: readonly { readonly at: number; readonly deleted: boolean }[];
  readonly presence: readonly { readonly at: number; readonly online: boolean | null }[];
}

/** By how many the devices of a state became more or fewer in a minute. */
export interface MinuteChange {
  readonly minute: number;
  readonly state: Exclude<FleetState, 'absent'>;
  readonly by: 1 | -1;
}

const MINUTE_MS = 60_000;

/** What a device counts as from `low` on, until which it counted as `before`. The facts are those from `low` on and the last ones before. */
export function fleetChanges(facts: FleetFacts, low: number, before: FleetState): FleetChange[] {
  const times = new Set([...facts.lifecycle, ...facts.presence].map(({ at }) => at));
  if (facts.knownSince !== null) times.add(facts.knownSince);
  const changes: FleetChange[] = [];
  let last = before;
  for (const at of [...times].filter((time) => time >= low).sort((a, b) => a - b)) {
    const state = stateAt(facts, at);
    if (state === last) continue;
    changes.push({ at, state, flips: isKnown(state) && isKnown(last) });
    last = state;
  }
  return changes;
}

/** What a sequence of changes adds to the counts, minute by minute. */
export function minuteChanges(changes: readonly FleetChange[], before: FleetState): MinuteChange[] {
  let last = before;
  return changes.flatMap(({ at, state }) => {
    const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    const left: MinuteChange[] = last === 'absent' ? [] : [{ minute, state: last, by: -1 }];
    const entered: MinuteChange[] = state === 'absent' ? [] : [{ minute, state, by: 1 }];
    last = state;
    return [...left, ...entered];
  });
}

function stateAt({ knownSince, lifecycle, presence }: FleetFacts, at: number): FleetState {
  if (knownSince === null || at < knownSince || lastUpTo(lifecycle, at)?.deleted) return 'absent';
  const online = lastUpTo(presence, at)?.online ?? null;
  return online === null ? 'unknown' : online ? 'online' : 'offline';
}

/** The last of those up to a moment, found by halving. */
function lastUpTo<T extends { readonly at: number }>(rows: readonly T[], at: number): T | undefined {
  let from = 0;
  let to = rows.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((rows[middle]?.at ?? Infinity) <= at) from = middle + 1;
    else to = middle;
  }
  return rows[from - 1];
}

function isKnown(state: FleetState): boolean {
  return state === 'online' || state === 'offline';
}
