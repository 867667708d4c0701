import type { Random } from '../../random.js';
import { dayCurve, Drift, hourOfDay, rounded, Stopwatch } from '../curves.js';
import type { Json } from '../../devices/json.js';
import type { Fields } from '../../devices/messages.js';
import type { EventType, ModelService } from '../../models/thing-model.js';
import type { Raised, Thing } from '../thing.js';

/** Between waking and going to bed. */
const isDay = (now: number): boolean => hourOfDay(now) >= 6 && hourOfDay(now) < 22.5;

/** A room thermostat: heats in duty cycles between two thresholds while the house loses warmth to the weather. */
export class Thermostat implements Thing {
  private temperature: number;
  private heating = false;
  private readonly watch = new Stopwatch();
  private readonly comfort: number;
  private mode: string | null = null;
  private boostUntil = 0;
  /** Somebody's wish holds until day or night changes the target anyway. */
  private wanted: { readonly target: number; readonly day: boolean } | null = null;
  private readonly weather: Drift;
  private readonly humidity: Drift;

  constructor(private readonly random: Random) {
    this.temperature = random.between(18.5, 22);
    this.comfort = rounded(random.between(20, 22.5) * 2, 0) / 2;
    this.weather = new Drift(random, 2.5, 6 * 3_600_000);
    this.humidity = new Drift(random, 3, 1_800_000);
  }

  private target(now: number): number {
    const day = isDay(now);
    if (this.wanted && this.wanted.day !== day) this.wanted = null;
    if (this.wanted) return this.wanted.target;
    return this.comfort + (now < this.boostUntil ? 2 : day ? 0 : -3);
  }

  measure(now: number): Record<string, Json> {
    let humidity = 0;
    for (const { at, elapsedMs } of this.watch.steps(now)) {
      const target = this.target(at);
      const outside = 3 + 7 * dayCurve(at, 15) + this.weather.after(elapsedMs);
      if (this.temperature < target - 0.4) this.heating = true;
      if (this.temperature > target + 0.4) this.heating = false;
      const balance = outside + (this.heating ? 30 : 4);
      this.temperature = balance + (this.temperature - balance) * Math.exp(-elapsedMs / 5_400_000);
      humidity = this.humidity.after(elapsedMs);
    }
    return {
      CurrentTemperature: rounded(this.temperature + this.random.noise() * 0.04, 2),
      TargetTemperature: this.target(now),
      HeatingState: this.heating ? 1 : 0,
      RelativeHumidity: Math.round(44 + humidity),
      WorkMode: this.mode ?? (hourOfDay(now) < 6 ? 'night' : 'auto'),
      Schedule: { Wake: '06:00', Sleep: '22:30', Comfort: this.comfort },
    };
  }

  set(identifier: string, value: Json, now: number): void {
    if (identifier === 'TargetTemperature') this.wanted = { target: Number(value), day: isDay(now) };
    if (identifier === 'WorkMode' && typeof value === 'string') this.mode = value;
  }

  call(service: ModelService, { Minutes }: Fields, now: number): Fields | null {
    if (service.identifier !== 'BoostHeating') return null;
    this.boostUntil = now + Number(Minutes ?? 30) * 60_000;
    return { Until: String(this.boostUntil) };
  }

  raise(type: EventType): Raised {
    switch (type) {
      case 'info':
        return { identifier: 'TargetChanged', type, value: { Target: this.comfort, By: 'app' } };
      case 'alert':
        return {
          identifier: 'OpenWindow',
          type,
          value: { Drop: rounded(this.random.between(1, 3), 1), Minutes: this.random.whole(5, 20) },
        };
      case 'error':
        return { identifier: 'Error', type, value: { ErrorCode: 3 } };
      default:
        return type satisfies never;
    }
  }
}
