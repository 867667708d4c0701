// @ts-check
import { createHash } from 'node:crypto';

/** Chance that can be repeated: the same seed gives the same numbers, on every machine. */
export class SeededRandom {
  #state;

  /** @param {string} seed */
  constructor(seed) {
    this.#state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  }

  /** From 0 up to, but not including, 1 (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** @param {number} least @param {number} most */
  between(least, most) {
    return least + this.next() * (most - least);
  }

  /** @param {number} least @param {number} most both may come */
  whole(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** @param {number} part 0 to 1 */
  chance(part) {
    return this.next() < part;
  }

  /**
   * @template T
   * @param {readonly T[]} list not empty
   * @returns {T}
   */
  pick(list) {
    return /** @type {T} */ (list[this.whole(0, list.length - 1)]);
  }

  /**
   * One of them, more often the more it weighs.
   * @template {{ readonly weight: number }} T
   * @param {readonly T[]} list not empty
   * @returns {T}
   */
  weighted(list) {
    let left = this.next() * list.reduce((sum, { weight }) => sum + weight, 0);
    for (const each of list) {
      left -= each.weight;
      if (left < 0) return each;
    }
    return /** @type {T} */ (list.at(-1));
  }

  /**
   * @template T
   * @param {readonly T[]} list
   * @returns {T[]}
   */
  shuffled(list) {
    const shuffled = [...list];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.whole(0, last);
      [shuffled[last], shuffled[other]] = [/** @type {T} */ (shuffled[other]), /** @type {T} */ (shuffled[last])];
    }
    return shuffled;
  }
}
