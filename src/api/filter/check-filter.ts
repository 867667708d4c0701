import {
  type ComparisonOperator,
  FILTER_ATTRIBUTES,
  type FilterAttribute,
  type FilterExpression,
  type FilterField,
  type FilterValue,
} from '../../domain/filter-expression.js';
import { parseTime } from '../parameters.js';
import {
  FilterFault,
  type WrittenCondition,
  type WrittenField,
  type WrittenFilter,
  type WrittenValue,
} from './filter-grammar.js';

/** Conditions of a filter, and values after all its `in` together. */
const MAX_CONDITIONS = 50;
const MAX_VALUES = 200;

/** How far a field leads into a struct, and the longest name. */
const MAX_STEPS = 10;
const MAX_NAME = 256;

/** Numbers are compared digit by digit, up to as many digits as nobody stores. */
const MAX_DIGITS = 10_000;

/** What is compared with what. Anything may be asked of a property: only its device knows the type. */
const TYPES: Record<FilterAttribute, 'text' | 'boolean' | 'time'> = {
  productKey: 'text',
  deviceName: 'text',
  iotId: 'text',
  deviceType: 'text',
  online: 'boolean',
  since: 'time',
  firstSeen: 'time',
  lastSeen: 'time',
  lifecycle: 'text',
  gateway: 'text',
  owner: 'text',
};

const ACTIONS: readonly string[] = ['create', 'delete', 'enable', 'disable'];
const COMPARISONS: readonly string[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
const TEXT_OPERATORS = { contains: 'contains', startswith: 'startsWith', endswith: 'endsWith' } as const;

/**
 * What a written filter means: its fields are there, and are compared with what they can be compared with.
 * @throws FilterFault
 */
export function checkedFilter(written: WrittenFilter): FilterExpression {
  return new Check().expression(written);
}

class Check {
  private conditions = 0;
  private values = 0;

  expression(written: WrittenFilter): FilterExpression {
    switch (written.kind) {
      case 'and':
      case 'or':
        return { kind: written.kind, parts: written.parts.map((part) => this.expression(part)) };
      case 'not':
        return { kind: 'not', part: this.expression(written.part) };
      case 'exists':
        this.count(written.field.offset);
        return { kind: 'exists', field: fieldOf(written.field) };
      case 'condition':
        this.count(written.field.offset);
        return this.condition(written);
      default:
        return written satisfies never;
    }
  }

  private condition({ field: writtenField, operator, offset, values }: WrittenCondition): FilterExpression {
    const field = fieldOf(writtenField);
    const [first] = values;
    if (operator === 'in') {
      this.values += values.length;
      if (this.values > MAX_VALUES) {
        throw new FilterFault(`a filter has at most ${MAX_VALUES} values in its lists`, values.at(-1)?.offset ?? 0);
      }
      return { kind: 'in', field, values: values.map((value) => valueOf(field, value)) };
    }
    if (!first) throw new FilterFault('expected a value', offset);
    if (isTextOperator(operator)) return { kind: 'text', field, ...textCondition(field, operator, offset, first) };
    if (!isComparison(operator)) throw new FilterFault(`${operator} is not an operator`, offset);
    const value = valueOf(field, first);
    if (operator !== 'eq' && operator !== 'ne' && (value.type === 'boolean' || value.type === 'null')) {
      throw new FilterFault(`${operator} needs an order, and ${first.text} has none: use eq or ne`, first.offset);
    }
    return { kind: 'compare', field, operator, value };
  }

  private count(offset: number): void {
    if (++this.conditions > MAX_CONDITIONS) {
      throw new FilterFault(`a filter has at most ${MAX_CONDITIONS} conditions`, offset);
    }
  }
}

function fieldOf({ word, offset, steps }: WrittenField): FilterField {
  for (const step of steps) {
    refuseUnstorable(step.name, step.offset, 'a name');
    if ([...step.name].length > MAX_NAME)
      throw new FilterFault(`a name has at most ${MAX_NAME} characters`, step.offset);
  }
  const [first, second, ...more] = steps;
  if (word === 'tags') {
    if (!first) throw new FilterFault('tags needs a key: tags.floor or tags["any key"]', offset);
    if (second) throw new FilterFault('a tag is text, nothing is inside of it', second.offset);
    return { kind: 'tag', key: first.name };
  }
  if (word === 'state') {
    if (!first) throw new FilterFault('state needs an identifier: state.temperature or state["any:one"]', offset);
    const path = second ? [second, ...more] : [];
    const excess = path[MAX_STEPS];
    if (excess) throw new FilterFault(`a field leads at most ${MAX_STEPS} steps into a struct`, excess.offset);
    return { kind: 'state', identifier: first.name, path: path.map(({ name }) => name) };
  }
  if (!isAttribute(word)) {
    throw new FilterFault(
      `${word.slice(0, 40)} is not a field: use ${FILTER_ATTRIBUTES.join(', ')}, tags.<key> or state.<identifier>`,
      offset,
    );
  }
  if (first) throw new FilterFault(`nothing is inside of ${word}`, first.offset);
  return { kind: 'attribute', name: word };
}

function textCondition(
  field: FilterField,
  operator: keyof typeof TEXT_OPERATORS,
  offset: number,
  value: WrittenValue,
): { readonly operator: 'contains' | 'startsWith' | 'endsWith'; readonly text: string } {
  const name = TEXT_OPERATORS[operator];
  if (field.kind === 'attribute' && TYPES[field.name] !== 'text') {
    throw new FilterFault(`${name} is for text, and ${field.name} is a ${TYPES[field.name]}`, offset);
  }
  if (value.type !== 'text') throw new FilterFault(`${name} needs text, in double quotes`, value.offset);
  refuseUnstorable(value.text, value.offset, 'text');
  return { operator: name, text: value.text };
}

function valueOf(field: FilterField, value: WrittenValue): FilterValue {
  if (value.type === 'null') return { type: 'null' };
  const type = field.kind === 'state' ? 'any' : field.kind === 'tag' ? 'text' : TYPES[field.name];
  const name = field.kind === 'attribute' ? field.name : 'a tag';
  if (type === 'time') return timeOf(name, value);
  if (type !== 'any' && type !== value.type) {
    const wanted = type === 'text' ? 'text: compare it with text in double quotes' : 'true, false or null';
    throw new FilterFault(`${name} is ${wanted}`, value.offset);
  }
  if (value.type === 'number') return { type: 'number', text: numberOf(value) };
  if (value.type === 'boolean') return { type: 'boolean', value: value.text === 'true' };
  refuseUnstorable(value.text, value.offset, 'text');
  if (name === 'lifecycle' && !ACTIONS.includes(value.text)) {
    throw new FilterFault(`lifecycle is one of ${ACTIONS.map((each) => `"${each}"`).join(', ')}`, value.offset);
  }
  return { type: 'text', text: value.text };
}

/** A finer time lies between two milliseconds, and is kept so: nothing equals it, and the order is right. */
function timeOf(name: string, { type, text, offset }: WrittenValue): FilterValue {
  const time = type === 'boolean' ? null : parseTime(text);
  if (!time) {
    throw new FilterFault(`${name} is a time, such as "2026-11-22T07:35:00.000Z", in the years 1 to 9999`, offset);
  }
  const finer = type === 'text' && /\.\d{3}\d*[1-9]/.test(text);
  return { type: 'time', epochMs: time.getTime() - (finer ? 0.5 : 0) };
}

function numberOf({ text, offset }: WrittenValue): string {
  const exponent = Number(/[eE](.+)$/.exec(text)?.[1] ?? 0);
  if (Math.abs(exponent) + text.length > MAX_DIGITS) {
    throw new FilterFault(`a number has at most ${MAX_DIGITS} digits, written out`, offset);
  }
  return text;
}

function refuseUnstorable(text: string, offset: number, what: string): void {
  if (text.includes('\0') || /\p{Surrogate}/u.test(text)) {
    throw new FilterFault(`${what} may hold neither the NUL character nor half of a surrogate pair`, offset);
  }
}

function isAttribute(word: string): word is FilterAttribute {
  return (FILTER_ATTRIBUTES as readonly string[]).includes(word);
}

function isComparison(operator: string): operator is ComparisonOperator {
  return COMPARISONS.includes(operator);
}

function isTextOperator(operator: string): operator is keyof typeof TEXT_OPERATORS {
  return Object.hasOwn(TEXT_OPERATORS, operator);
}
