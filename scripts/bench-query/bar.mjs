// @ts-check

const WIDTH = 30;
/** Where there is no terminal, a line now and then. */
const PLAIN_EVERY_MS = 10_000;

/**
 * Shows how far a piece of work has come: a bar on a terminal, elsewhere a line every ten seconds. To stderr.
 * @template T
 * @param {string} what
 * @param {number} total
 * @param {(advance: (done: number) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withBar(what, total, work) {
  const { stderr } = process;
  const startedAt = performance.now();
  let done = 0;
  let shownAt = -Infinity;
  const show = (/** @type {boolean} */ last) => {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const seconds = (performance.now() - startedAt) / 1_000;
    const filled = Math.round(share * WIDTH);
    const line = `${what} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${Math.round(share * 100)} %, ${seconds.toFixed(0)} s`;
    if (stderr.isTTY) stderr.write(`\r\u001b[2K${line}${last ? '\n' : ''}`);
    else if (last || performance.now() - shownAt > PLAIN_EVERY_MS) {
      shownAt = performance.now();
      stderr.write(`${line}\n`);
    }
  };
  show(false);
  const result = await work((more) => {
    done += more;
    show(false);
  });
  show(true);
  return result;
}
