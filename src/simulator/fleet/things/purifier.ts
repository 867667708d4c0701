import type { Random } from '../../random.js';
import { dayCurve, Drift, hourOfDay, rounded, Stopwatch } from '../curves.js';
import type { Json } from '../../devices/json.js';
import type { Fields } from '../../devices/messages.js';
import type { EventType, ModelService } from '../../models/thing-model.js';
import type { Raised, Thing } from '../thing.js';

/** An air purifier: dust comes in from the street, the fan takes it out, the filter wears. */
export class Purifier implements Thing {
  private dust: number;
  private filter: number;
  private on = true;
  /** Somebody's choice, until the machine is switched again. */
  private wantedSpeed: number | null = null;
  private wantedSleep: number | null = null;
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
    let speed = this.speed();
    let room = 0;
    for (const { at, elapsedMs } of this.watch.steps(now)) {
      const outside = Math.max(8, 55 + 45 * dayCurve(at, 19) + this.street.after(elapsedMs));
      // It runs for an hour or two, and rests for about as long.
      if (this.random.chance(1 - Math.exp(-elapsedMs / 5_400_000))) this.turn(!this.on);
      speed = this.speed();
      // The room tends to a balance of what leaks in and what the fan takes out.
      const balance = outside / (1 + speed * 1.8);
      this.dust = balance + (this.dust - balance) * Math.exp((-elapsedMs / 240_000) * (1 + speed));
      this.filter -= (elapsedMs / 3_600_000) * 0.02 * speed;
      if (this.filter < 0) this.filter = 100;
      room = this.room.after(elapsedMs);
    }
    const hour = hourOfDay(now);
    return {
      PowerSwitch: this.on ? 1 : 0,
      WindSpeed: speed,
      PM25: Math.max(1, Math.round(this.dust + this.random.noise() * 1.2)),
      CurrentTemperature: rounded(22.5 + 2 * dayCurve(now, 15) + room, 1),
      RelativeHumidity: Math.round(48 + 8 * dayCurve(now, 5) + this.random.noise()),
      FilterLifeTimePercent: Math.round(this.filter),
      SleepMode: this.wantedSleep ?? (hour < 6 || hour > 23 ? 1 : 0),
    };
  }

  set(identifier: string, value: Json): void {
    if (identifier === 'PowerSwitch') this.turn(value === 1);
    if (identifier === 'SleepMode') this.wantedSleep = Number(value);
    if (identifier !== 'WindSpeed') return;
    this.turn(value !== 0);
    this.wantedSpeed = Number(value);
  }

  call(service: ModelService): Fields | null {
    if (service.identifier !== 'ResetFilter') return null;
    this.filter = 100;
    return { FilterLifeTimePercent: 100 };
  }

  private turn(on: boolean): void {
    this.on = on;
    this.wantedSpeed = null;
  }

  private speed(): number {
    if (!this.on) return 0;
    return this.wantedSpeed ?? (this.dust > 75 ? 4 : this.dust > 45 ? 3 : this.dust > 20 ? 2 : 1);
  }

  raise(type: EventType): Raised {
    switch (type) {
      case 'info':
        return {
          identifier: 'ModeChanged',
          type,
          value: { Mode: this.random.whole(0, 3), By: 'panel' },
        };
      case 'alert':
        return {
          identifier: 'FilterAlarm',
          type,
          value: {
            RemainingPercent: Math.min(Math.round(this.filter), this.random.whole(1, 9)),
            FilterId: `F-${this.random.whole(1, 4)}`,
          },
        };
      case 'error':
        return { identifier: 'Error', type, value: { ErrorCode: this.random.whole(0, 5) } };
      default:
        return type satisfies never;
    }
  }
}
