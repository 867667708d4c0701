// @ts-check

/**
 * @typedef {object} Latency in milliseconds
 * @property {number} count
 * @property {number} p50
 * @property {number} p99
 * @property {number | null} max null where only a histogram is known
 */

/** Collects durations and says their percentiles, exactly. */
export class Durations {
  /** @type {number[]} */
  #values = [];

  /** @param {number} ms */
  add(ms) {
    this.#values.push(ms);
  }

  clear() {
    this.#values = [];
  }

  /** @returns {Latency | null} null when there is none */
  summary() {
    const sorted = Float64Array.from(this.#values).sort();
    if (sorted.length === 0) return null;
    const at = (/** @type {number} */ share) =>
      sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}

/**
 * Percentiles between two readings of a Prometheus histogram, by linear interpolation inside a bucket, as Prometheus does.
 * @param {ReadonlyMap<number, number>} before counts up to and including each bound, in seconds
 * @param {ReadonlyMap<number, number>} after
 * @returns {Latency | null}
 */
export function histogramLatency(before, after) {
  const buckets = [...after].map(([bound, count]) => ({ bound, count: count - (before.get(bound) ?? 0) }));
  buckets.sort((a, b) => a.bound - b.bound);
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return null;
  const at = (/** @type {number} */ share) => {
    const rank = total * share;
    let low = { bound: 0, count: 0 };
    for (const bucket of buckets) {
      if (bucket.count >= rank) {
        if (bucket.bound === Infinity) return low.bound * 1_000;
        const inside = (rank - low.count) / (bucket.count - low.count);
        return (low.bound + (bucket.bound - low.bound) * inside) * 1_000;
      }
      low = bucket;
    }
    return low.bound * 1_000;
  };
  return { count: total, p50: at(0.5), p99: at(0.99), max: null };
}

/**
 * The cumulative counts of a histogram on a metrics page, summed over its labels.
 * @param {string} page
 * @param {string} name
 * @returns {Map<number, number>}
 */
export function readHistogram(page, name) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const line of page.split('\n')) {
    if (!line.startsWith(`${name}_bucket{`)) continue;
    const [, le = ''] = /le="([^"]+)"/.exec(line) ?? [];
    const bound = le === '+Inf' ? Infinity : Number(le);
    counts.set(bound, (counts.get(bound) ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1)));
  }
  return counts;
}
