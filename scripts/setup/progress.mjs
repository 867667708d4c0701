// @ts-check

const TERMINAL_TICK_MS = 250;
const PLAIN_TICK_MS = 10_000;

/**
 * Shows that something is being worked on and for how long: a counting line on a terminal, a line every ten seconds
 * elsewhere. Writes to stderr, so that a command's own output stays clean.
 * @template T
 * @param {string} doing e.g. "Installing packages"
 * @param {() => Promise<T>} task
 * @param {{ note?: string }} [options] said once at the start, e.g. how long it usually takes
 * @returns {Promise<T>}
 */
export async function working(doing, task, { note = '' } = {}) {
  const { stderr } = process;
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 1000);
  const label = note === '' ? doing : `${doing} (${note})`;
  const draw = stderr.isTTY
    ? () => stderr.write(`\r\u001b[2K${label} … ${seconds()} s`)
    : () => stderr.write(`${doing} … ${seconds()} s\n`);
  if (stderr.isTTY) draw();
  else stderr.write(`${label} …\n`);
  const timer = setInterval(draw, stderr.isTTY ? TERMINAL_TICK_MS : PLAIN_TICK_MS);
  let failed = true;
  try {
    const result = await task();
    failed = false;
    return result;
  } finally {
    clearInterval(timer);
    const end = `${doing} … ${failed ? 'failed' : 'done'} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`;
    stderr.write(stderr.isTTY ? `\r\u001b[2K${end}` : end);
  }
}
