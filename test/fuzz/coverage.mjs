// @ts-check
import { COUNTERS } from './instrument.mjs';

/**
 * The counters of one file, as istanbul makes them.
 * @typedef {object} FileCounters
 * @property {Record<string, number>} s statements
 * @property {Record<string, number>} f functions
 * @property {Record<string, number[]>} b arms of branches
 * @property {Record<string, { start: Position }>} statementMap
 * @property {Record<string, { name: string, loc: { start: Position } }>} fnMap
 * @property {Record<string, { type: string, locations: { start: Partial<Position> }[], loc: { start: Position } }>} branchMap
 * @typedef {{ line: number, column: number }} Position
 */

/**
 * Where a block of code is that was never reached.
 * @typedef {{ file: string, what: string, line: number, column: number }} Unreached
 */

/**
 * Which blocks (statements, functions, arms of branches) the inputs reached, and how often in one input: each power of four is
 * another thing, so that a loop that goes round more often can lead further.
 */
export class Coverage {
  constructor() {
    /** @type {Record<string, FileCounters>} */
    const files = Reflect.get(globalThis, COUNTERS) ?? {};
    this.files = files;
    /** @type {Record<string, number>[]} lists of counters, one behind the other */
    this.lists = Object.values(files).flatMap(({ s, f, b }) =>
      [s, f, ...Object.values(b)].map((list) => /** @type {any} */ (list)),
    );
    this.sizes = this.lists.map((list) => Object.keys(list).length);
    this.total = this.sizes.reduce((sum, size) => sum + size, 0);
    /** For each counter, one bit for each magnitude that it had. */
    this.seen = new Uint8Array(this.total);
    this.reached = 0;
    this.features = 0;
    this.take(); // what loading the modules reached
  }

  /**
   * Takes the counts of the last input and sets them back.
   * @returns {{ blocks: number, features: number }} how many were never seen before
   */
  take() {
    let index = 0;
    let blocks = 0;
    let features = 0;
    for (let each = 0; each < this.lists.length; each++) {
      const list = /** @type {Record<number, number>} */ (this.lists[each]);
      const size = this.sizes[each] ?? 0;
      for (let i = 0; i < size; i++, index++) {
        const count = list[i] ?? 0;
        if (count === 0) continue;
        list[i] = 0;
        const bit = 1 << Math.min(7, (31 - Math.clz32(count)) >> 1);
        const before = this.seen[index] ?? 0;
        if ((before & bit) !== 0) continue;
        if (before === 0) blocks++;
        features++;
        this.seen[index] = before | bit;
      }
    }
    this.reached += blocks;
    this.features += features;
    return { blocks, features };
  }

  /** @returns {{ files: Record<string, { reached: number, total: number }>, unreached: Unreached[] }} */
  summary() {
    /** @type {Record<string, { reached: number, total: number }>} */
    const files = {};
    /** @type {Unreached[]} */
    const unreached = [];
    let index = 0;
    for (const [file, { s, f, b, statementMap, fnMap, branchMap }] of Object.entries(this.files)) {
      const sum = { reached: 0, total: 0 };
      files[file] = sum;
      /** @param {string} what @param {Partial<Position> | undefined} place */
      const look = (what, place) => {
        sum.total++;
        if ((this.seen[index++] ?? 0) !== 0) sum.reached++;
        else unreached.push({ file, what, line: place?.line ?? 1, column: place?.column ?? 0 });
      };
      for (const id of Object.keys(s)) look('statement', statementMap[id]?.start);
      for (const id of Object.keys(f)) look(`function ${fnMap[id]?.name ?? ''}`, fnMap[id]?.loc.start);
      for (const [id, arms] of Object.entries(b)) {
        const branch = branchMap[id];
        arms.forEach((_, arm) => {
          const at = branch?.locations[arm]?.start;
          look(`${branch?.type ?? 'branch'}, arm ${arm + 1}`, at?.line === undefined ? branch?.loc.start : at);
        });
      }
    }
    return { files, unreached };
  }
}
