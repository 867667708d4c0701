// @ts-check

/** A seeded source of chance (mulberry32): the same seed makes the same inputs. */
export class Chance {
  /** @param {number} seed */
  constructor(seed) {
    this.state = Math.imul(seed, 0x9e3779b1) | 0;
  }

  /** Uniform in [0, 1). */
  next() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /**
   * A whole number from 0 to below `end`.
   * @param {number} end
   */
  below(end) {
    return Math.floor(this.next() * end);
  }

  /** @param {number} probability */
  happens(probability) {
    return this.next() < probability;
  }

  /**
   * @template T
   * @param {readonly T[]} items
   * @returns {T}
   */
  pick(items) {
    return /** @type {T} */ (items[this.below(items.length)]);
  }

  /**
   * @template T
   * @param {readonly T[]} items
   * @returns {T[]}
   */
  shuffled(items) {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [result[i], result[j]] = [/** @type {T} */ (result[j]), /** @type {T} */ (result[i])];
    }
    return result;
  }

  /**
   * Mostly small, now and then up to `limit`.
   * @param {number} limit
   */
  size(limit) {
    return Math.floor(limit ** this.next());
  }
}
