import { Injectable } from '@nestjs/common';
import { Metrics } from '../telemetry/metrics.js';
import { PeriodicTask } from './periodic-task.js';
import { utcDay } from './partitions.js';
import { RollupProgress } from './rollup-progress.js';
import { Rollups, type StepDone } from './rollups.js';
import { StepSize } from './step-size.js';

const MINUTE_MS = 60_000;
/** No pause between two steps is longer. */
const PAUSE_MS = 2_000;

type Step = (atMost: number) => Promise<StepDone | null>;

/** Keeps the roll-ups up to date. Between two steps it rests as long as the last one took: ingest and questions go first. */
@Injectable()
export class RollupKeeper extends PeriodicTask {
  private readonly steps: readonly { readonly step: Step; readonly size: StepSize }[];
  private pastDays = 0;
  private resting: (() => void) | undefined;

  constructor(
    private readonly rollups: Rollups,
    private readonly progress: RollupProgress,
    private readonly metrics: Metrics,
  ) {
    super(MINUTE_MS, 'roll-ups could not be looked after, trying again soon');
    const steps: Step[] = [
      (atMost) => rollups.redo(atMost),
      (atMost) => rollups.nextDay(atMost),
      (atMost) => rollups.nextHour(atMost),
      (atMost) => this.past(atMost),
    ];
    this.steps = steps.map((step) => ({ step, size: new StepSize() }));
  }

  /** Goes on until there is nothing to do, one step of each kind after the other: the past does not keep the present waiting. */
  override async work(): Promise<void> {
    let advanced = -Infinity;
    for (let busy = true; busy && !this.stopped;) {
      if (performance.now() - advanced > MINUTE_MS) {
        advanced = performance.now();
        if (!(await this.rollups.advance()))
          this.log.warn({ msg: 'a transaction has been storing readings for long, roll-ups wait for it' });
        await this.report();
      }
      busy = false;
      for (const { step, size } of this.steps) {
        if (this.stopped) return;
        const begun = performance.now();
        if (!(await step(size.current))) continue;
        busy = true;
        const tookMs = performance.now() - begun;
        size.took(tookMs);
        await this.rest(Math.min(tookMs, PAUSE_MS));
      }
    }
    await this.report();
  }

  override async onModuleDestroy(): Promise<void> {
    const ended = super.onModuleDestroy();
    this.resting?.();
    await ended;
  }

  private async past(atMost: number): Promise<StepDone | null> {
    const done = await this.rollups.nextPast(atMost);
    if (done?.finished) this.tellOfPast(done.time);
    return done;
  }

  /** Once a month of the past, so that people see it come nearer. */
  private tellOfPast(day: number | null): void {
    if (day === null) {
      if (this.pastDays > 0) this.log.log({ msg: 'rolled up all readings of the past', days: this.pastDays });
      return;
    }
    this.pastDays += 1;
    const date = utcDay(day);
    if (date.endsWith('-01')) this.log.log({ msg: 'rolled up readings of the past', from: date, days: this.pastDays });
  }

  private async report(): Promise<void> {
    const { readyUntil, daysFrom, markedDays } = await this.progress.now();
    this.metrics.rollupLag.set((Date.now() - readyUntil) / 1000);
    this.metrics.rollupsFrom.set(daysFrom / 1000);
    this.metrics.rollupMarkedDays.set(markedDays);
  }

  private async rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.resting = resolve;
      setTimeout(resolve, ms);
    });
  }
}
