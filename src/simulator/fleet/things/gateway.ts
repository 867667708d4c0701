import type { Random } from '../../random.js';
import { clamped, dayCurve, Drift, rounded } from '../curves.js';
import type { Json } from '../../devices/json.js';
import type { EventType } from '../../models/thing-model.js';
import type { Raised, Thing } from '../thing.js';

/** A gateway in a cellar: its own health, and where it stands. */
export class Gateway implements Thing {
  private measuredAt: number | null = null;
  private uplink = 'ethernet';
  private scanSeconds = 60;
  private readonly load: Drift;
  private readonly memory: Drift;
  private readonly site: Readonly<Record<string, Json>>;

  constructor(private readonly random: Random) {
    this.load = new Drift(random, 6, 1_200_000);
    this.memory = new Drift(random, 12, 5_400_000);
    this.site = { lat: rounded(random.between(30.1, 31.9), 6), lon: rounded(random.between(120.2, 121.9), 6) };
  }

  measure(now: number): Record<string, Json> {
    const elapsed = Math.max(0, now - (this.measuredAt ?? now));
    this.measuredAt = Math.max(now, this.measuredAt ?? now);
    return {
      CpuLoad: rounded(clamped(18 + 20 * dayCurve(now, 14) + this.load.after(elapsed), 1, 100), 1),
      MemoryUsedMB: rounded(clamped(212 + this.memory.after(elapsed), 80, 500), 1),
      Uplink: this.uplink,
      Site: this.site,
      ScanIntervalSeconds: this.scanSeconds,
    };
  }

  set(identifier: string, value: Json): void {
    if (identifier === 'ScanIntervalSeconds') this.scanSeconds = Number(value);
  }

  raise(type: EventType): Raised {
    switch (type) {
      case 'info':
        this.uplink = this.uplink === 'ethernet' ? '4g' : 'ethernet';
        return { identifier: 'UplinkSwitched', type, value: { To: this.uplink } };
      case 'alert':
        return { identifier: 'HighLoad', type, value: { Load: this.random.whole(85, 100) } };
      case 'error':
        return {
          identifier: 'RadioFault',
          type,
          value: { Channel: this.random.whole(11, 26) },
        };
      default:
        return type satisfies never;
    }
  }
}

/** A temperature and humidity probe, behind a gateway. */
export class Probe implements Thing {
  private measuredAt: number | null = null;
  private battery: number;
  private readonly mean: number;
  private readonly warmth: Drift;
  private readonly damp: Drift;

  constructor(private readonly random: Random) {
    this.mean = random.between(4, 19);
    this.battery = random.between(2_600, 3_050);
    this.warmth = new Drift(random, 0.8, 1_200_000);
    this.damp = new Drift(random, 4, 1_200_000);
  }

  measure(now: number): Record<string, Json> {
    const elapsed = Math.max(0, now - (this.measuredAt ?? now));
    this.measuredAt = Math.max(now, this.measuredAt ?? now);
    // Empty after two years or so, and then somebody brings a new one.
    this.battery -= (elapsed / 3_600_000) * 0.065;
    if (this.battery < 1_900) this.battery = 3_050;
    const temperature = this.mean + 2.5 * dayCurve(now, 15) + this.warmth.after(elapsed);
    return {
      Temperature: rounded(temperature + this.random.noise() * 0.05, 2),
      Humidity: rounded(clamped(72 - temperature + this.damp.after(elapsed), 5, 99), 1),
      BatteryMillivolts: Math.round(this.battery + this.random.noise() * 2),
    };
  }

  /** It takes no orders: it sleeps most of the time. */
  set(): void {
    return undefined;
  }

  raise(type: EventType): Raised {
    switch (type) {
      case 'info':
        return { identifier: 'ButtonPressed', type, value: { Times: this.random.whole(1, 3) } };
      case 'alert':
        return {
          identifier: 'BatteryLow',
          type,
          value: { Millivolts: this.random.whole(2_050, 2_300) },
        };
      case 'error':
        return {
          identifier: 'SensorFault',
          type,
          value: { Raw: this.random.whole(0, 4_095) },
        };
      default:
        return type satisfies never;
    }
  }
}
