import type { Json } from '../devices/json.js';
import type { CheckFailure, DataType, ModelField, ThingModel } from './thing-model.js';

export interface CheckedValues {
  readonly passed: Readonly<Record<string, Json>>;
  /** What becomes `checkFailedData` once each entry has its time. */
  readonly failed: Readonly<Record<string, CheckFailure>>;
}

/** The platform's weak validation of reported properties: identifier and data type, nothing else (protocol 11). */
export function checkValues(model: ThingModel, values: Readonly<Record<string, Json>>): CheckedValues {
  return check(values, (identifier) => model.properties.get(identifier)?.dataType);
}

/** The same of what an event or a service carries. A field that is missing is no failure. */
export function checkFields(fields: readonly ModelField[], values: Readonly<Record<string, Json>>): CheckedValues {
  return check(values, (identifier) => fields.find((field) => field.identifier === identifier)?.dataType);
}

function check(
  values: Readonly<Record<string, Json>>,
  typeOf: (identifier: string) => DataType | undefined,
): CheckedValues {
  const passed: [string, Json][] = [];
  const failed: [string, CheckFailure][] = [];
  for (const [identifier, value] of Object.entries(values)) {
    const type = typeOf(identifier);
    const complaint = type ? wrongType(type, value) : NOT_FOUND;
    if (!complaint) passed.push([identifier, value]);
    else {
      const [code, text] = complaint;
      const message = complaint === NOT_FOUND ? text : `tsl parse: ${text} -> ${identifier}`;
      failed.push([identifier, { code, message, value }]);
    }
  }
  // Made from entries, so that an identifier such as `__proto__` is a name like any other.
  return { passed: Object.fromEntries(passed), failed: Object.fromEntries(failed) };
}

/** A code and its words. Seen in the field: 5092, 6306 and 6310 with these words; the others are guesses in their manner. */
type Complaint = readonly [code: number, text: string];

const NOT_FOUND: Complaint = [5092, 'property not found'];
const COMPLAINTS = {
  int: [6306, 'data type is not int'],
  float: [6307, 'data type is not float'],
  double: [6322, 'data type is not double'],
  bool: [6308, 'value of bool type must be int'],
  enum: [6309, 'value of enum type must be int'],
  text: [6310, 'data type is not string'],
  date: [6311, 'date type must be a string of long(UTC ms)'],
  struct: [6312, 'struct type must be json'],
  array: [6313, 'data type is not array'],
} as const satisfies Record<DataType['type'], Complaint>;

/** Null when the value is of the type; else what is wrong, of a value within it where it holds several. */
function wrongType(type: DataType, value: Json): Complaint | null {
  switch (type.type) {
    case 'int':
      return isInt32(value) ? null : COMPLAINTS.int;
    case 'float':
    case 'double':
      return isNumber(value) ? null : COMPLAINTS[type.type];
    case 'bool':
    case 'enum':
      return isInt32(value) ? null : COMPLAINTS[type.type];
    case 'text':
      return typeof value === 'string' ? null : COMPLAINTS.text;
    case 'date':
      return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? null : COMPLAINTS.date;
    case 'array':
      return isArray(value) ? firstOf(value, (item) => wrongType(type.item, item)) : COMPLAINTS.array;
    case 'struct':
      if (!isObject(value)) return COMPLAINTS.struct;
      return firstOf(Object.entries(value), ([identifier, member]) => {
        const field = type.members.find((one) => one.identifier === identifier);
        return field ? wrongType(field.dataType, member) : COMPLAINTS.struct;
      });
    default:
      return type satisfies never;
  }
}

/**
 * Whether a value is one that a thing of this model may have: of its type, and within its range, length and size. More than
 * the platform's weak validation asks; what a device asks of a command.
 */
export function isWithin(type: DataType, value: Json): boolean {
  if (wrongType(type, value)) return false;
  switch (type.type) {
    case 'int':
    case 'float':
    case 'double':
      return (type.min === null || Number(value) >= type.min) && (type.max === null || Number(value) <= type.max);
    case 'bool':
      return Number(value) === 0 || Number(value) === 1;
    case 'enum':
      return type.names.has(Number(value));
    case 'text':
      return typeof value === 'string' && value.length <= type.length;
    case 'date':
      return true;
    case 'array':
      return isArray(value) && value.length <= type.size && value.every((item) => isWithin(type.item, item));
    case 'struct':
      return (
        isObject(value) &&
        type.members.every(({ identifier, dataType }) => {
          const member = value[identifier];
          return member === undefined || isWithin(dataType, member);
        })
      );
    default:
      return type satisfies never;
  }
}

function firstOf<T>(items: readonly T[], complain: (item: T) => Complaint | null): Complaint | null {
  for (const item of items) {
    const complaint = complain(item);
    if (complaint) return complaint;
  }
  return null;
}

const isNumber = (value: Json): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';
const isInt32 = (value: Json): boolean =>
  isNumber(value) && Number.isInteger(Number(value)) && Number(value) >= -(2 ** 31) && Number(value) < 2 ** 31;
const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
