// @ts-check
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { say } from '../setup/progress.mjs';
import { lastLines } from '../setup/run-tool.mjs';

/** @typedef {{ code: number | null, signal: string | null }} Ending */

/**
 * Something that runs beside us.
 * @typedef {object} Part
 * @property {string} name as people know it: "the service"
 * @property {string} [logFile]
 * @property {Promise<Ending>} exited
 * @property {(timeoutMs: number) => Promise<void>} stop cleanly; at once when the time is over
 * @property {() => void} kill at once
 * @property {() => string} lastWords the last lines it said
 */

/**
 * Why it is over.
 * @typedef {{ kind: 'interrupted' } | { kind: 'crashed', part: Part, ending: Ending } | { kind: 'failed', error: unknown }} Outcome
 */

/** From the first Ctrl-C to the end of everything; people were promised five seconds. */
const STOP_BUDGET_MS = 4_500;
/** What a part that is still to be stopped needs at least. */
const RESERVE_MS = 900;
/** npm hands on the Ctrl-C that the terminal has already given us: two signals so close together are one. */
const SAME_SIGNAL_MS = 400;
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Keeps parts together: they start in turn, stop in the opposite order when we are interrupted, and none outlives the
 * crash of another.
 */
export class Supervisor {
  /** @type {Part[]} */
  #parts = [];
  #ended = new AbortController();
  /** @type {(outcome: Outcome) => void} */
  #end = () => {};

  /** Aborted as soon as everything is to stop: for whatever is waited for meanwhile. */
  get signal() {
    return this.#ended.signal;
  }

  /**
   * Starts the parts and waits until it is over.
   * @param {() => Promise<void>} start adds the parts; if it fails, what it has added is stopped
   * @returns {Promise<number>} exit code: 0 after an interruption, since Ctrl-C is how this is meant to end (and npm
   *   prints an error report about anything else); 1 after a crash
   */
  async run(start) {
    /** @type {Promise<Outcome>} */
    const over = new Promise((resolve) => {
      this.#end = (outcome) => {
        if (this.#ended.signal.aborted) return;
        this.#ended.abort();
        resolve(outcome);
      };
    });
    const onSignal = this.#signalHandler();
    for (const signal of SIGNALS) process.on(signal, onSignal);
    try {
      start().catch((error) => this.#end({ kind: 'failed', error }));
      const outcome = await over;
      this.#explain(outcome);
      await this.#stopAll();
      if (outcome.kind === 'failed') throw outcome.error;
      if (outcome.kind === 'interrupted') say('Stopped.');
      return outcome.kind === 'interrupted' ? 0 : 1;
    } finally {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    }
  }

  /**
   * From now on this part belongs to us: its end is the end of all.
   * @param {Part} part
   */
  add(part) {
    if (this.#ended.signal.aborted) {
      part.kill(); // it came too late
      return;
    }
    this.#parts.push(part);
    void part.exited.then((ending) => this.#end({ kind: 'crashed', part, ending }));
  }

  /**
   * @param {import('../postgres/embedded-postgres.mjs').EmbeddedPostgres} postgres
   * @param {string} logFile
   */
  addPostgres(postgres, logFile) {
    this.add({
      name: 'the embedded PostgreSQL',
      logFile,
      exited: postgres.exited,
      stop: (timeoutMs) => postgres.stop(timeoutMs),
      kill: () => void postgres.stop(0),
      lastWords: () => (postgres.started ? lastLines(readFileSync(logFile, 'utf8'), 5) : ''),
    });
  }

  #signalHandler() {
    let firstAt = 0;
    return () => {
      const now = performance.now();
      if (firstAt === 0) {
        firstAt = now;
        this.#end({ kind: 'interrupted' });
      } else if (now - firstAt > SAME_SIGNAL_MS) {
        for (const part of this.#parts) part.kill();
        process.exit(128 + os.constants.signals.SIGINT);
      }
    };
  }

  /** @param {Outcome} outcome */
  #explain(outcome) {
    if (outcome.kind === 'interrupted') say('\nStopping …');
    if (outcome.kind !== 'crashed') return;
    const { part, ending } = outcome;
    const how = ending.signal !== null ? `killed by ${ending.signal}` : `exit code ${ending.code ?? 'unknown'}`;
    const words = part.lastWords();
    const rest = this.#parts.length > 1 ? ' Stopping the rest.' : '';
    say(`\nStopped: ${part.name} ended unexpectedly (${how}).${rest}`);
    if (words !== '') say(words);
    if (part.logFile !== undefined) say(`Its whole log: ${part.logFile}`);
  }

  async #stopAll() {
    const deadline = performance.now() + STOP_BUDGET_MS;
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      const reserved = this.#parts.length * RESERVE_MS;
      // On the list again while it stops, so that a second Ctrl-C reaches it.
      this.#parts.push(part);
      await part.stop(Math.max(300, deadline - performance.now() - reserved));
      this.#parts.pop();
    }
  }
}
