import type { Random } from '../../random.js';
import { clamped, Drift, hourOfDay, Stopwatch } from '../curves.js';
import type { Json } from '../../devices/json.js';
import type { Fields } from '../../devices/messages.js';
import type { EventType, ModelService } from '../../models/thing-model.js';
import type { Raised, Thing } from '../thing.js';

/** A smart lock: opened at the hours people come and go, locks itself, and empties its battery a little each time. */
export class Lock implements Thing {
  private battery: number;
  private openUntil = 0;
  private openings: number;
  private autoLock = 1;
  private readonly watch = new Stopwatch();
  private readonly signal: Drift;

  constructor(private readonly random: Random) {
    this.battery = random.between(25, 100);
    this.openings = random.whole(100, 4_000);
    this.signal = new Drift(random, 4, 120_000);
  }

  measure(now: number): Record<string, Json> {
    let signal = 0;
    for (const { at, elapsedMs } of this.watch.steps(now)) {
      const hour = hourOfDay(at);
      const busy = (hour > 7 && hour < 9) || (hour > 17 && hour < 20) ? 12 : hour < 6 ? 0.5 : 3;
      if (at > this.openUntil && this.random.chance(1 - Math.exp((-busy * elapsedMs) / 3_600_000))) this.open(at);
      signal = this.signal.after(elapsedMs);
    }
    return {
      LockState: now < this.openUntil ? 0 : 1,
      BatteryPercentage: Math.round(this.battery),
      OpenCount: this.openings,
      AutoLock: this.autoLock,
      WiFi_RSSI: Math.round(clamped(-58 + signal, -127, 0)),
    };
  }

  set(identifier: string, value: Json): void {
    if (identifier === 'AutoLock') this.autoLock = Number(value);
  }

  call(service: ModelService, _params: Fields, now: number): Fields | null {
    if (service.identifier !== 'RemoteUnlock') return null;
    this.open(now);
    return { LockState: 0 };
  }

  private open(at: number): void {
    // Without its bolt the door stands open until somebody thinks of it.
    this.openUntil = at + this.random.between(4_000, 15_000) * (this.autoLock === 1 ? 1 : 40);
    this.openings++;
    this.battery -= 0.02;
    if (this.battery < 3) this.battery = 100;
  }

  raise(type: EventType): Raised {
    const user = `U${this.random.whole(1, 5)}`;
    switch (type) {
      case 'info':
        return {
          identifier: 'DoorOpenNotification',
          type,
          value: { KeyID: `${this.random.whole(1, 20)}`, LockType: this.random.whole(1, 4), UserID: user },
        };
      case 'alert':
        return this.random.chance(0.5)
          ? {
              identifier: 'LowElectricityAlarm',
              type,
              value: { Percentage: Math.min(Math.round(this.battery), this.random.whole(6, 15)) },
            }
          : { identifier: 'TamperAlarm', type, value: {} };
      case 'error':
        return { identifier: 'LockFault', type, value: { ErrorCode: this.random.whole(1, 6) } };
      default:
        return type satisfies never;
    }
  }
}
