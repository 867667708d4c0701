import type { Json } from '../devices/json.js';
import type { Fields } from '../devices/messages.js';
import { isWithin } from '../models/check-values.js';
import type { DataType, ModelField } from '../models/thing-model.js';
import type { Random } from '../random.js';
import { clamped } from './curves.js';

/** Values for what an event or an answer carries: those known under the same name where they fit, else what the type allows. */
export function fillFields(fields: readonly ModelField[], known: Fields, random: Random, now: number): Fields {
  return Object.fromEntries(
    fields.map(({ identifier, dataType }) => {
      const value = known[identifier];
      const fits = value !== undefined && isWithin(dataType, value);
      return [identifier, fits ? value : anyValue(dataType, random, now)];
    }),
  );
}

/** Some value that the type allows. */
export function anyValue(type: DataType, random: Random, now: number): Json {
  switch (type.type) {
    case 'int':
    case 'float':
    case 'double': {
      const low = type.min === null || type.min <= -(2 ** 31) ? 0 : type.min;
      const high = type.max === null || type.max >= 2 ** 31 - 1 ? Math.max(100, low * 2) : type.max;
      return shaped(type, random.between(low, high));
    }
    case 'bool':
    case 'enum':
      return random.pick([...type.names.keys()]);
    case 'text':
      return random.text(Math.min(8, type.length));
    case 'date':
      return String(now);
    case 'array':
      return Array.from({ length: Math.min(type.size, 3) }, () => anyValue(type.item, random, now));
    case 'struct':
      return Object.fromEntries(
        type.members.map(({ identifier, dataType }) => [identifier, anyValue(dataType, random, now)]),
      );
    default:
      return type satisfies never;
  }
}

/** A number as the model has it: within its limits, on its steps; a double without a step keeps all its digits. */
export function shaped(type: DataType, value: number): number {
  if (type.type === 'bool' || type.type === 'enum') {
    const whole = Math.round(value);
    return type.names.has(whole) ? whole : ([...type.names.keys()][0] ?? 0);
  }
  if (type.type !== 'int' && type.type !== 'float' && type.type !== 'double') return value;
  const kept = clamped(value, type.min ?? Number.NEGATIVE_INFINITY, type.max ?? Number.POSITIVE_INFINITY);
  if (type.type === 'int') return Math.round(kept);
  if (type.step === null || type.step <= 0) return type.type === 'float' ? Number(kept.toFixed(2)) : kept;
  return Number(kept.toFixed(clamped(Math.ceil(-Math.log10(type.step)), 0, 12)));
}
