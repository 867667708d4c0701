import type { SetAsideFilter } from '../domain/set-aside-filter.js';
import type { Instant, Parameters } from './read-columns.js';

/** The place of a message in the list. */
export type SetAsidePlace = readonly [receivedAt: Instant, id: string];

/** A condition on the message `m`, with its parameters put in their places. */
export type Condition = (parameters: Parameters) => string;

/** As many characters of a topic are in the index. */
const INDEXED = 512;

/** The part of a topic that is in the index. */
export const BEGINNING = `left(m."topic", ${INDEXED}) COLLATE "C"`;

/**
 * The conditions of a filter, without those on time. Each has an index of its own, in the order of the list; they come here
 * with the one first that is likely to leave the fewest messages.
 */
export function conditionsOf(filter: SetAsideFilter): readonly Condition[] {
  const { reason, kind, productKey, device, topic, topicPrefix, replayed, refusedBy, notRefusedBy } = filter;
  const conditions: Condition[] = [];
  if (device !== undefined) {
    conditions.push(
      (parameters) =>
        `m."productKey" = ${parameters.add(device.productKey, 'text')} AND m."deviceName" = ${parameters.add(device.deviceName, 'text')}`,
    );
  }
  if (topic !== undefined) {
    conditions.push((parameters) => {
      const place = parameters.add(topic, 'text');
      return `${BEGINNING} = left(${place}, ${INDEXED}) AND m."topic" = ${place}`;
    });
  }
  const equal: readonly (readonly [column: string, value: string | undefined])[] = [
    ['productKey', productKey],
    ['refusedBy', refusedBy],
    ['kind', kind],
    ['reason', reason],
  ];
  for (const [name, value] of equal) {
    if (value !== undefined) conditions.push((parameters) => `m."${name}" = ${parameters.add(value, 'text')}`);
  }
  if (replayed !== undefined) conditions.push(() => `m."replayedAt" IS ${replayed ? 'NOT NULL' : 'NULL'}`);
  if (topicPrefix !== undefined) conditions.push((parameters) => beginsWith(parameters, topicPrefix));
  if (notRefusedBy !== undefined) {
    conditions.push((parameters) => `m."refusedBy" IS DISTINCT FROM ${parameters.add(notRefusedBy, 'text')}`);
  }
  return conditions;
}

/** The conditions of a filter on time. */
export function timesOf({ from, to }: SetAsideFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (from) conditions.push((parameters) => `m."receivedAt" >= ${parameters.add(from.toISOString(), 'timestamptz')}`);
  if (to) conditions.push((parameters) => `m."receivedAt" < ${parameters.add(to.toISOString(), 'timestamptz')}`);
  return conditions;
}

/** Messages before or behind a place of the list, or at it. */
export function beside(operator: '<' | '<=' | '>' | '>=', [receivedAt, id]: SetAsidePlace): Condition {
  return (parameters) =>
    `(m."receivedAt", m."id") ${operator} (${parameters.add(receivedAt, 'timestamptz')}, ${parameters.add(id, 'uuid')})`;
}

/** All of these. */
export function where(parameters: Parameters, ...conditions: readonly Condition[]): string {
  return ['TRUE', ...conditions.map((condition) => condition(parameters))].join(' AND ');
}

/** A range of the index, in which texts are in the order of their code points. */
function beginsWith(parameters: Parameters, prefix: string): string {
  const from = `${BEGINNING} >= ${parameters.add(prefix, 'text')}`;
  const end = behindAll(prefix);
  return end === null ? from : `${from} AND ${BEGINNING} < ${parameters.add(end, 'text')}`;
}

/** The first text behind all that begin with `prefix`; null when there is none. */
export function behindAll(prefix: string): string | null {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === LAST_POINT) continue;
    const next = last + 1 === FIRST_SURROGATE ? LAST_SURROGATE + 1 : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return null;
}

const LAST_POINT = 0x10ffff;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;
