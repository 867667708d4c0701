import type { FaultKind } from './fault.js';
import { unknownName } from './nearest-name.js';
import { clockSkew } from './stream/clock-skew.js';
import { disconnects } from './stream/disconnects.js';
import { duplicates } from './stream/duplicates.js';
import { early } from './stream/early.js';
import { late } from './stream/late.js';
import { oddities } from './stream/oddities.js';
import { oldValues } from './stream/old-values.js';
import { poison } from './stream/poison.js';
import { shuffle } from './stream/shuffle.js';
import { unknownFields } from './stream/unknown-fields.js';
import { unknownTopics } from './stream/unknown-topics.js';
import { backlog } from './wire/backlog.js';
import {
  cut,
  detach,
  drop,
  halfOpen,
  lostCredit,
  maintenance,
  refusedLogins,
  silentLink,
  slowTls,
} from './wire/connections.js';
import { flapping } from './wire/flapping.js';
import { rotatedCredentials, syncOff } from './wire/tenants.js';

/**
 * Every fault. Those that meddle with messages do it in this order: first what a device or its clock gets wrong, then what
 * is added, then what becomes of messages on their way, so that anything can be held back, shuffled and repeated.
 */
export const FAULT_KINDS: readonly FaultKind[] = [
  clockSkew,
  early,
  oldValues,
  oddities,
  unknownFields,
  unknownTopics,
  poison,
  late,
  shuffle,
  duplicates,
  disconnects,
  drop,
  cut,
  halfOpen,
  silentLink,
  lostCredit,
  maintenance,
  detach,
  slowTls,
  refusedLogins,
  rotatedCredentials,
  syncOff,
  backlog,
  flapping,
];

const BY_NAME = new Map(FAULT_KINDS.map((kind) => [kind.name, kind]));

/** The fault of this name, or what to tell whoever asked for it. */
export function faultKind(name: string): FaultKind | string {
  return BY_NAME.get(name) ?? unknownName('fault', name, [...BY_NAME.keys()]);
}
