import type { Device } from '../devices/device.js';
import type { Json } from '../devices/json.js';
import type { Fields, Item } from '../devices/messages.js';
import { checkFields, checkValues, type CheckedValues } from '../models/check-values.js';
import type { ModelEventType, ThingModel } from '../models/thing-model.js';
import { isFields, isList } from './alink.js';

// Values and times as devices report them, and whether the thing model of their product knows them.

export type Values = Readonly<Record<string, Item>>;

/** Later times are refused (protocol 7.1). */
const MAX_AHEAD_MS = 86_400_000;
const EMPTY_MODEL: ThingModel = { productKey: null, properties: new Map(), events: new Map(), services: new Map() };

/** Plain values, or `{ value, time }`. Text says what is wrong. */
export function readValues(params: Json | undefined, now: number): Values | string {
  if (!isFields(params)) return 'params is no object';
  const values: [string, Item][] = [];
  for (const [identifier, given] of Object.entries(params)) {
    const item = readItem(given, now);
    if (!item) return `${identifier.slice(0, 64)} has a time that is none, or is more than 24 h ahead`;
    values.push([identifier, item]);
  }
  return Object.fromEntries(values);
}

/** Samples by identifier: a list of `{ value, time }` each, or a single one. */
export function readSamples(fields: Fields, now: number): Record<string, Item[]> | string {
  const samples: [string, Item[]][] = [];
  for (const [identifier, given] of Object.entries(fields)) {
    const items = listOf(given).map((each) => readItem(each, now));
    if (!items.every((item) => item !== null)) {
      return `${identifier.slice(0, 64)} has a time that is none, or is more than 24 h ahead`;
    }
    samples.push([identifier, items]);
  }
  return Object.fromEntries(samples);
}

/** A struct that has a member `value` is taken for a wrapped value only when nothing but `time` stands beside it. */
function readItem(given: Json, now: number): Item | null {
  const wrapped = isFields(given) && given.value !== undefined && Object.keys(given).every((key) => WRAPPING.has(key));
  if (!wrapped) return { value: given, time: now };
  const { value = null, time = now } = given;
  return isTime(time, now) ? { value, time: Number(time) } : null;
}

const WRAPPING = new Set(['value', 'time']);

/** `{ value: {…}, time }`, or the parameters themselves. */
export function readEvent(params: Json | undefined, now: number): { value: Fields; time: number } | string {
  if (!isFields(params)) return 'params is no object';
  if (!isFields(params.value)) return params.value === undefined ? { value: params, time: now } : 'value is no object';
  const { value, time = now } = params;
  if (!isTime(time, now)) return 'time is none, or is more than 24 h ahead';
  return { value, time: Number(time) };
}

function isTime(time: Json, now: number): boolean {
  const ms = typeof time === 'number' || typeof time === 'string' ? Number(time) : Number.NaN;
  return time !== '' && Number.isSafeInteger(ms) && ms >= 0 && ms <= now + MAX_AHEAD_MS;
}

/** Weak validation tells identifiers and types that are wrong; without a model every identifier is. */
export function validate({ product }: Device, values: Fields): CheckedValues {
  if (product.validation === 'none') return { passed: values, failed: {} };
  return checkValues(product.model ?? EMPTY_MODEL, values);
}

export function validateEvent({ product }: Device, type: ModelEventType, values: Fields): CheckedValues {
  return product.validation === 'none' ? { passed: values, failed: {} } : checkFields(type.outputs, values);
}

/** An event that the model does not know has no name and type; where nothing is checked it gets some. */
export function eventType({ product }: Device, identifier: string): ModelEventType | null {
  const known = product.model?.events.get(identifier);
  if (known) return known;
  return product.validation === 'none' ? { identifier, name: identifier, type: 'info', outputs: [] } : null;
}

/** The values without their times. */
export const plain = (values: Values): Fields =>
  Object.fromEntries(Object.entries(values).map(([identifier, { value }]) => [identifier, value]));
/** Those that passed, with their times. */
export const pick = (values: Values, passed: Fields): Values =>
  Object.fromEntries(Object.entries(values).filter(([identifier]) => Object.hasOwn(passed, identifier)));
/** Entries of `checkFailedData`. */
export const withTimes = (failed: CheckedValues['failed'], timeOf: (identifier: string) => number): Fields =>
  Object.fromEntries(
    Object.entries(failed).map(([identifier, { code, message, value }]) => [
      identifier,
      { code, message, value, time: timeOf(identifier) },
    ]),
  );
/** What the device is told. */
export const reasons = (failed: CheckedValues['failed']): Fields =>
  Object.fromEntries(Object.entries(failed).map(([identifier, { message }]) => [identifier, message]));
/** A list, or a single one. */
export const listOf = (value: Json): readonly Json[] => (isList(value) ? value : [value]);
