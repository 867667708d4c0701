// @ts-check

const TERMINAL_TICK_MS = 250;
const PLAIN_TICK_MS = 10_000;
const CLEAR_LINE = '\r\u001b[2K';

/** Whether the cursor stands behind an unfinished line. */
let unfinished = false;

/**
 * Shows that something is being worked on and for how long: a counting line on a terminal, elsewhere a line that grows
 * every ten seconds. Writes to stderr, so that a command's own output stays clean.
 * @template T
 * @param {string} doing e.g. "Installing packages"
 * @param {() => Promise<T>} task
 * @param {{ note?: string }} [options] e.g. how long it usually takes
 * @returns {Promise<T>}
 */
export async function working(doing, task, { note = '' } = {}) {
  const { stderr } = process;
  const startedAt = performance.now();
  const elapsed = (digits = 0) => `${((performance.now() - startedAt) / 1000).toFixed(digits)} s`;
  const label = note === '' ? doing : `${doing} (${note})`;
  const begin = () => {
    stderr.write(`${stderr.isTTY ? CLEAR_LINE : ''}${label} …`);
    unfinished = true;
  };
  const tick = () => {
    if (stderr.isTTY || !unfinished) begin();
    stderr.write(` ${elapsed()}${stderr.isTTY ? '' : ' …'}`);
  };
  begin();
  const timer = setInterval(tick, stderr.isTTY ? TERMINAL_TICK_MS : PLAIN_TICK_MS);
  /** @param {string} how */
  const end = (how) => {
    clearInterval(timer);
    if (stderr.isTTY || !unfinished) begin();
    stderr.write(` ${how} (${elapsed(1)})\n`);
    unfinished = false;
  };
  try {
    const result = await task();
    end('done');
    return result;
  } catch (error) {
    const givenUp = error instanceof Error && error.name === 'AbortError';
    if (givenUp)
      clearInterval(timer); // everything is being stopped, and that is what people are told
    else end('failed');
    throw error;
  }
}

/**
 * Prints a line of its own, whatever is being shown.
 * @param {string} line
 */
export function say(line) {
  const clear = !unfinished ? '' : process.stderr.isTTY ? CLEAR_LINE : '\n';
  process.stderr.write(`${clear}${line}\n`);
  unfinished = false;
}
