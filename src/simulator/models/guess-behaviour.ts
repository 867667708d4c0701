import type { Behaviour, Behaviours } from './behaviour.js';
import type { DataType, ModelField, ThingModel } from './thing-model.js';

/** Behaviours for every property of a model: those given, and for the others what their names, types and units suggest. */
export function completeBehaviours(model: ThingModel, given: Behaviours): Map<string, Behaviour> {
  return new Map(
    [...model.properties.values()].map((property) => [
      property.identifier,
      given[property.identifier] ?? guess(property, property.writable),
    ]),
  );
}

/** Where values move when a model sets no limits, in whatever unit. */
const USUAL = { low: 0, high: 100 } as const;

type Guess = (span: { low: number; high: number }, min: number, max: number) => Behaviour;

const within = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** A day curve between two values, where the limits leave room for it. */
const daily =
  (low: number, high: number, peakHour: number, shape: 'smooth' | 'sun' | 'household', noise = 0): Guess =>
  (_, min, max) => {
    const [from, to] = [within(low, min, max), within(high, min, max)];
    const width = to - from;
    return {
      kind: 'day-curve',
      low: from,
      high: to,
      peakHour,
      shape,
      drift: width * 0.12,
      memoryMinutes: 45,
      noise: width * 0.01 + noise,
    };
  };

const TEMPERATURE = daily(17, 26, 15, 'smooth');

const BY_NAME: readonly (readonly [RegExp, Guess])[] = [
  // Where it stands, it stays.
  [/^(lat|latitude)$/i, (_, min, max) => ({ kind: 'constant', value: within(31.230416, min, max) })],
  [/^(lon|lng|longitude)$/i, (_, min, max) => ({ kind: 'constant', value: within(121.473701, min, max) })],
  [
    /battery|(^|_)soc$|remain/i,
    (_, min, max) => ({ kind: 'battery', full: within(100, min, max), empty: within(5, min, max), days: 120 }),
  ],
  [
    /percent|ratio|life/i,
    (_, min, max) => ({ kind: 'battery', full: within(100, min, max), empty: within(0, min, max), days: 90 }),
  ],
  [
    /total|energy|consumption|count|volume|mileage|pulse|odometer/i,
    (_, min, max) => ({
      kind: 'counter',
      start: min + Math.min(1_250, (max - min) * 0.05),
      perHour: 1.4,
      factor: 1,
      daily: false,
    }),
  ],
  [
    /irradian|solar|lux|illumin|light(level)?$/i,
    ({ high }) => ({
      kind: 'day-curve',
      low: 0,
      high: high * 0.6,
      peakHour: 12.5,
      shape: 'sun',
      drift: high * 0.08,
      memoryMinutes: 20,
      noise: 0,
    }),
  ],
  [/humid|moist/i, daily(42, 68, 5, 'smooth')],
  [/co2/i, daily(420, 1_050, 20, 'household')],
  [/pm ?(2|10)|dust|voc/i, daily(8, 85, 19, 'smooth')],
  [
    /press/i,
    ({ low, high }) => ({
      kind: 'drift',
      mean: (low + high) / 2,
      drift: (high - low) * 0.02,
      memoryMinutes: 240,
      noise: (high - low) * 0.001,
    }),
  ],
  [
    /rssi|signal|dbm/i,
    (_, min, max) => ({ kind: 'drift', mean: within(-62, min, max), drift: 5, memoryMinutes: 5, noise: 1 }),
  ],
  [/volt/i, (_, min, max) => ({ kind: 'drift', mean: within(229, min, max), drift: 2, memoryMinutes: 10, noise: 0.3 })],
  [
    /freq/i,
    (_, min, max) => ({ kind: 'drift', mean: within(50, min, max), drift: 0.01, memoryMinutes: 2, noise: 0.005 }),
  ],
  [/temp/i, TEMPERATURE],
  [
    /power|load|watt|current|flow/i,
    ({ low, high }) => daily(low, low + (high - low) * 0.6, 19, 'household')({ low, high }, low, high),
  ],
  [
    /speed|wind/i,
    ({ low, high }) => ({
      kind: 'day-curve',
      low,
      high,
      peakHour: 14,
      shape: 'smooth',
      drift: (high - low) * 0.2,
      memoryMinutes: 10,
      noise: (high - low) * 0.02,
    }),
  ],
];

function guess({ identifier, dataType }: ModelField, writable: boolean): Behaviour {
  switch (dataType.type) {
    case 'bool':
      return { kind: 'duty-cycle', onMinutes: 45, offMinutes: 75, on: 1, off: 0 };
    case 'enum':
      return {
        kind: 'states',
        dwellMinutes: Object.fromEntries([...dataType.names.keys()].map((value, i) => [String(value), 120 / (i + 1)])),
      };
    case 'int':
    case 'float':
    case 'double':
      return ofNumber(identifier, dataType, writable);
    case 'text':
      return { kind: 'constant', value: identifier.slice(0, dataType.length) };
    case 'date':
      return { kind: 'clock', everyMinutes: 60 };
    case 'array':
      return {
        kind: 'array',
        length: Math.min(dataType.size, 4),
        of: guess({ identifier, name: identifier, dataType: dataType.item }, false),
      };
    case 'struct':
      return {
        kind: 'struct',
        members: Object.fromEntries(dataType.members.map((member) => [member.identifier, guess(member, writable)])),
      };
    default:
      return dataType satisfies never;
  }
}

function ofNumber(
  identifier: string,
  { min, max, step, unit }: Extract<DataType, { type: 'int' | 'float' | 'double' }>,
  writable: boolean,
): Behaviour {
  // Limits as wide as the type mean that nobody thought of limits.
  const thought = (value: number | null): number | null =>
    value === null || Math.abs(value) >= 2 ** 31 - 1 ? null : value;
  const [low, high] = [
    thought(min) ?? Math.min(USUAL.low, thought(max) ?? 0),
    thought(max) ?? Math.max(USUAL.high, (thought(min) ?? 0) * 2),
  ];
  const width = high - low;
  if (writable) {
    // Somebody's wish: halfway, on a step that the model has.
    const grain = step !== null && step > 0 ? step : 1;
    return { kind: 'constant', value: within(low + Math.floor(width / 2 / grain) * grain, low, high) };
  }
  const known = BY_NAME.find(([name]) => name.test(identifier))?.[1] ?? (unit === '°C' ? TEMPERATURE : null);
  // In the middle of the range, so that a chart shows the curve and not the limits.
  const middle = daily(low + width * 0.3, low + width * 0.7, 14, 'smooth');
  const made = (known ?? middle)({ low, high }, low, high);
  return made.kind === 'day-curve' && made.low >= made.high ? middle({ low, high }, low, high) : made;
}
