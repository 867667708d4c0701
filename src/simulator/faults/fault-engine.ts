import type { Clock } from '../clock.js';
import type { Log, LogFields } from '../log.js';
import type { Publication } from '../platform/platform-message.js';
import { Random } from '../random.js';
import { FAULT_KINDS, faultKind } from './catalogue.js';
import type { FaultContext, FaultCourse } from './fault.js';
import { countsText, FaultRun, type FaultLogEntry, type FaultRunView } from './fault-run.js';
import type { FaultTarget } from './fault-target.js';
import { Scenario, type ScenarioActions, type ScenarioView } from './scenario.js';
import { parseScenario, type ScenarioFile } from './scenario-file.js';
import { Schedule } from './schedule.js';

/** A fault or its parameters are not as they can be, or it cannot be done. The message names the parameter. */
export class BadFault extends Error {
  override readonly name = 'BadFault';
}

/** A kind of fault, for people: what `start` takes. */
export interface FaultDescription {
  readonly name: string;
  readonly meaning: string;
  readonly course: FaultCourse;
  readonly parameters: readonly {
    readonly name: string;
    readonly form: string;
    readonly default: string | number | readonly string[];
    readonly meaning: string;
  }[];
}

export interface FaultEngineOptions {
  readonly seed: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly target: FaultTarget;
  /** Straight to the platform; returns the message's id. */
  readonly publish: (publication: Publication) => string;
  /** The next message id. */
  readonly nextId: () => string;
  /** Keys of all tenants. */
  readonly tenants: () => readonly string[];
  /** Sends a command to a device (`productKey:deviceName`) and returns its request id; for scenarios. */
  readonly command: ScenarioActions['command'];
}

/** How a fault is started beside its parameters. */
export interface StartOptions {
  /** End it after so many milliseconds. */
  readonly forMs?: number | null;
  /** Of which clock these milliseconds are. */
  readonly clock?: 'simulated' | 'world';
  /** In place of the simulator's seed and the number of the start. */
  readonly seed?: string;
}

/** Faults that run at once, and scenarios: each message goes through all, one within the other. */
const MOST_RUNNING = 100;
/** How many ended runs, and log entries, are remembered. */
const REMEMBERED_RUNS = 200;
const REMEMBERED_ENTRIES = 1_000;

/**
 * Faults that are running, several at once. Those that meddle with messages stand one behind the other, in the order of the
 * catalogue, between whoever publishes and the platform; the others act on the platform's doors and tenants. A run is seeded by
 * the simulator's seed, the fault's name and how often it was started, and logged from its start to its end.
 */
export class FaultEngine {
  private readonly simulated: Schedule;
  private readonly world: Schedule;
  /** Running faults that meet messages, in the order in which they do. */
  private stages: FaultRun[] = [];
  private readonly runs = new Map<string, FaultRun>();
  private readonly scenarios = new Map<string, Scenario>();
  private readonly entries: FaultLogEntry[] = [];
  private readonly started = new Map<string, number>();
  private closed = false;
  /** How many faults want sign-ins to be refused. */
  private refusing = 0;

  constructor(private readonly options: FaultEngineOptions) {
    const { clock } = options;
    this.simulated = new Schedule(
      () => clock.now(),
      (ms) => clock.realMs(ms),
    );
    this.world = new Schedule(
      () => performance.now(),
      (ms) => ms,
    );
  }

  /** Every fault with its parameters. */
  catalogue(): readonly FaultDescription[] {
    return FAULT_KINDS.map(({ name, meaning, course, parameters }) => ({
      name,
      meaning,
      course,
      parameters: Object.entries(parameters).map(([parameter, { form, fallback, meaning: what }]) => ({
        name: parameter,
        form,
        default: fallback,
        meaning: what,
      })),
    }));
  }

  /** Starts a fault. Throws `BadFault`. */
  start(name: string, params: Readonly<Record<string, unknown>> = {}, options: StartOptions = {}): FaultRunView {
    return this.begin(name, params, options).view();
  }

  /** Ends a run of a fault, or of a scenario with all that it started; false when there is none of this id. */
  stop(id: string): boolean {
    const scenario = this.scenarios.get(id);
    if (scenario) scenario.stop();
    const run = this.runs.get(id);
    if (run) this.end(run, 'stopped');
    return scenario !== undefined || run !== undefined;
  }

  /** Runs, the latest first: those that are going on and the last that ended. */
  list(): readonly FaultRunView[] {
    return [...this.runs.values()].reverse().map((run) => run.view());
  }

  /** Scenarios, the latest first. */
  listScenarios(): readonly ScenarioView[] {
    return [...this.scenarios.values()].reverse().map((scenario) => scenario.view());
  }

  /** The last things that were logged, the latest last. */
  log(limit = 100): readonly FaultLogEntry[] {
    return this.entries.slice(-Math.max(1, limit));
  }

  /** Runs a scenario of this YAML text; `file` is named in errors. Throws `BadDescription` and `BadFault`. */
  runScenario(text: string, file = 'scenario'): ScenarioView {
    return this.play(parseScenario(file, text));
  }

  /** Runs a scenario that was read before. Throws `BadFault` when too many are running. */
  play(file: ScenarioFile): ScenarioView {
    const playing = [...this.scenarios.values()].filter(({ running }) => running).length;
    if (playing >= MOST_RUNNING) throw new BadFault(`${MOST_RUNNING} scenarios are running; end some of them first`);
    const number = this.count('scenario');
    const { clock } = this.options;
    const schedule = file.clock === 'world' ? this.world : this.simulated;
    const scenario = new Scenario(`scenario-${number}`, file, file.seed ?? this.options.seed, schedule, clock, {
      start: (name, params, options) => this.begin(name, params, options),
      end: (run) => this.end(run, 'ended'),
      publish: (publication) => this.pass(publication),
      command: this.options.command,
      tell: (id, what, details) => this.tell(id, what, details),
    });
    this.scenarios.set(scenario.id, scenario);
    trim(this.scenarios, ({ running }) => !running);
    scenario.start();
    return scenario.view();
  }

  /**
   * Takes a message from whoever publishes it. Returns its id, also when a fault holds it back for now; empty for a message
   * without any while faults are running.
   */
  pass(publication: Publication): string {
    this.advance();
    if (this.stages.length === 0) return this.options.publish(publication);
    const { messageId, generateTime } = publication;
    const stamped: Publication = {
      ...publication,
      messageId: messageId === undefined ? this.options.nextId() : messageId,
      // What is held back is old when it arrives.
      generateTime: generateTime === undefined ? this.options.clock.now() : generateTime,
    };
    this.hand(stamped, 0);
    return stamped.messageId ?? '';
  }

  /** Does what is due by now. Timers do the same; whoever moves the clock by hand calls it. */
  advance(): void {
    this.simulated.runDue();
    this.world.runDue();
  }

  /** Ends everything. What faults hold back is published; what they changed is put back. */
  close(): void {
    if (this.closed) return;
    for (const scenario of this.scenarios.values()) scenario.stop();
    for (const run of this.runs.values()) this.end(run, 'stopped');
    this.closed = true;
    this.simulated.close();
    this.world.close();
  }

  private begin(name: string, given: Readonly<Record<string, unknown>>, options: StartOptions): FaultRun {
    const kind = faultKind(name);
    if (typeof kind === 'string') throw new BadFault(kind);
    const checked = kind.schema.safeParse(given);
    if (!checked.success) throw new BadFault(`${name}: ${describeIssues(checked.error.issues)}`);
    const running = [...this.runs.values()].filter(({ endedAt }) => endedAt === null).length;
    if (running >= MOST_RUNNING) throw new BadFault(`${MOST_RUNNING} faults are running; end some of them first`);
    const number = this.count(name);
    const seed = options.seed ?? `${this.options.seed}/${name}/${number}`;
    const id = `${name}-${number}`;
    const now = this.options.clock.now();
    const run = new FaultRun(id, kind, given, seed, now, (...told) => this.tell(...told));
    this.runs.set(id, run);
    this.tell(id, 'started', { fault: name, seed, params: JSON.stringify(given) });
    try {
      run.active = kind.begin(checked.data, this.context(run));
    } catch (error) {
      this.runs.delete(id);
      throw new BadFault(`${name} cannot be done: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    if (run.active.pass) {
      const place = (each: FaultRun): number => FAULT_KINDS.indexOf(each.kind);
      this.stages = [...this.stages, run].sort((a, b) => place(a) - place(b)); // stable: the earlier start comes first
    }
    if (kind.course === 'once') this.end(run, 'ended');
    else if (options.forMs) this.endAfter(run, options.forMs, options.clock ?? 'simulated');
    trim(this.runs, ({ endedAt }) => endedAt !== null);
    return run;
  }

  private endAfter(run: FaultRun, forMs: number, clock: 'simulated' | 'world'): void {
    const schedule = clock === 'world' ? this.world : this.simulated;
    run.plans.add(schedule.at(schedule.now() + forMs, () => this.end(run, 'ended')));
    run.endsAt = this.options.clock.now() + (clock === 'world' ? forMs * this.options.clock.scale : forMs);
  }

  private end(run: FaultRun, what: 'ended' | 'stopped'): void {
    if (run.endedAt !== null) return;
    run.endedAt = this.options.clock.now();
    for (const plan of run.plans) plan.cancelled = true;
    run.plans.clear();
    try {
      run.active.end?.();
    } catch (error) {
      // Such as the platform that can no longer keep what was held back: no reason to leave the other faults running.
      const reason = error instanceof Error ? error.message : String(error);
      this.tell(run.id, 'not ended in order', { reason });
    }
    // Only now: what it held goes through the faults behind it.
    this.stages = this.stages.filter((each) => each !== run);
    run.active = {};
    this.tell(run.id, what, { did: countsText(Object.entries(run.counts)) });
    for (const happen of run.onEnd) happen();
  }

  private context(run: FaultRun): FaultContext {
    const { clock, target, tenants, publish } = this.options;
    const made = (publication: Publication): Publication => ({
      ...publication,
      origin: { from: 'fault', by: run.id },
    });
    return {
      id: run.id,
      random: new Random(run.seed),
      chanceOf: (name) => new Random(`${run.seed}/${name}`),
      target,
      refuseLogins: (refuse) => {
        this.refusing += refuse ? 1 : -1;
        target.refuseLogins(this.refusing > 0);
      },
      tenants,
      now: () => clock.now(),
      after: (ms, happen) => {
        const plan = this.simulated.at(clock.now() + ms, () => {
          run.plans.delete(plan);
          happen();
        });
        run.plans.add(plan);
      },
      passOn: (publication) => this.hand(publication, this.stages.indexOf(run) + 1),
      add: (publication) => this.hand(made(publication), this.stages.indexOf(run) + 1),
      publish: (publication) => void publish(made(publication)),
      did: (what, times = 1, details = () => ({})) => run.did(what, times, details),
      tell: (what, details) => this.tell(run.id, what, details),
      over: () => this.end(run, 'ended'),
    };
  }

  private hand(publication: Publication, stage: number): void {
    const run = this.stages[stage];
    if (run?.active.pass) run.active.pass(publication);
    else this.options.publish(publication);
  }

  private count(name: string): number {
    const number = (this.started.get(name) ?? 0) + 1;
    this.started.set(name, number);
    return number;
  }

  private tell(run: string, what: string, details: LogFields): void {
    this.entries.push({ at: this.options.clock.now(), run, what, details });
    if (this.entries.length > 2 * REMEMBERED_ENTRIES) this.entries.splice(0, REMEMBERED_ENTRIES);
    this.options.log.info('fault', { run, what, ...details });
  }
}

function describeIssues(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');
}

/** Forgets the oldest that are over. */
function trim<T>(all: Map<string, T>, isOver: (item: T) => boolean): void {
  if (all.size <= REMEMBERED_RUNS) return;
  for (const [id, item] of all) {
    if (isOver(item)) {
      all.delete(id);
      return;
    }
  }
}
