// @ts-check
import { originOf } from './instrument.mjs';

/**
 * @typedef {import('./coverage.mjs').Coverage} Coverage
 * @typedef {object} Result
 * @property {number} seed
 * @property {number} seconds
 * @property {number} inputs
 * @property {number} perSecond
 * @property {number} corpus
 * @property {number} reached
 * @property {number} total
 * @property {number} features
 * @property {number} quietSeconds since the last new block
 * @property {number} slowestMs
 * @property {number} writtenToDatabase
 * @property {{ firstMib: number, lastMib: number, mibPerMinute: number, growthMib: number, grows: boolean }} heap
 * @property {{ file: string, rule: string, detail: string }[]} findings
 * @property {Record<string, { reached: number, total: number }>} files
 * @property {string[]} unreached
 */

/**
 * Places never reached, in the sources' lines: each once, with what it is.
 * @param {string} dist
 * @param {ReturnType<Coverage['summary']>['unreached']} unreached
 */
export function unreachedPlaces(dist, unreached) {
  /** @type {Map<string, (line: number, column: number) => string>} */
  const origins = new Map();
  const places = unreached.map(({ file, what, line, column }) => {
    const origin = origins.get(file) ?? originOf(dist, file);
    origins.set(file, origin);
    return `${origin(line, column)} (${what})`;
  });
  return [...new Set(places)].sort();
}

/** @param {Result} result */
export function report(result) {
  const { heap, findings } = result;
  const incomplete = Object.entries(result.files).filter(([, { reached, total }]) => reached < total);
  return [
    `${count(result.inputs)} inputs in ${duration(result.seconds)} (${count(result.perSecond)}/s), seed ${result.seed}`,
    `${result.reached} of ${result.total} blocks reached, ${result.features} with their counts; none new for ${duration(result.quietSeconds)}`,
    `${count(result.corpus)} inputs kept; the slowest took ${result.slowestMs.toFixed(0)} ms in all its ways`,
    `${count(result.writtenToDatabase)} messages written to PostgreSQL, as decoded and as set aside`,
    `heap ${heap.firstMib.toFixed(1)} to ${heap.lastMib.toFixed(1)} MiB, ${heap.mibPerMinute.toFixed(2)} MiB a minute in the second half`,
    '',
    ...(incomplete.length === 0 ? [] : ['Not reached:', ...result.unreached.map((place) => `  ${place}`), '']),
    findings.length === 0 && !heap.grows
      ? 'No findings.'
      : `${findings.length} findings${heap.grows ? ', and memory grows' : ''}:`,
    ...findings.map(({ file, rule }) => `  ${rule}: ${file}`),
  ].join('\n');
}

/** @param {number} seconds */
export function duration(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** @param {number} number */
export function count(number) {
  return Math.round(number).toLocaleString('en');
}
