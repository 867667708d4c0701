import type { Clock } from '../clock.js';
import type { LogFields } from '../log.js';
import type { Publication } from '../platform/platform-message.js';
import { parseDuration } from './duration.js';
import { countsText, type FaultRun } from './fault-run.js';
import type { ScenarioFile, ScenarioPublication, ScenarioStep } from './scenario-file.js';
import type { Planned, Schedule } from './schedule.js';

/** What a scenario does to the simulator. */
export interface ScenarioActions {
  start(
    name: string,
    params: Readonly<Record<string, unknown>>,
    options: { forMs: number | null; clock: 'simulated' | 'world'; seed: string },
  ): FaultRun;
  end(run: FaultRun): void;
  publish(publication: Publication): void;
  /** Returns the request id; throws when there is no such device. */
  command(device: string, service: string, params: Readonly<Record<string, unknown>>): string;
  tell(id: string, what: string, details: LogFields): void;
}

/** One run of a scenario, for people. */
export interface ScenarioView {
  readonly id: string;
  readonly name: string;
  readonly seed: string;
  readonly running: boolean;
  /** Simulated times, ms since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Steps done so far, repeated ones as often as they were. */
  readonly done: number;
  /** Ids of the faults that it started. */
  readonly runs: readonly string[];
  /** What all of it did: `fault: what` and how often. */
  readonly counts: Readonly<Record<string, number>>;
}

/** How many runs a scenario names to people; it may start thousands. */
const NAMED_RUNS = 200;

/** A scenario that is being played: each step at its time, in the order of the file where times are equal. */
export class Scenario {
  private readonly plans = new Set<Planned>();
  private readonly open = new Set<FaultRun>();
  private readonly runIds: string[] = [];
  private readonly counts = new Map<string, number>();
  private readonly startedAt: number;
  private endedAt: number | null = null;
  private done = 0;

  constructor(
    readonly id: string,
    private readonly file: ScenarioFile,
    private readonly seed: string,
    private readonly schedule: Schedule,
    private readonly clock: Clock,
    private readonly actions: ScenarioActions,
  ) {
    this.startedAt = clock.now();
  }

  get running(): boolean {
    return this.endedAt === null;
  }

  start(): void {
    const { file, schedule } = this;
    this.actions.tell(this.id, 'scenario started', {
      name: file.name ?? '',
      seed: this.seed,
      steps: file.steps.length,
    });
    const from = schedule.now();
    if (file.ends !== undefined) this.plan(from + file.ends, () => this.stop());
    file.steps.forEach((step, index) => this.plan(from + step.at, () => this.play(step, index, 0, from + step.at)));
    schedule.runDue();
  }

  /** Ends everything that it started. */
  stop(): void {
    if (this.endedAt !== null) return;
    for (const plan of this.plans) plan.cancelled = true;
    this.plans.clear();
    for (const run of [...this.open]) this.actions.end(run);
    this.finish();
  }

  view(): ScenarioView {
    const { id, file, seed, startedAt, endedAt, done, runIds, counts } = this;
    return {
      id,
      name: file.name ?? id,
      seed,
      running: endedAt === null,
      startedAt,
      endedAt,
      done,
      runs: runIds,
      counts: Object.fromEntries(counts),
    };
  }

  private play(step: ScenarioStep, index: number, round: number, at: number): void {
    // Planned first, so that what a step does cannot keep the next from coming.
    const last = step.every === undefined || round + 1 === step.repeat;
    if (!last && step.every !== undefined) {
      const next = at + step.every;
      this.plan(next, () => this.play(step, index, round + 1, next));
    }
    this.done++;
    try {
      this.act(step, index, round);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.add('failed steps', 1);
      this.actions.tell(this.id, 'a step failed', { step: index + 1, reason });
    }
    this.finishWhenDone();
  }

  private act(step: ScenarioStep, index: number, round: number): void {
    if (step.publish) {
      this.actions.publish(this.publication(step.publish));
      this.add('published', 1);
    } else if (step.command) {
      const { device, service, params } = step.command;
      const requestId = this.actions.command(device, service, params);
      this.add('commands', 1);
      this.actions.tell(this.id, 'command', { device, service, requestId });
    } else if (step.fault !== undefined) {
      const run = this.actions.start(step.fault, step.with ?? {}, {
        forMs: step.for ?? null,
        clock: this.file.clock,
        seed: `${this.seed}/${index + 1}/${round + 1}`,
      });
      if (this.runIds.length < NAMED_RUNS) this.runIds.push(run.id);
      const close = (): void => {
        this.open.delete(run);
        for (const [what, times] of Object.entries(run.counts)) this.add(`${run.kind.name}: ${what}`, times);
        this.finishWhenDone();
      };
      if (run.endedAt !== null) return close();
      this.open.add(run);
      run.onEnd.push(close);
    }
  }

  private publication({ topic, body, bodyBase64, ...rest }: ScenarioPublication): Publication {
    const bytes =
      bodyBase64 === undefined
        ? withTimes(typeof body === 'string' ? body : JSON.stringify(body), this.clock.now())
        : Buffer.from(bodyBase64, 'base64');
    return { topic, body: bytes, ...rest, origin: { from: 'fault', by: this.id } };
  }

  private plan(at: number, happen: () => void): void {
    const plan = this.schedule.at(at, () => {
      this.plans.delete(plan);
      happen();
    });
    this.plans.add(plan);
  }

  private finishWhenDone(): void {
    if (this.plans.size === 0 && this.open.size === 0) this.finish();
  }

  private finish(): void {
    if (this.endedAt !== null) return;
    this.endedAt = this.clock.now();
    const lastedMs = this.endedAt - this.startedAt;
    this.actions.tell(this.id, 'scenario ended', { steps: this.done, lastedMs, did: countsText(this.counts) });
  }

  private add(what: string, times: number): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }
}

/** `{{now}}`, `{{now-5m}}` and `{{now+1h}}` as milliseconds since 1970; quotes around one go, so that JSON has a number. */
function withTimes(text: string, now: number): string {
  return text.replace(/"?\{\{now(?:([+-])([\d.]+(?:ms|s|m|h|d)))?\}\}"?/g, (whole, sign?: string, by?: string) => {
    const ms = by === undefined ? 0 : parseDuration(by);
    return ms === null ? whole : String(now + (sign === '-' ? -ms : ms));
  });
}
