import { compareDecimals } from './compare-decimals.js';
import type {
  ComparisonOperator,
  FilterAttribute,
  FilterExpression,
  FilterField,
  FilterValue,
} from './filter-expression.js';
import { jsonMember } from './json-member.js';
import { compareText } from './value.js';

/** A device as conditions look at it. Times are RFC 3339 in UTC; values of properties are JSON text. */
export interface FilterableDevice {
  readonly productKey: string;
  readonly deviceName: string;
  readonly iotId: string | null;
  readonly deviceType: string | null;
  readonly online: boolean | null;
  readonly since: string | null;
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  readonly lifecycle: string | null;
  /** productKey:deviceName */
  readonly gateway: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, { readonly value: { readonly text: string } }>>;
  readonly owners: readonly { readonly identityId: string }[];
}

/** What is there to compare: anything that is missing, or null, is not. */
type Operand = Exclude<FilterValue, { type: 'null' }> | { readonly type: 'other' };

/**
 * Whether a device fulfils a condition. Each is true or false, never unknown: what is missing reads as null, values of
 * different types are neither equal nor in an order, and `ne` is exactly `not eq`. `storage/filter-sql.ts` says the same in SQL.
 */
export function matchesFilter(filter: FilterExpression, device: FilterableDevice): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => matchesFilter(part, device));
    case 'or':
      return filter.parts.some((part) => matchesFilter(part, device));
    case 'not':
      return !matchesFilter(filter.part, device);
    case 'exists':
      return operands(filter.field, device).length > 0;
    case 'compare':
      return compares(operands(filter.field, device), filter.operator, filter.value);
    case 'in': {
      const found = operands(filter.field, device);
      return filter.values.some((value) => compares(found, 'eq', value));
    }
    case 'text':
      return operands(filter.field, device).some(
        (operand) => operand.type === 'text' && TEXT_TESTS[filter.operator](operand.text, filter.text),
      );
    default:
      return filter satisfies never;
  }
}

const TEXT_TESTS = {
  contains: (text: string, part: string) => text.includes(part),
  startsWith: (text: string, part: string) => text.startsWith(part),
  endsWith: (text: string, part: string) => text.endsWith(part),
} as const;

function compares(found: readonly Operand[], operator: ComparisonOperator, value: FilterValue): boolean {
  switch (operator) {
    case 'eq':
      return value.type === 'null' ? found.length === 0 : found.some((operand) => order(operand, value) === 0);
    case 'ne':
      return !compares(found, 'eq', value);
    case 'gt':
      return found.some((operand) => order(operand, value) > 0);
    case 'ge':
      return found.some((operand) => order(operand, value) >= 0);
    case 'lt':
      return found.some((operand) => order(operand, value) < 0);
    case 'le':
      return found.some((operand) => order(operand, value) <= 0);
    default:
      return operator satisfies never;
  }
}

/** Negative, zero or positive; NaN, which is none of them, for different types. */
function order(operand: Operand, value: FilterValue): number {
  if (operand.type === 'number' && value.type === 'number') return compareDecimals(operand.text, value.text);
  if (operand.type === 'text' && value.type === 'text') return compareText(operand.text, value.text);
  if (operand.type === 'time' && value.type === 'time') return operand.epochMs - value.epochMs;
  if (operand.type === 'boolean' && value.type === 'boolean') return Number(operand.value) - Number(value.value);
  return NaN;
}

function operands(field: FilterField, device: FilterableDevice): readonly Operand[] {
  switch (field.kind) {
    case 'attribute':
      return attribute(field.name, device);
    case 'tag':
      return texts(Object.hasOwn(device.tags, field.key) ? device.tags[field.key] : null);
    case 'state': {
      const property = Object.hasOwn(device.properties, field.identifier)
        ? device.properties[field.identifier]
        : undefined;
      const text = property === undefined ? null : jsonMember(property.value.text, field.path);
      return text === null ? [] : valueOf(text);
    }
    default:
      return field satisfies never;
  }
}

function attribute(name: FilterAttribute, device: FilterableDevice): readonly Operand[] {
  switch (name) {
    case 'online':
      return device.online === null ? [] : [{ type: 'boolean', value: device.online }];
    case 'since':
    case 'firstSeen':
    case 'lastSeen': {
      const time = device[name];
      return time === null ? [] : [{ type: 'time', epochMs: Date.parse(time) }];
    }
    case 'owner':
      return device.owners.map(({ identityId }) => ({ type: 'text', text: identityId }));
    case 'productKey':
    case 'deviceName':
    case 'iotId':
    case 'deviceType':
    case 'lifecycle':
    case 'gateway':
      return texts(device[name]);
    default:
      return name satisfies never;
  }
}

function texts(text: string | null | undefined): readonly Operand[] {
  return text === null || text === undefined ? [] : [{ type: 'text', text }];
}

function valueOf(json: string): readonly Operand[] {
  switch (json[0]) {
    case 'n':
      return [];
    case 't':
    case 'f':
      return [{ type: 'boolean', value: json === 'true' }];
    case '"':
      return [{ type: 'text', text: JSON.parse(json) as string }];
    case '{':
    case '[':
      return [{ type: 'other' }];
    case undefined:
    default:
      return [{ type: 'number', text: json }];
  }
}
