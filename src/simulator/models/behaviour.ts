import { z } from 'zod';
import type { Json } from '../devices/json.js';
import { isWithin } from './check-values.js';
import type { DataType, ThingModel } from './thing-model.js';

// How a property of a virtual device moves, as people write it in a world file. Values are in the property's own unit; a
// value is rounded to the step of the model and kept within its limits.

const finite = z.number();
const minutes = z.number().positive();
const spread = z.number().min(0).default(0);
/** Restless, but pulled back: `drift` is its deviation in the long run, `memoryMinutes` how long it remembers where it was. */
const restless = { drift: spread, memoryMinutes: minutes.default(30), noise: spread };

const curve = z.strictObject({
  kind: z.literal('day-curve'),
  low: finite,
  high: finite,
  /** Local hour (UTC+8) at which it is highest. */
  peakHour: z.number().min(0).lt(24).default(15),
  /** `sun` is at `low` for half of the day; `household` has a second, smaller peak in the morning. */
  shape: z.enum(['smooth', 'sun', 'household']).default('smooth'),
  ...restless,
});
const drift = z.strictObject({ kind: z.literal('drift'), mean: finite, ...restless });
/** On and off by turns of about so long, each a third longer or shorter by chance. */
const dutyCycle = z.strictObject({
  kind: z.literal('duty-cycle'),
  onMinutes: minutes,
  offMinutes: minutes,
  on: finite.default(1),
  off: finite.default(0),
});
/** Only ever grows: so much an hour, or what property `of` adds up to in an hour, times `factor`. */
const counter = z.strictObject({
  kind: z.literal('counter'),
  start: finite.default(0),
  perHour: z.number().min(0).optional(),
  of: z.string().optional(),
  factor: finite.default(1),
  /** Starts at 0 again every local midnight. */
  daily: z.boolean().default(false),
});
/** Empties from `full` to `empty` in so many days, and is then charged or changed. */
const battery = z.strictObject({
  kind: z.literal('battery'),
  full: finite.default(100),
  empty: finite.default(0),
  days: z.number().positive().default(200),
});
/** One of several values for about so many minutes each, the next by chance. Keys are the values. */
const states = z.strictObject({
  kind: z.literal('states'),
  dwellMinutes: z.record(z.string(), minutes).refine((dwell) => Object.keys(dwell).length > 0, 'names no state'),
});
/** `offset` + `scale` times another property, reached with a delay. */
const follows = z.strictObject({
  kind: z.literal('follows'),
  of: z.string(),
  scale: finite.default(1),
  offset: finite.default(0),
  lagMinutes: z.number().min(0).default(0),
  min: finite.optional(),
  max: finite.optional(),
  noise: spread,
});
/** A value for each state of another property, reached with a delay; 0 for a state that is not named. */
const lookup = z.strictObject({
  kind: z.literal('lookup'),
  of: z.string(),
  values: z.record(z.string().regex(/^-?\d+$/, 'states are whole numbers'), finite),
  lagMinutes: z.number().min(0).default(0),
  noise: spread,
});
/** Ever the same, until it is set. */
const constant = z.strictObject({ kind: z.literal('constant'), value: z.json() });
/** The time, as text of milliseconds since 1970: that of the last full `everyMinutes`. */
const clock = z.strictObject({ kind: z.literal('clock'), everyMinutes: minutes.default(1) });

const scalar = [curve, drift, dutyCycle, counter, battery, states, follows, lookup, constant, clock] as const;

export type ScalarBehaviour = z.infer<(typeof scalar)[number]>;
export type Behaviour =
  | ScalarBehaviour
  | { readonly kind: 'array'; readonly length: number; readonly of: Behaviour }
  | { readonly kind: 'struct'; readonly members: Readonly<Record<string, Behaviour>> };
export type Behaviours = Readonly<Record<string, Behaviour>>;

function behaviourAt(depth: number): z.ZodType<Behaviour> {
  if (depth === 0) return z.discriminatedUnion('kind', scalar);
  const inner = behaviourAt(depth - 1);
  return z.discriminatedUnion('kind', [
    ...scalar,
    z.strictObject({ kind: z.literal('array'), length: z.number().int().min(0).max(512), of: inner }),
    z.strictObject({ kind: z.literal('struct'), members: z.record(z.string(), inner) }),
  ]);
}

/** By property identifier; what is not named is guessed from the model. */
export const behaviours: z.ZodType<Behaviours> = z.record(z.string(), behaviourAt(3));

const NUMERIC: readonly DataType['type'][] = ['int', 'float', 'double', 'bool', 'enum'];

/**
 * What is wrong with behaviours for a model, and where: the first thing found, or null. `path` leads to it from the
 * behaviours on.
 */
export function checkBehaviours(model: ThingModel, given: Behaviours): { path: string[]; text: string } | null {
  for (const [identifier, behaviour] of Object.entries(given)) {
    const property = model.properties.get(identifier);
    if (!property) return { path: [identifier], text: `the model has no property ${identifier}` };
    const found = misfit(model, given, property.dataType, behaviour, [identifier]);
    if (found) return found;
  }
  return circle(given);
}

function misfit(
  model: ThingModel,
  all: Behaviours,
  type: DataType,
  behaviour: Behaviour,
  path: string[],
): { path: string[]; text: string } | null {
  const wrong = (text: string, ...more: string[]) => ({ path: [...path, ...more], text });
  switch (behaviour.kind) {
    case 'day-curve':
    case 'drift':
    case 'duty-cycle':
    case 'battery':
      return NUMERIC.includes(type.type) ? null : wrong(`a ${type.type} cannot be a ${behaviour.kind}`, 'kind');
    case 'counter':
    case 'lookup':
    case 'follows': {
      if (!NUMERIC.includes(type.type)) return wrong(`a ${type.type} cannot be a ${behaviour.kind}`, 'kind');
      if (behaviour.of === undefined) return null;
      const source = model.properties.get(behaviour.of);
      if (!source) return wrong(`the model has no property ${behaviour.of}`, 'of');
      return NUMERIC.includes(source.dataType.type) ? null : wrong(`${behaviour.of} is not a number`, 'of');
    }
    case 'states': {
      const unfit = Object.keys(behaviour.dwellMinutes).find((key) => !isWithin(type, stateValue(type, key)));
      return unfit === undefined ? null : wrong(`${unfit} is not a value it may have`, 'dwellMinutes', unfit);
    }
    case 'constant':
      return isWithin(type, behaviour.value) ? null : wrong('is not a value it may have', 'value');
    case 'clock':
      return type.type === 'date' ? null : wrong(`a ${type.type} cannot be a clock`, 'kind');
    case 'array':
      if (type.type !== 'array') return wrong(`a ${type.type} cannot be an array`, 'kind');
      if (behaviour.length > type.size) return wrong(`the model has ${type.size} elements at most`, 'length');
      return misfit(model, all, type.item, behaviour.of, [...path, 'of']);
    case 'struct':
      if (type.type !== 'struct') return wrong(`a ${type.type} cannot be a struct`, 'kind');
      for (const [name, member] of Object.entries(behaviour.members)) {
        const field = type.members.find(({ identifier }) => identifier === name);
        if (!field) return wrong(`the struct has no member ${name}`, 'members', name);
        const found = misfit(model, all, field.dataType, member, [...path, 'members', name]);
        if (found) return found;
      }
      return null;
    default:
      return behaviour satisfies never;
  }
}

/** The value that a state's key stands for. */
export const stateValue = (type: DataType, key: string): Json => (NUMERIC.includes(type.type) ? Number(key) : key);

/** What a behaviour depends on, itself or in its parts. */
export function sourcesOf(behaviour: Behaviour): string[] {
  if (behaviour.kind === 'array') return sourcesOf(behaviour.of);
  if (behaviour.kind === 'struct') return Object.values(behaviour.members).flatMap(sourcesOf);
  return 'of' in behaviour && behaviour.of !== undefined ? [behaviour.of] : [];
}

function circle(given: Behaviours): { path: string[]; text: string } | null {
  for (const start of Object.keys(given)) {
    const seen = new Set<string>();
    const next = [start];
    for (let at = next.pop(); at !== undefined; at = next.pop()) {
      const behaviour = given[at];
      if (!behaviour) continue;
      for (const source of sourcesOf(behaviour)) {
        if (source === start) return { path: [start], text: `${start} depends on itself` };
        if (!seen.has(source)) next.push(source);
        seen.add(source);
      }
    }
  }
  return null;
}
