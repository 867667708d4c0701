import type { Json } from '../devices/json.js';
import { sourcesOf, stateValue, type Behaviour, type Behaviours } from '../models/behaviour.js';
import { completeBehaviours } from '../models/guess-behaviour.js';
import type { DataType, EventType, ThingModel } from '../models/thing-model.js';
import type { Random } from '../random.js';
import { clamped, dayCurve, Drift, localDay, Stopwatch } from './curves.js';
import { fillFields, shaped } from './fill-fields.js';
import type { Raised, Thing } from './thing.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const levelOf = (signal: Signal | undefined): number => (signal?.level ? signal.level() : Number(signal?.value() ?? 0));

/** A value that goes on with time. */
interface Signal {
  /** Lives until `at`, which is `elapsedMs` later than the last time. `numberOf` tells where other properties are. */
  step(at: number, elapsedMs: number, numberOf: (identifier: string) => number): void;
  value(): Json;
  /** The same before it is rounded, where others follow it. */
  level?(): number;
  /** Somebody wants it to be this; false when it does not listen. */
  set?(value: Json): void;
}

/** A thing that has nothing but a model: its properties behave as somebody wrote, or as their names suggest. */
export class ModelThing implements Thing {
  private readonly watch = new Stopwatch();
  private readonly signals = new Map<string, Signal>();
  /** Sources before what follows them. */
  private readonly order: readonly string[];
  /** What was set stays until it is set again, where the behaviour has no state of its own to change. */
  private readonly held = new Map<string, Json>();

  constructor(
    private readonly model: ThingModel,
    given: Behaviours,
    private readonly random: Random,
  ) {
    const complete = completeBehaviours(model, given);
    for (const [identifier, { dataType }] of model.properties) {
      const behaviour = complete.get(identifier);
      if (behaviour) this.signals.set(identifier, signalOf(behaviour, dataType, random));
    }
    this.order = inOrder(complete);
  }

  measure(now: number): Record<string, Json> {
    const numberOf = (identifier: string): number =>
      this.held.has(identifier) ? Number(this.held.get(identifier)) : levelOf(this.signals.get(identifier));
    for (const { at, elapsedMs } of this.watch.steps(now)) {
      for (const identifier of this.order) this.signals.get(identifier)?.step(at, elapsedMs, numberOf);
    }
    return Object.fromEntries(
      [...this.signals].map(([identifier, signal]) => [identifier, this.held.get(identifier) ?? signal.value()]),
    );
  }

  raise(type: EventType, now: number): Raised | null {
    const known = [...this.model.events.values()].filter((event) => event.type === type);
    if (known.length === 0) return null;
    const { identifier, outputs } = this.random.pick(known);
    return { identifier, type, value: fillFields(outputs, this.measure(now), this.random, now) };
  }

  set(identifier: string, value: Json): void {
    const signal = this.signals.get(identifier);
    if (signal?.set) signal.set(value);
    else this.held.set(identifier, value);
  }
}

function signalOf(behaviour: Behaviour, type: DataType, random: Random): Signal {
  switch (behaviour.kind) {
    case 'day-curve': {
      // No two devices are alike: each has its own hour, and a somewhat larger or smaller curve.
      const peakHour = behaviour.peakHour + random.noise() * 0.4;
      const height = (behaviour.high - behaviour.low) * (1 + random.noise() * 0.05);
      const drift = new Drift(random, behaviour.drift, behaviour.memoryMinutes * MINUTE_MS);
      return numeric(type, (at, elapsedMs) => {
        const curve = shapeOf(behaviour.shape, at, peakHour);
        // Clouds take away from the sun; at night there is nothing to take.
        const offset = drift.after(elapsedMs) * (behaviour.shape === 'sun' ? -Math.sqrt(curve) : 1);
        const restless = behaviour.shape === 'sun' ? Math.min(0, offset) : offset;
        return behaviour.low + height * curve + restless + random.noise() * behaviour.noise;
      });
    }
    case 'drift': {
      const drift = new Drift(random, behaviour.drift, behaviour.memoryMinutes * MINUTE_MS);
      return numeric(
        type,
        (_, elapsedMs) => behaviour.mean + drift.after(elapsedMs) + random.noise() * behaviour.noise,
      );
    }
    case 'duty-cycle':
      return new States(
        [
          { value: shaped(type, behaviour.on), dwellMs: behaviour.onMinutes * MINUTE_MS },
          { value: shaped(type, behaviour.off), dwellMs: behaviour.offMinutes * MINUTE_MS },
        ],
        random,
      );
    case 'states':
      return new States(
        Object.entries(behaviour.dwellMinutes).map(([key, minutes]) => ({
          value: stateValue(type, key),
          dwellMs: minutes * MINUTE_MS,
        })),
        random,
      );
    case 'counter': {
      let count = behaviour.start * (1 + random.next());
      let day: number | null = null;
      const pace = 1 + random.noise() * 0.1;
      return numeric(type, (at, elapsedMs, numberOf) => {
        const rate = behaviour.of === undefined ? (behaviour.perHour ?? 1) * pace : numberOf(behaviour.of);
        count += Math.max(0, rate * behaviour.factor) * (elapsedMs / HOUR_MS);
        if (behaviour.daily && localDay(at) !== day) {
          if (day !== null) count = 0;
          day = localDay(at);
        }
        return count;
      });
    }
    case 'battery': {
      const { full, empty, days } = behaviour;
      let level = random.between(empty + (full - empty) * 0.2, full);
      return numeric(type, (_, elapsedMs) => {
        level -= ((full - empty) / (days * 24)) * (elapsedMs / HOUR_MS);
        if (level <= empty) level = full;
        return level;
      });
    }
    case 'follows': {
      const { of, scale, offset, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = behaviour;
      const goal = (source: number): number => clamped(offset + scale * source, min, max);
      return following(type, of, goal, behaviour, random);
    }
    case 'lookup':
      return following(type, behaviour.of, (source) => behaviour.values[String(source)] ?? 0, behaviour, random);
    case 'constant':
      return { step: () => undefined, value: () => behaviour.value };
    case 'clock': {
      const every = behaviour.everyMinutes * MINUTE_MS;
      let time = 0;
      return {
        step: (at) => {
          time = Math.floor(at / every) * every;
        },
        value: () => String(time),
      };
    }
    case 'array': {
      if (type.type !== 'array') throw new TypeError('An array behaves like an array');
      const { item } = type;
      const items = Array.from({ length: behaviour.length }, () => signalOf(behaviour.of, item, random));
      return {
        step: (at, elapsedMs, numberOf) => {
          for (const one of items) one.step(at, elapsedMs, numberOf);
        },
        value: () => items.map((one) => one.value()),
      };
    }
    case 'struct': {
      if (type.type !== 'struct') throw new TypeError('A struct behaves like a struct');
      const members = type.members.flatMap(({ identifier, dataType }): [string, Signal][] => {
        const member = behaviour.members[identifier];
        return member ? [[identifier, signalOf(member, dataType, random)]] : [];
      });
      return {
        step: (at, elapsedMs, numberOf) => {
          for (const [, member] of members) member.step(at, elapsedMs, numberOf);
        },
        value: () => Object.fromEntries(members.map(([identifier, member]) => [identifier, member.value()])),
      };
    }
    default:
      return behaviour satisfies never;
  }
}

/** Reaches what its source asks for after a while, with noise upon it. */
function following(
  type: DataType,
  of: string,
  goalFor: (source: number) => number,
  { lagMinutes, noise }: { readonly lagMinutes: number; readonly noise: number },
  random: Random,
): Signal {
  let level: number | null = null;
  return numeric(type, (_, elapsedMs, numberOf) => {
    const goal = goalFor(numberOf(of));
    const kept = lagMinutes === 0 ? 0 : Math.exp(-elapsedMs / (lagMinutes * MINUTE_MS));
    level = level === null ? goal : goal + (level - goal) * kept;
    return level + (noise === 0 ? 0 : random.noise() * noise);
  });
}

function shapeOf(shape: 'smooth' | 'sun' | 'household', at: number, peakHour: number): number {
  const curve = dayCurve(at, peakHour);
  switch (shape) {
    case 'smooth':
      return curve;
    case 'sun':
      return Math.max(0, 2 * curve - 1) ** 1.2;
    case 'household':
      return Math.max(curve ** 4, 0.55 * dayCurve(at, peakHour - 12) ** 8);
    default:
      return shape satisfies never;
  }
}

function numeric(
  type: DataType,
  next: (at: number, elapsedMs: number, numberOf: (identifier: string) => number) => number,
): Signal {
  let level = 0;
  return {
    step: (at, elapsedMs, numberOf) => {
      level = next(at, elapsedMs, numberOf);
    },
    value: () => shaped(type, level),
    level: () => level,
  };
}

/** One of several values for a while, then another. */
class States implements Signal {
  private current: number;
  private leftMs: number;
  /** A value it was set to that is none of its states, for as long as a state lasts. */
  private wished: Json | null = null;

  constructor(
    private readonly states: readonly { readonly value: Json; readonly dwellMs: number }[],
    private readonly random: Random,
  ) {
    this.current = random.whole(0, states.length - 1);
    this.leftMs = this.dwell() * random.next();
  }

  step(_at: number, elapsedMs: number): void {
    this.leftMs -= elapsedMs;
    // What is set to flicker faster than it is looked at changes once a look.
    if (this.leftMs > 0) return;
    this.wished = null;
    this.leftMs = this.dwell();
    if (this.states.length < 2) return;
    const other = this.random.whole(0, this.states.length - 2);
    this.current = other < this.current ? other : other + 1;
    this.leftMs = this.dwell();
  }

  value(): Json {
    return this.wished ?? this.states[this.current]?.value ?? null;
  }

  set(value: Json): void {
    const index = this.states.findIndex((state) => state.value === value);
    this.wished = index < 0 ? value : null;
    if (index >= 0) this.current = index;
    this.leftMs = this.dwell();
  }

  private dwell(): number {
    return (this.states[this.current]?.dwellMs ?? 0) * this.random.between(0.67, 1.33);
  }
}

/** Every property after those it depends on. There are no circles; behaviours were checked for them. */
function inOrder(behaviours: ReadonlyMap<string, Behaviour>): string[] {
  const done = new Set<string>();
  const add = (identifier: string): void => {
    if (done.has(identifier)) return;
    done.add(identifier);
    const behaviour = behaviours.get(identifier);
    if (behaviour) for (const source of sourcesOf(behaviour)) add(source);
    order.push(identifier);
  };
  const order: string[] = [];
  for (const identifier of behaviours.keys()) add(identifier);
  return order;
}
