import type { Random } from '../../random.js';
import { clamped, dayCurve, Drift, rounded, Stopwatch } from '../curves.js';
import type { Json } from '../../devices/json.js';
import type { Fields } from '../../devices/messages.js';
import type { EventType, ModelService } from '../../models/thing-model.js';
import type { Raised, Thing } from '../thing.js';

/** An electricity meter: a household's load over the day, and counters that only ever grow. */
export class Meter implements Thing {
  private energyKwh: number;
  private kettleUntil = 0;
  private intervalSeconds = 30;
  private closed = 1;
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
    let watts = 0;
    let volts = 0;
    for (const { at, elapsedMs } of this.watch.steps(now)) {
      // Awake people boil water.
      const thirst = 0.2 + 2 * dayCurve(at, 18) ** 2;
      if (at > this.kettleUntil && this.random.chance(1 - Math.exp((-elapsedMs * thirst) / 3_600_000))) {
        this.kettleUntil = at + this.random.between(60_000, 240_000);
      }
      const base = 140 + 380 * dayCurve(at, 19.5) ** 4 + 180 * dayCurve(at, 7.5) ** 8;
      const load = Math.max(45, base + this.load.after(elapsedMs) + (at < this.kettleUntil ? 1_950 : 0));
      watts = this.closed === 1 ? load : 0;
      volts = 229 + this.grid.after(elapsedMs);
      this.energyKwh += (watts / 1_000) * (elapsedMs / 3_600_000);
    }
    const factor = clamped(0.93 + this.random.noise() * 0.01, 0.7, 1);
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
      ReportInterval: this.intervalSeconds,
    };
  }

  set(identifier: string, value: Json): void {
    if (identifier === 'ReportInterval') this.intervalSeconds = Number(value);
  }

  call(service: ModelService, { Register, Closed }: Fields): Fields | null {
    if (service.identifier === 'ReadRegister') {
      return { Register: Register ?? 0, Value: rounded(this.energyKwh, 4) };
    }
    if (service.identifier !== 'SetRelay') return null;
    this.closed = Number(Closed ?? 1);
    return { Closed: this.closed };
  }

  raise(type: EventType): Raised {
    switch (type) {
      case 'info':
        return { identifier: 'TariffChanged', type, value: { Tariff: this.random.whole(1, 4) } };
      case 'alert':
        return {
          identifier: 'OverVoltage',
          type,
          value: { Voltage: rounded(this.random.between(253, 262), 1), Seconds: this.random.whole(1, 30) },
        };
      case 'error':
        return { identifier: 'MeterFault', type, value: { ErrorCode: 17 } };
      default:
        return type satisfies never;
    }
  }
}
