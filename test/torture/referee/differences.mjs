// @ts-check
import { RECEIPT, TABLES } from './shown.mjs';

/** @import { Tables } from './shown.mjs' */

/** @typedef {{ table: string, key: string, expected: string | null, actual: string | null }} Difference null where there is no such row */

/**
 * Where the database is not as the referee says, the most telling first: facts before what follows from them, missing and
 * surplus rows before changed ones, short ones before long ones.
 * @param {Tables} expected
 * @param {Tables} actual
 * @returns {Difference[]}
 */
export function differences(expected, actual) {
  const found = TABLES.flatMap((table) =>
    ofTable(table, expected.get(table) ?? new Map(), actual.get(table) ?? new Map()).sort(byWeight),
  );
  return found;
}

/**
 * @param {string} table
 * @param {ReadonlyMap<string, string>} expected
 * @param {ReadonlyMap<string, string>} actual
 */
function ofTable(table, expected, actual) {
  /** @type {Difference[]} */
  const differing = [];
  /** Rows whose time is that of their receipt, which the database alone knows. @type {Difference[]} */
  const undated = [];
  for (const [key, text] of expected) {
    const there = actual.get(key) ?? null;
    if (there !== null && fits(text, there)) continue;
    (key.startsWith(`${RECEIPT} `) ? undated : differing).push({ table, key, expected: text, actual: there });
  }
  /** @type {Difference[]} */
  const surplus = [];
  for (const [key, text] of actual) if (!expected.has(key)) surplus.push({ table, key, expected: null, actual: text });
  if (undated.length > 0) match(undated, surplus);
  return [...differing, ...undated, ...surplus];
}

/**
 * Takes the pairs out of both lists that are one row, but for its time.
 * @param {Difference[]} undated
 * @param {Difference[]} surplus
 */
function match(undated, surplus) {
  /** @type {Map<string, Difference[]>} */
  const left = new Map();
  for (const each of surplus) {
    const id = `${untimed(each.key)} ${each.actual}`;
    left.set(id, [...(left.get(id) ?? []), each]);
  }
  const paired = new Set();
  for (const each of undated) {
    const other = left.get(`${untimed(each.key)} ${each.expected}`)?.pop();
    if (other) paired.add(each).add(other);
  }
  for (const list of [undated, surplus]) {
    list.splice(0, list.length, ...list.filter((each) => !paired.has(each)));
  }
}

/** Without its time and its number among its like. @param {string} key */
const untimed = (key) => key.slice(key.indexOf(' ')).replace(/ #\d+$/, '');

/**
 * Whether a row is as expected, where receipts leave room: `≤`, `≥` a time, `*` anything but nothing.
 * @param {string} expected
 * @param {string} actual
 */
function fits(expected, actual) {
  if (expected === actual) return true;
  if (!/"[≤≥*]/.test(expected)) return false;
  /** @type {Record<string, unknown>} */
  const there = JSON.parse(actual);
  return Object.entries(JSON.parse(expected)).every(([name, value]) => {
    const told = there[name] ?? null;
    if (value === '*') return told !== null;
    if (typeof value !== 'string' || typeof told !== 'string' || !/^[≤≥]/.test(value)) return told === value;
    const bound = value.slice(1);
    return value.startsWith('≤') ? told <= bound : told >= bound;
  });
}

/**
 * @param {Difference} a
 * @param {Difference} b
 */
function byWeight(a, b) {
  return weight(a) - weight(b) || length(a) - length(b);
}

/** @param {Difference} difference */
const weight = ({ expected, actual }) => (actual === null ? 0 : expected === null ? 1 : 2);

/** @param {Difference} difference */
const length = ({ key, expected, actual }) => key.length + (expected?.length ?? 0) + (actual?.length ?? 0);
