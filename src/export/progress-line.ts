const TERMINAL_TICK_MS = 200;
const PLAIN_TICK_MS = 10_000;
const CLEAR_LINE = '\r\u001b[2K';

/** Where progress is shown. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Rows, bytes and pace: one line that changes on a terminal, a new one now and then elsewhere. */
export class ProgressLine {
  private rows = 0;
  private bytes = 0;
  private rowsBefore = 0;
  private reason: string | null = null;
  private readonly since: number;
  private shownAt: number;

  /** @param now milliseconds, of any clock that only goes on. */
  constructor(
    private readonly screen: Screen,
    private readonly quiet: boolean,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.since = now();
    this.shownAt = this.since;
  }

  /** Some rows are there from before. */
  goOn(rows: number): void {
    this.rowsBefore = rows;
    if (rows > 0 && !this.quiet) this.screen.write(`Going on behind ${number(rows)} rows\n`);
  }

  add(rows: number, bytes: number): void {
    this.rows += rows;
    this.bytes += bytes;
    const tick = this.screen.isTTY ? TERMINAL_TICK_MS : PLAIN_TICK_MS;
    if (this.now() - this.shownAt >= tick) this.show();
  }

  /** Says why nothing comes; null when it goes on. */
  waiting(why: string | null): void {
    if (why === this.reason) return;
    this.reason = why;
    if (why !== null) this.show(` – ${why}: trying again`);
  }

  end(out: string | undefined): void {
    this.show(`${out === undefined ? '' : ` in ${out}`}: complete`);
    if (this.screen.isTTY && !this.quiet) this.screen.write('\n');
  }

  private show(more = ''): void {
    this.shownAt = this.now();
    if (this.quiet) return;
    const pace = this.rows / Math.max((this.shownAt - this.since) / 1000, 0.001);
    const line = `${number(this.rowsBefore + this.rows)} rows, ${size(this.bytes)}, ${number(pace)} rows/s${more}`;
    this.screen.write(this.screen.isTTY ? CLEAR_LINE + line : `${line}\n`);
  }
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
