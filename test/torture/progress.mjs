// @ts-check
import { LEDGER_SQL, sumLedger } from './ledger.mjs';

const LOOK_EVERY_MS = 1_000;
/** On a terminal the line is drawn anew; elsewhere now and then one is added. */
const LINE_EVERY_MS = 10_000;

/** Watches a run and tells in one line how it goes. */
export class Progress {
  largestBacklog = 0;
  peakPlatformBytes = 0;
  #scene;
  #breaker;
  #totalSeconds;
  #started = performance.now();
  #phase = 'breaking';
  #stored = 0;
  #lastLine = -Infinity;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #looking = false;

  /**
   * @param {import('./scene.mjs').Scene} scene
   * @param {import('./breaker.mjs').Breaker} breaker
   * @param {number} totalSeconds
   */
  constructor(scene, breaker, totalSeconds) {
    this.#scene = scene;
    this.#breaker = breaker;
    this.#totalSeconds = totalSeconds;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** @param {string} phase */
  set phase(phase) {
    this.#phase = phase;
    this.#lastLine = -Infinity;
  }

  stop() {
    clearInterval(this.#timer);
    if (process.stderr.isTTY) process.stderr.write('\n');
  }

  async #look() {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const { platform, database, everyReplica } = this.#scene;
      for (const replica of everyReplica) replica.measure();
      const stats = await platform.ask({ do: 'stats' });
      this.largestBacklog = Math.max(this.largestBacklog, stats.queued + stats.unsettled);
      const ledger = await database.ask(LEDGER_SQL, { timeoutMs: 800 }).then(
        ({ rows }) => sumLedger(rows),
        () => null, // away, as it often is here
      );
      this.#stored = ledger?.stored ?? this.#stored;
      this.#show(stats, ledger !== null);
    } catch {
      // the platform has ended: so has all
    } finally {
      this.#looking = false;
    }
  }

  /**
   * @param {{ published: number, accepted: number, queued: number, unsettled: number }} stats
   * @param {boolean} databaseUp
   */
  #show({ published, accepted, queued, unsettled }, databaseUp) {
    const elapsed = Math.round((performance.now() - this.#started) / 1_000);
    const up = this.#scene.everyReplica.filter(({ runs }) => runs).length;
    const faults = [...this.#breaker.current].map(({ name, replica }) =>
      replica === null ? name : `${name}/${replica + 1}`,
    );
    const line = [
      `${elapsed}/${this.#totalSeconds} s ${this.#phase}`,
      `${published} made, ${accepted} accepted, ${this.#stored} stored, ${queued + unsettled} behind`,
      `${up} up, database ${databaseUp ? 'up' : 'away'}, ${this.#breaker.tally.kills} kills`,
      faults.join(' ') || 'nothing broken',
    ].join(' | ');
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    } else if (performance.now() - this.#lastLine > LINE_EVERY_MS) {
      this.#lastLine = performance.now();
      process.stderr.write(`${line}\n`);
    }
  }
}
