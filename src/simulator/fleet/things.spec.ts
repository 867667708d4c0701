import { describe, expect, it } from '@jest/globals';
import { toJson, type Json } from '../devices/json.js';
import { parseDescription } from '../description-file.js';
import { behaviours, checkBehaviours, type Behaviours } from '../models/behaviour.js';
import { checkFields, isWithin } from '../models/check-values.js';
import { behavioursBeside } from '../models/read-behaviours.js';
import { builtinModels, modelFile, parseModel, readModel } from '../models/read-model.js';
import { Random } from '../random.js';
import { kindOf } from './line-up.js';
import { ModelThing } from './model-thing.js';
import type { Thing } from './thing.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Midnight in UTC+8. */
const MIDNIGHT = Date.UTC(2025, 5, 1, 16);

function theThing(name: string, seed = '1'): Thing {
  const modelName = `builtin:${name}`;
  const model = readModel(modelName, '.');
  const beside = behavioursBeside(modelFile(modelName, '.'), model);
  const product = {
    productKey: 'h9Test',
    deviceType: 'CustomCategory',
    voice: 'enterprise',
    role: 'device',
    tenant: null,
    model,
    validation: 'weak',
    rawScript: null,
    messageScript: null,
  } as const;
  const behaviour = Object.keys(beside).length > 0 ? beside : null;
  const plan = { product, modelName, behaviour, virtualDevices: 0, names: name, gateway: null, devices: [] };
  return kindOf(plan).build(new Random(seed));
}

/** Values of a property every so often over a time. */
function course(thing: Thing, identifier: string, everyMs: number, overMs: number): number[] {
  return Array.from({ length: Math.floor(overMs / everyMs) + 1 }, (_, i) =>
    Number(thing.measure(MIDNIGHT + i * everyMs)[identifier]),
  );
}

describe.each(builtinModels())('a %s', (name) => {
  const model = readModel(`builtin:${name}`, '.');

  it('says all that its model asks for and nothing that it does not allow, also after long leaps', () => {
    const thing = theThing(name);
    let now = MIDNIGHT;
    for (let i = 0; i < 90; i++) {
      const values = thing.measure(now);
      expect(Object.keys(values).sort()).toEqual([...model.properties.keys()].sort());
      const wrong = Object.entries(values).filter(([id, value]) => {
        const property = model.properties.get(id);
        return !property || !isWithin(property.dataType, value);
      });
      expect(wrong).toEqual([]);
      now += [200, 17 * MINUTE, 3 * HOUR][i % 3] ?? 0;
    }
  });

  it('raises events of all three types as its model describes them', () => {
    const thing = theThing(name);
    for (const type of ['info', 'alert', 'error'] as const) {
      for (let i = 0; i < 20; i++) {
        const raised = thing.raise(type, MIDNIGHT + i * HOUR);
        const known = model.events.get(raised?.identifier ?? '');
        expect(raised).toMatchObject({ type });
        expect(known?.type).toBe(type);
        expect(checkFields(known?.outputs ?? [], raised?.value ?? {}).failed).toEqual({});
        const outputs = new Map((known?.outputs ?? []).map((field) => [field.identifier, field.dataType]));
        const values: [string, Json][] = Object.entries(raised?.value ?? {});
        expect(values.filter(([id, value]) => !outputs.get(id) || !isWithin(outputs.get(id)!, value))).toEqual([]);
        expect(values).toHaveLength(outputs.size);
      }
    }
  });

  it('shows what it was set to', () => {
    const thing = theThing(name);
    thing.measure(MIDNIGHT);
    for (const { identifier, dataType, writable } of model.properties.values()) {
      if (!writable) continue;
      const wish: Json =
        dataType.type === 'bool' || dataType.type === 'enum'
          ? ([...dataType.names.keys()].at(-1) ?? 0)
          : dataType.type === 'int' || dataType.type === 'float'
            ? Math.round((dataType.max ?? 1) / 2)
            : dataType.type === 'text'
              ? 'manual'
              : { r: 1, g: 2, b: 3 };
      thing.set(identifier, wish, MIDNIGHT);
      expect(thing.measure(MIDNIGHT + 100)[identifier]).toEqual(wish);
    }
  });

  it('lives the same life again from the same seed', () => {
    const life = (seed: string): string => {
      const thing = theThing(name, seed);
      return Array.from({ length: 50 }, (_, i) => toJson(thing.measure(MIDNIGHT + i * 7 * MINUTE))).join();
    };
    expect(life('a')).toBe(life('a'));
    expect(life('b')).not.toBe(life('a'));
  });
});

describe('a day', () => {
  it('of a purifier, a thermostat, a meter, an inverter and a charger has a shape', () => {
    const span = (values: number[]): number => Math.max(...values) - Math.min(...values);
    expect(span(course(theThing('air-purifier'), 'PM25', 10 * MINUTE, 24 * HOUR))).toBeGreaterThan(20);
    expect(new Set(course(theThing('thermostat'), 'HeatingState', 10 * MINUTE, 24 * HOUR))).toEqual(new Set([0, 1]));
    const watts = course(theThing('electricity-meter'), 'ActivePower', 30 * MINUTE, 24 * HOUR);
    expect(Math.max(...watts.slice(36, 44))).toBeGreaterThan(2 * Math.min(...watts.slice(4, 10)));
    const sun = course(theThing('solar-inverter'), 'OutputPower', HOUR, 24 * HOUR);
    expect(Math.max(...sun.slice(0, 5), ...sun.slice(20))).toBeLessThan(60);
    expect(sun[12]).toBeGreaterThan(1_500);
    expect(new Set(course(theThing('ev-charger'), 'ChargingState', 10 * MINUTE, 72 * HOUR)).size).toBe(4);
  });

  it('is the same long whether it is looked at every minute or every four hours', () => {
    for (const everyMs of [MINUTE, 30 * MINUTE, 4 * HOUR]) {
      const energy = course(theThing('electricity-meter'), 'ActiveEnergy', everyMs, 48 * HOUR);
      const used = (energy.at(-1) ?? 0) - (energy[0] ?? 0);
      // About 300 W on average.
      expect(used).toBeGreaterThan(8);
      expect(used).toBeLessThan(22);
    }
  });

  it('ends at midnight for what counts by the day', () => {
    const today = course(theThing('solar-inverter'), 'TodayEnergy', HOUR, 47 * HOUR);
    expect(today[23]).toBeGreaterThan(10);
    expect(today[25]).toBeLessThan(0.5);
    expect(today[46]).toBeGreaterThan(10);
  });
});

describe('behaviours', () => {
  const field = (identifier: string, dataType: unknown): unknown => ({ identifier, accessMode: 'rw', dataType });
  const model = parseModel(
    'm.json',
    JSON.stringify({
      properties: [
        field('level', { type: 'double', specs: { min: '0', max: '100' } }),
        field('twice', { type: 'int', specs: { min: '-500', max: '500' } }),
        field('switch', { type: 'bool', specs: { 0: 'off', 1: 'on' } }),
        field('mode', { type: 'text', specs: { length: '8' } }),
        field('since', { type: 'date' }),
        field('list', { type: 'array', specs: { size: '3', item: { type: 'int' } } }),
        field('pair', { type: 'struct', specs: [field('a', { type: 'int' }), field('b', { type: 'text' })] }),
      ],
    }),
  );
  const read = (yaml: string): Behaviours => {
    const description = parseDescription('b.yaml', yaml, behaviours);
    const found = checkBehaviours(model, description.value);
    if (found) throw description.wrong(found.path, `${found.path.join('.')}: ${found.text}`);
    return description.value;
  };

  it('make properties do as they say', () => {
    const thing = new ModelThing(
      model,
      read(`
level: { kind: day-curve, low: 10, high: 20, peakHour: 12 }
twice: { kind: follows, of: level, scale: 2, offset: -5 }
switch: { kind: duty-cycle, onMinutes: 10, offMinutes: 10 }
mode: { kind: states, dwellMinutes: { eco: 20, boost: 20 } }
since: { kind: clock, everyMinutes: 60 }
list: { kind: array, length: 2, of: { kind: constant, value: 7 } }
pair: { kind: struct, members: { a: { kind: counter, perHour: 60 }, b: { kind: constant, value: x } } }`),
      new Random('1'),
    );
    const days = Array.from({ length: 289 }, (_, i) => thing.measure(MIDNIGHT + i * 10 * MINUTE));
    const levels = days.map(({ level }) => Number(level));
    expect(levels[72]).toBeGreaterThan(18);
    expect(levels[0]).toBeLessThan(11);
    for (const { level, twice } of days) expect(Math.abs(Number(twice) - (2 * Number(level) - 5))).toBeLessThan(0.51);
    expect(new Set(days.map((each) => each.switch))).toEqual(new Set([0, 1]));
    expect(new Set(days.map((each) => each.mode))).toEqual(new Set(['eco', 'boost']));
    expect(days[7]?.since).toBe(String(MIDNIGHT + HOUR));
    expect(days[7]?.list).toEqual([7, 7]);
    const pair = days[288]?.pair as { a: number; b: string };
    expect(pair.b).toBe('x');
    expect(pair.a).toBeGreaterThan(1_500);
  });

  it('may be left out: names, types and units suggest some', () => {
    const thing = new ModelThing(model, {}, new Random('1'));
    const days = Array.from({ length: 289 }, (_, i) => thing.measure(MIDNIGHT + i * 10 * MINUTE));
    expect(Object.keys(days[0] ?? {})).toEqual([...model.properties.keys()]);
    expect(new Set(days.map((each) => each.switch)).size).toBe(2);
    for (const values of days) {
      for (const [id, { dataType }] of model.properties) expect(isWithin(dataType, values[id] ?? null)).toBe(true);
    }
  });

  it.each([
    ['an unknown property', 'nothing: { kind: battery }', /^b\.yaml:1: nothing: the model has no property nothing$/],
    ['an unknown kind', 'level: { kind: sine }', /^b\.yaml:1: level\.kind: /],
    ['an unknown word', 'level: { kind: drift, mean: 3, sigma: 1 }', /^b\.yaml:1: level: .*sigma/],
    ['a type it does not suit', '\nmode: { kind: battery }', /^b\.yaml:2: mode\.kind: a text cannot be a battery$/],
    [
      'a state that the model does not have',
      'switch:\n  kind: states\n  dwellMinutes:\n    0: 5\n    2: 5',
      /^b\.yaml:4: switch\.dwellMinutes\.2: 2 is not a value/,
    ],
    ['a value out of range', 'level: { kind: constant, value: 101 }', /^b\.yaml:1: level\.value: is not a value/],
    ['an unknown source', 'level: { kind: follows, of: x }', /^b\.yaml:1: level\.of: the model has no property x$/],
    [
      'a source that is no number',
      'level: { kind: follows, of: mode }',
      /^b\.yaml:1: level\.of: mode is not a number$/,
    ],
    [
      'a circle',
      'level: { kind: follows, of: twice }\ntwice: { kind: follows, of: level }',
      /^b\.yaml:1: level: level depends on itself$/,
    ],
    [
      'too many elements',
      'list: { kind: array, length: 4, of: { kind: battery } }',
      /^b\.yaml:1: list\.length: the model has 3 elements at most$/,
    ],
    [
      'an unknown member',
      'pair: { kind: struct, members: { c: { kind: battery } } }',
      /^b\.yaml:1: pair\.members\.c: the struct has no member c$/,
    ],
  ])('with %s are refused with file and line', (_, yaml, told) => {
    expect(() => read(yaml)).toThrow(told);
  });
});
