import type { Device } from '../devices/device.js';
import type { Json } from '../devices/json.js';
import type { Fields, Item } from '../devices/messages.js';
import { checkFields, checkValues, type CheckedValues } from '../models/check-values.js';
import type { ModelEventType, ThingModel } from '../models/thing-model.js';
import { isFields, isList, plainFields, plainJson } from './alink.js';

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
  const ms = readTime(time, now);
  return ms === null ? null : { value, time: ms };
}

const WRAPPING = new Set(['value', 'time']);

/** `{ value: {…}, time }`, or the parameters themselves. */
export function readEvent(params: Json | undefined, now: number): { value: Fields; time: number } | string {
  if (!isFields(params)) return 'params is no object';
  if (!isFields(params.value)) return params.value === undefined ? { value: params, time: now } : 'value is no object';
  const { value, time = now } = params;
  const ms = readTime(time, now);
  return ms === null ? 'time is none, or is more than 24 h ahead' : { value, time: ms };
}

function readTime(time: Json, now: number): number | null {
  const given = plainJson(time);
  const ms = typeof given === 'number' || (typeof given === 'string' && given !== '') ? Number(given) : Number.NaN;
  return Number.isSafeInteger(ms) && ms >= 0 && ms <= now + MAX_AHEAD_MS ? ms : null;
}

/** Weak validation tells identifiers and types that are wrong; without a model every identifier is. */
export function validate({ product }: Device, values: Fields): CheckedValues {
  if (product.validation === 'none') return { passed: values, failed: {} };
  return exactly(values, checkValues(product.model ?? EMPTY_MODEL, plainFields(values)));
}

export function validateEvent({ product }: Device, type: ModelEventType, values: Fields): CheckedValues {
  if (product.validation === 'none') return { passed: values, failed: {} };
  return exactly(values, checkFields(type.outputs, plainFields(values)));
}

/** The verdict on plain values, with the values as the device wrote them. */
function exactly(values: Fields, { passed, failed }: CheckedValues): CheckedValues {
  const value = (identifier: string): Json => values[identifier] ?? null;
  return {
    passed: Object.fromEntries(Object.keys(passed).map((identifier) => [identifier, value(identifier)])),
    failed: Object.fromEntries(
      Object.entries(failed).map(([identifier, failure]) => [identifier, { ...failure, value: value(identifier) }]),
    ),
  };
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
