import type { Random } from '../../random.js';
import { dayCurve, Drift, hourOfDay, rounded, Stopwatch } from '../curves.js';
import type { Json } from '../../devices/json.js';
import type { ModelEvent } from '../../devices/messages.js';
import type { EventType } from '../../models/thing-model.js';
import type { Thing } from '../thing.js';

/** A room thermostat: heats in duty cycles between two thresholds while the house loses warmth to the weather. */
export class Thermostat implements Thing {
  private temperature: number;
  private heating = false;
  private readonly watch = new Stopwatch();
  private readonly comfort: number;
  private readonly weather: Drift;
  private readonly humidity: Drift;

  constructor(private readonly random: Random) {
    this.temperature = random.between(18.5, 22);
    this.comfort = rounded(random.between(20, 22.5) * 2, 0) / 2;
    this.weather = new Drift(random, 2.5, 6 * 3_600_000);
    this.humidity = new Drift(random, 3, 1_800_000);
  }

  private target(now: number): number {
    const hour = hourOfDay(now);
    return hour >= 6 && hour < 22.5 ? this.comfort : this.comfort - 3;
  }

  measure(now: number): Record<string, Json> {
    const elapsed = this.watch.elapsedMs(now);
    const target = this.target(now);
    const outside = 3 + 7 * dayCurve(now, 15) + this.weather.after(elapsed);
    if (this.temperature < target - 0.4) this.heating = true;
    if (this.temperature > target + 0.4) this.heating = false;
    const balance = outside + (this.heating ? 30 : 4);
    this.temperature = balance + (this.temperature - balance) * Math.exp(-elapsed / 5_400_000);
    return {
      CurrentTemperature: rounded(this.temperature + this.random.noise() * 0.04, 2),
      TargetTemperature: target,
      HeatingState: this.heating ? 1 : 0,
      RelativeHumidity: Math.round(44 + this.humidity.after(elapsed)),
      WorkMode: hourOfDay(now) < 6 ? 'night' : 'auto',
      Schedule: { Wake: '06:00', Sleep: '22:30', Comfort: this.comfort },
    };
  }

  raise(type: EventType): ModelEvent {
    switch (type) {
      case 'info':
        return { identifier: 'TargetChanged', name: '设定温度', type, value: { Target: this.comfort, By: 'app' } };
      case 'alert':
        return {
          identifier: 'OpenWindow',
          name: 'Window left open',
          type,
          value: { Drop: rounded(this.random.between(1, 3), 1), Minutes: this.random.whole(5, 20) },
        };
      case 'error':
        return { identifier: 'Error', name: 'Boiler does not answer', type, value: { ErrorCode: 3 } };
      default:
        return type satisfies never;
    }
  }
}
