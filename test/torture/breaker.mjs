// @ts-check
import { messageOf } from '../../scripts/plain-error.mjs';
import { FAULTS } from './catalogue.mjs';
import { actionOf } from './faults/actions.mjs';
import { pause } from './waiting.mjs';

/** @typedef {import('./plan.mjs').PlannedFault} PlannedFault */

/** What ends a fault has to succeed, or nothing that comes after it means anything. */
const END_TRIES = 40;
const END_PAUSE_MS = 500;

/** Carries a plan out. */
export class Breaker {
  tally = { kills: 0 };
  /** What is broken just now. @type {Set<PlannedFault>} */
  current = new Set();
  /** How often and for how many seconds each fault was on. @type {Map<string, { count: number, seconds: number }>} */
  done = new Map();
  /** What could not be done as planned. @type {string[]} */
  notes = [];
  #scene;
  #plan;
  #seed;

  /**
   * @param {import('./scene.mjs').Scene} scene
   * @param {readonly PlannedFault[]} plan
   * @param {string} seed
   */
  constructor(scene, plan, seed) {
    this.#scene = scene;
    this.#plan = plan;
    this.#seed = seed;
  }

  /**
   * Until the last fault has ended.
   * @param {number} seconds
   * @param {AbortSignal} signal
   */
  async run(seconds, signal) {
    const started = performance.now();
    const until = (/** @type {number} */ at) => pause(Math.max(0, started + at * 1_000 - performance.now()), signal);
    const running = this.#plan.map(async (planned, number) => {
      await until(planned.at);
      await this.#carryOut(planned, `${this.#seed}/${number}`, signal);
    });
    await Promise.all([...running, until(seconds)]);
  }

  /**
   * @param {PlannedFault} planned
   * @param {string} seed
   * @param {AbortSignal} signal
   */
  async #carryOut(planned, seed, signal) {
    const { name, lasting, replica, parameters } = planned;
    this.current.add(planned);
    const began = performance.now();
    /** @type {Promise<void>[]} */
    const between = [];
    try {
      const end = await actionOf(
        name,
        seed,
      )({
        scene: this.#scene,
        replica: () => this.#scene.replica(replica),
        parameters,
        tally: this.tally,
        excused: () => this.#othersBreak(planned),
        after: (part, happen) => {
          between.push(pause(part * lasting * 1_000, signal).then(happen));
        },
      });
      // From where it was broken on, however long that took.
      await pause(lasting * 1_000, signal);
      await Promise.all(between);
      await this.#end(end, signal);
      const { count, seconds } = this.done.get(name) ?? { count: 0, seconds: 0 };
      this.done.set(name, { count: count + 1, seconds: seconds + (performance.now() - began) / 1_000 });
    } catch (error) {
      signal.throwIfAborted();
      this.notes.push(`${name} at ${planned.at} s could not be done: ${messageOf(error)}`);
    } finally {
      this.current.delete(planned);
    }
  }

  /**
   * Whether something else breaks the database, or a wire of this one's replica.
   * @param {PlannedFault} planned
   */
  #othersBreak(planned) {
    return [...this.current].some(({ name, replica }) => {
      const takes = name === planned.name ? [] : (FAULTS.find((fault) => fault.name === name)?.takes ?? []);
      return takes.some(
        (thing) => thing === 'database' || ((thing === 'amqp' || thing === 'postgres') && replica === planned.replica),
      );
    });
  }

  /** @param {() => Promise<void>} end @param {AbortSignal} signal */
  async #end(end, signal) {
    for (let tries = 1; ; tries++) {
      try {
        return await end();
      } catch (error) {
        if (tries >= END_TRIES) throw error;
        await pause(END_PAUSE_MS, signal);
      }
    }
  }
}
