import type { LogFields } from '../log.js';
import type { ActiveFault, FaultKind } from './fault.js';
import type { Planned } from './schedule.js';

/** What happened to a fault, for people who look back. */
export interface FaultLogEntry {
  /** The simulated time, ms since 1970. */
  readonly at: number;
  readonly run: string;
  readonly what: string;
  readonly details: LogFields;
}

/** One start of a fault, for people. */
export interface FaultRunView {
  readonly id: string;
  readonly fault: string;
  /** As they were given; what is missing had its default. */
  readonly params: Readonly<Record<string, unknown>>;
  /** With the same seed and the same messages it does the same again. */
  readonly seed: string;
  readonly running: boolean;
  /** Simulated times, ms since 1970. */
  readonly startedAt: number;
  readonly endsAt: number | null;
  readonly endedAt: number | null;
  /** What it did so far, and how often. */
  readonly counts: Readonly<Record<string, number>>;
}

/** How many times a fault does something before only every tenfold is told. */
const TOLD_IN_DETAIL = 3;

/** One start of a fault: what is running, what it did, how it ended. */
export class FaultRun {
  active: ActiveFault = {};
  endedAt: number | null = null;
  endsAt: number | null = null;
  /** What it will do later; forgotten when it ends. */
  readonly plans = new Set<Planned>();
  readonly onEnd: (() => void)[] = [];
  private readonly counted = new Map<string, number>();

  constructor(
    readonly id: string,
    readonly kind: FaultKind,
    readonly params: Readonly<Record<string, unknown>>,
    readonly seed: string,
    readonly startedAt: number,
    private readonly tell: (run: string, what: string, details: LogFields) => void,
  ) {}

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counted);
  }

  did(what: string, times: number, details: () => LogFields): void {
    const before = this.counted.get(what) ?? 0;
    const after = before + times;
    this.counted.set(what, after);
    const tenfold = after > 0 && Math.floor(Math.log10(after)) > Math.floor(Math.log10(Math.max(before, 1)));
    if (before < TOLD_IN_DETAIL || tenfold) this.tell(this.id, what, { count: after, ...details() });
  }

  view(): FaultRunView {
    const { id, kind, params, seed, startedAt, endsAt, endedAt, counts } = this;
    return { id, fault: kind.name, params, seed, running: endedAt === null, startedAt, endsAt, endedAt, counts };
  }
}

/** `repeated 20, dropped 3`, or `nothing`. */
export function countsText(counts: Iterable<readonly [string, number]>): string {
  return [...counts].map(([what, times]) => `${what} ${times}`).join(', ') || 'nothing';
}
