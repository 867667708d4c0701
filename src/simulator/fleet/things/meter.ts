import type { Random } from '../../random.js';
import { clamped, dayCurve, Drift, rounded, Stopwatch } from '../curves.js';
import type { Json } from '../../devices/json.js';
import type { ModelEvent } from '../../devices/messages.js';
import type { EventType } from '../../models/thing-model.js';
import type { Thing } from '../thing.js';

/** An electricity meter: a household's load over the day, and counters that only ever grow. */
export class Meter implements Thing {
  private energyKwh: number;
  private kettleUntil = 0;
  private readonly watch = new Stopwatch();
  private readonly load: Drift;
  private readonly grid: Drift;
  /** Counts from a number beyond what a double can hold, as long-lived counters do. */
  private readonly pulsesBefore: bigint;

  constructor(private readonly random: Random) {
    this.energyKwh = random.between(800, 30_000);
    this.load = new Drift(random, 120, 600_000);
    this.grid = new Drift(random, 2.2, 300_000);
    this.pulsesBefore = 9_007_199_254_740_993n + BigInt(random.whole(0, 1_000_000));
  }

  measure(now: number): Record<string, Json> {
    const elapsed = this.watch.elapsedMs(now);
    if (now > this.kettleUntil && this.random.chance(elapsed / 400_000)) {
      this.kettleUntil = now + this.random.between(60_000, 240_000);
    }
    const base = 140 + 380 * dayCurve(now, 19.5) ** 2 + 120 * dayCurve(now, 7.5) ** 4;
    const watts = Math.max(45, base + this.load.after(elapsed) + (now < this.kettleUntil ? 1_950 : 0));
    const volts = 229 + this.grid.after(elapsed);
    const factor = clamped(0.93 + this.random.noise() * 0.01, 0.7, 1);
    this.energyKwh += (watts / 1_000) * (elapsed / 3_600_000);
    const phase = (): number => rounded(volts + this.random.noise() * 0.3, 1);
    return {
      ActivePower: rounded(watts, 1),
      Voltage: rounded(volts, 1),
      Current: rounded(watts / (volts * factor), 3),
      PowerFactor: rounded(factor, 3),
      Frequency: rounded(50 + this.random.noise() * 0.012, 3),
      ActiveEnergy: rounded(this.energyKwh, 4),
      Pulses: this.pulsesBefore + BigInt(Math.floor(this.energyKwh * 3_200)),
      PhaseVoltages: [phase(), phase(), phase()],
    };
  }

  raise(type: EventType): ModelEvent {
    switch (type) {
      case 'info':
        return { identifier: 'TariffChanged', name: '费率切换', type, value: { Tariff: this.random.whole(1, 4) } };
      case 'alert':
        return {
          identifier: 'OverVoltage',
          name: 'Voltage too high',
          type,
          value: { Voltage: rounded(this.random.between(253, 262), 1), Seconds: this.random.whole(1, 30) },
        };
      case 'error':
        return { identifier: 'MeterFault', name: 'Clock battery empty', type, value: { ErrorCode: 17 } };
      default:
        return type satisfies never;
    }
  }
}
