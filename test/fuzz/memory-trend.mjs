// @ts-check

/** @typedef {{ seconds: number, bytes: number }} Weight */

const MIB = 1024 * 1024;
/** Growth that is no noise: so much in the second half of a run, and steadily. */
const [GROWTH_LIMIT_BYTES, STEADY] = [24 * MIB, 0.8];

/**
 * Whether what the code holds after a collection of garbage grew over the second half of a run, where nothing is new any more.
 * @param {readonly Weight[]} weights
 */
export function memoryTrend(weights) {
  const half = weights.slice(weights.length >> 1);
  const count = half.length;
  if (count < 6) return { mibPerMinute: 0, growthMib: 0, grows: false };
  const meanX = half.reduce((sum, { seconds }) => sum + seconds, 0) / count;
  const meanY = half.reduce((sum, { bytes }) => sum + bytes, 0) / count;
  let [xx, xy, yy] = [0, 0, 0];
  for (const { seconds, bytes } of half) {
    xx += (seconds - meanX) ** 2;
    xy += (seconds - meanX) * (bytes - meanY);
    yy += (bytes - meanY) ** 2;
  }
  const slope = xx === 0 ? 0 : xy / xx;
  const seconds = (half.at(-1)?.seconds ?? 0) - (half[0]?.seconds ?? 0);
  const steadiness = xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
  return {
    mibPerMinute: (slope * 60) / MIB,
    growthMib: (slope * seconds) / MIB,
    grows: slope * seconds > GROWTH_LIMIT_BYTES && steadiness > STEADY,
  };
}
