import type { FilterAttribute, FilterExpression, FilterField, FilterValue } from '../domain/filter-expression.js';
import { hourOf } from './device-order.js';
import { attributeSql, type Condition, FilterSql, instantText, type Order, present } from './filter-sql.js';
import type { Parameters } from './read-columns.js';

/**
 * Makes SQL of the entries that an index has for a condition: `id` of a device, and whether it is a `hit`, at most `limit` of
 * them. Outside of all of them no device fulfils the condition.
 */
export type Probe = (parameters: Parameters, limit: string) => string;

type Typed = Exclude<FilterValue, { type: 'null' }>;
type Column = Exclude<FilterAttribute, 'owner'>;

/** What an index knows of a comparison: a range at least as wide. */
type Range =
  | { readonly operator: Order; readonly value: Typed }
  | { readonly operator: 'startsWith'; readonly value: Typed; readonly end: string | null };

/** How a condition becomes SQL on the value of a row. */
type MakeCondition = (sql: FilterSql) => Condition;

/** More alternatives than this are not looked up one by one. */
const MOST_ALTERNATIVES = 20;

/** Characters of a tag's value that its index has. */
const TAG_CHARACTERS = 100;

/** Where indexes have the devices of a condition; null where none helps. */
export function probeOf(filter: FilterExpression): Probe | null {
  switch (filter.kind) {
    case 'and':
      return filter.parts.map(probeOf).find((probe) => probe !== null) ?? null;
    case 'or':
      return either(filter.parts.map(probeOf));
    case 'in':
      return either(filter.values.map((value) => compared(filter.field, 'eq', value)));
    case 'compare':
      return filter.operator === 'ne' ? null : compared(filter.field, filter.operator, filter.value);
    case 'text': {
      const { field, operator, text } = filter;
      const value: Typed = { type: 'text', text };
      const range: Range | null =
        operator === 'startsWith' && text !== '' ? { operator, value, end: textBehind(text) } : null;
      return looked(field, (sql) => sql.text(operator, text), range);
    }
    case 'exists':
      return filter.field.kind === 'attribute' ? null : looked(filter.field, () => present, null);
    case 'not':
      return null;
    default:
      return filter satisfies never;
  }
}

/** The smallest text behind all that begin with `prefix`, by code point; null when there is none. */
export function textBehind(prefix: string): string | null {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last < LAST_CODE_POINT) {
      const next = last === BEFORE_SURROGATES ? BEHIND_SURROGATES : last + 1;
      return String.fromCodePoint(...points, next);
    }
  }
  return null;
}

const LAST_CODE_POINT = 0x10ffff;
const BEFORE_SURROGATES = 0xd7ff;
const BEHIND_SURROGATES = 0xe000;

function either(probes: readonly (Probe | null)[]): Probe | null {
  const all = probes.filter((probe) => probe !== null);
  if (all.length < probes.length || all.length > MOST_ALTERNATIVES) return null;
  return (parameters, limit) => all.map((probe) => `(${probe(parameters, limit)})`).join(' UNION ALL ');
}

function compared(field: FilterField, operator: Order, value: FilterValue): Probe | null {
  if (value.type !== 'null') return looked(field, (sql) => sql.compared(operator, value), { operator, value });
  if (operator !== 'eq' || field.kind !== 'attribute' || field.name === 'owner') return null;
  const { column, order } = indexOf(field.name);
  return (_, limit) => entries('"Device" d', 'd."id"', 'TRUE', `${column} IS NULL`, order, limit);
}

function looked(field: FilterField, condition: MakeCondition, range: Range | null): Probe | null {
  switch (field.kind) {
    case 'attribute':
      if (range === null) return null;
      // The index of products has the order of the database, which need not be that of code points.
      if (field.name === 'productKey' && range.operator !== 'eq') return null;
      return field.name === 'owner' ? ofOwner(condition, range) : ofAttribute(field.name, condition, range);
    case 'tag':
      return ofTag(field.key, condition, range);
    case 'state':
      return ofProperty(field.identifier, field.path, condition, range);
    default:
      return field satisfies never;
  }
}

function ofAttribute(name: Column, condition: MakeCondition, range: Range): Probe {
  const { column, order } = indexOf(name);
  return (parameters, limit) => {
    const hit = condition(new FilterSql(parameters))({ kind: 'column', sql: attributeSql(name, 'd') });
    const which = bounds(column, range, parameters, name === 'lastSeen' ? hourOf : same);
    return entries('"Device" d', 'd."id"', hit, which, order, limit);
  };
}

function ofOwner(condition: MakeCondition, range: Range): Probe | null {
  if (range.operator !== 'eq') return null;
  return (parameters, limit) => {
    const identity = condition(new FilterSql(parameters))({ kind: 'column', sql: 't."identityId"' });
    const hit = `t."bound" AND t."owned" AND t."until" IS NULL AND ${identity}`;
    const which = bounds('t."identityId"', range, parameters);
    return entries('"UserBinding" t', 't."deviceId"', hit, which, 't."identityId"', limit);
  };
}

function ofTag(key: string, condition: MakeCondition, range: Range | null): Probe {
  const beginning = (text: string): string => `left(${text}, ${TAG_CHARACTERS})`;
  const indexed = `${beginning('t."value"')} COLLATE "C"`;
  return (parameters, limit) => {
    const hit = condition(new FilterSql(parameters))({ kind: 'column', sql: 't."value"' });
    const ofKey = `t."key" = ${parameters.add(key, 'text')}`;
    const which = range ? `${ofKey} AND ${bounds(indexed, range, parameters, beginning)}` : ofKey;
    return entries('"DeviceTag" t', 't."deviceId"', hit, which, `t."key", ${indexed}, t."deviceId"`, limit);
  };
}

function ofProperty(identifier: string, path: readonly string[], condition: MakeCondition, range: Range | null): Probe {
  return (parameters, limit) => {
    const sql = new FilterSql(parameters);
    const hit = `coalesce(t."at" IS NOT NULL AND ${condition(sql)(sql.valueOf(path))}, FALSE)`;
    const ofIdentifier = `t."identifier" = ${parameters.add(identifier, 'text')}`;
    // What is inside of a struct lies where structs lie.
    const ranks = path.length > 0 ? 't."rank" < 0' : range ? ranksOf(range, parameters) : null;
    const which = ranks === null ? ofIdentifier : `${ofIdentifier} AND ${ranks}`;
    const order = 't."identifier", t."rank", t."deviceId"';
    return entries('"DeviceProperty" t', 't."deviceId"', hit, which, order, limit);
  };
}

/** Ranks are numbers from zero on, in their order, and everything else below. */
function ranksOf({ operator, value }: Range, parameters: Parameters): string {
  if (value.type === 'number') {
    const rank = `"propertyRank"(${parameters.add(value.text, 'numeric')}, NULL)`;
    if (operator === 'gt' || operator === 'ge') return `t."rank" >= ${rank}`;
    return operator === 'eq' ? `t."rank" = ${rank}` : `t."rank" >= 0 AND t."rank" <= ${rank}`;
  }
  if (operator !== 'eq') return 't."rank" < 0';
  const type = value.type === 'boolean' ? 'boolean' : 'text';
  return `t."rank" = "propertyRank"(NULL, to_jsonb(${parameters.add(textOf(value), type)}))`;
}

function bounds(
  column: string,
  range: Range,
  parameters: Parameters,
  coarse: (value: string) => string = same,
): string {
  const bound = coarse(parameters.add(textOf(range.value), CASTS[range.value.type]));
  switch (range.operator) {
    case 'eq':
      return `${column} = ${bound}`;
    case 'gt':
    case 'ge':
      return `${column} >= ${bound}`;
    case 'lt':
    case 'le':
      return `${column} <= ${bound}`;
    case 'startsWith':
      return range.end === null
        ? `${column} >= ${bound}`
        : `${column} >= ${bound} AND ${column} < ${parameters.add(range.end, 'text')}`;
    default:
      return range satisfies never;
  }
}

const CASTS: Record<Typed['type'], string> = {
  text: 'text',
  number: 'numeric',
  boolean: 'boolean',
  time: 'timestamptz',
};

function textOf(value: Typed): string {
  switch (value.type) {
    case 'text':
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    case 'time':
      return instantText(value.epochMs);
    default:
      return value satisfies never;
  }
}

function same(value: string): string {
  return value;
}

/** The column of an index, and the order that only this index has: so that no other way of reading is chosen. */
function indexOf(name: Column): { readonly column: string; readonly order: string } {
  if (name === 'productKey') return { column: 'd."productKey"', order: 'd."productKey", d."deviceName"' };
  const plain = name === 'lastSeen' ? 'd."lastSeenHour"' : attributeSql(name, 'd');
  const column = TEXTS.has(name) ? `${plain} COLLATE "C"` : plain;
  return { column, order: `${column}, d."id"` };
}

const TEXTS: ReadonlySet<Column> = new Set(['deviceName', 'iotId', 'deviceType', 'lifecycle', 'gateway']);

function entries(from: string, id: string, hit: string, which: string, order: string, limit: string): string {
  return `SELECT ${id} AS "id", ${hit} AS "hit" FROM ${from} WHERE ${which} ORDER BY ${order} LIMIT ${limit}`;
}
