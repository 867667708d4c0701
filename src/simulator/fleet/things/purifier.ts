import type { Random } from '../../random.js';
import { clamped, dayCurve, Drift, hourOfDay, rounded, Stopwatch } from '../curves.js';
import type { Json } from '../../devices/json.js';
import type { ModelEvent } from '../../devices/messages.js';
import type { EventType } from '../../models/thing-model.js';
import type { Thing } from '../thing.js';

/** An air purifier: dust comes in from the street, the fan takes it out, the filter wears. */
export class Purifier implements Thing {
  private dust: number;
  private filter: number;
  private on = true;
  private readonly watch = new Stopwatch();
  private readonly street: Drift;
  private readonly room: Drift;

  constructor(private readonly random: Random) {
    this.dust = random.between(15, 90);
    this.filter = random.between(8, 100);
    this.street = new Drift(random, 22, 3_600_000);
    this.room = new Drift(random, 0.6, 900_000);
  }

  measure(now: number): Record<string, Json> {
    const elapsed = this.watch.elapsedMs(now);
    const outside = Math.max(8, 55 + 45 * dayCurve(now, 19) + this.street.after(elapsed));
    if (this.random.chance(elapsed / 900_000)) this.on = !this.on;
    const speed = !this.on ? 0 : this.dust > 75 ? 4 : this.dust > 45 ? 3 : this.dust > 20 ? 2 : 1;
    // The room tends to a balance of what leaks in and what the fan takes out.
    const balance = outside / (1 + speed * 1.8);
    this.dust = balance + (this.dust - balance) * Math.exp((-elapsed / 240_000) * (1 + speed));
    this.filter = clamped(this.filter - (elapsed / 3_600_000) * 0.02 * speed, 0, 100);
    const hour = hourOfDay(now);
    return {
      PowerSwitch: this.on ? 1 : 0,
      WindSpeed: speed,
      PM25: Math.max(1, Math.round(this.dust + this.random.noise() * 1.2)),
      CurrentTemperature: rounded(22.5 + 2 * dayCurve(now, 15) + this.room.after(elapsed), 1),
      RelativeHumidity: Math.round(48 + 8 * dayCurve(now, 5) + this.random.noise()),
      FilterLifeTimePercent: Math.round(this.filter),
      SleepMode: hour < 6 || hour > 23 ? 1 : 0,
    };
  }

  raise(type: EventType): ModelEvent {
    switch (type) {
      case 'info':
        return {
          identifier: 'ModeChanged',
          name: '模式切换',
          type,
          value: { Mode: this.random.whole(0, 3), By: 'panel' },
        };
      case 'alert':
        return {
          identifier: 'FilterAlarm',
          name: 'Filter worn out',
          type,
          value: {
            RemainingPercent: Math.min(Math.round(this.filter), this.random.whole(1, 9)),
            FilterId: `F-${this.random.whole(1, 4)}`,
          },
        };
      case 'error':
        return { identifier: 'Error', name: 'Sensor fault', type, value: { ErrorCode: this.random.whole(0, 5) } };
      default:
        return type satisfies never;
    }
  }
}
