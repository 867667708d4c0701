import type { Outcome } from '../domain/event-sink.js';
import type { Metrics } from '../telemetry/metrics.js';

type Counted = Outcome | 'received';

/** Counts messages for the metrics: cheaply one by one, and for Prometheus only when it asks. */
export class MessageMeter {
  private readonly pending = new Map<string, Record<Counted, number>>();

  constructor(private readonly metrics: Metrics) {}

  count(transport: string, what: Counted): void {
    let counts = this.pending.get(transport);
    if (!counts) {
      counts = { received: 0, stored: 0, duplicate: 0, 'set-aside': 0 };
      this.pending.set(transport, counts);
    }
    counts[what] += 1;
  }

  /** Hands over what was counted since the last time. */
  report(): void {
    for (const [transport, counts] of this.pending) {
      for (const outcome of Object.keys(counts) as Counted[]) {
        if (counts[outcome] > 0) this.metrics.messages.inc({ transport, outcome }, counts[outcome]);
        counts[outcome] = 0;
      }
    }
  }
}
