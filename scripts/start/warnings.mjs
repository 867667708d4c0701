// @ts-check

const WARN = 40;
const SHOWN_IN_WINDOW = 10;
const WINDOW_MS = 10_000;
/** What every line has and nobody needs to see on the screen. */
const PLUMBING = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'context', 'name']);

/**
 * Shows what a part warns of while its whole log goes to a file: JSON lines of level warn and above, or plain ones
 * marked ERROR; a few in a while.
 * @param {string} who
 * @param {(line: string) => void} show
 * @returns {(line: string) => void}
 */
export function showWarnings(who, show) {
  let windowStart = -Infinity;
  let shown = 0;
  return (line) => {
    const text = warningOf(line);
    if (text === undefined) return;
    const now = performance.now();
    if (now - windowStart > WINDOW_MS) {
      windowStart = now;
      shown = 0;
    }
    shown += 1;
    if (shown <= SHOWN_IN_WINDOW) show(`${who}: ${text}`);
    if (shown === SHOWN_IN_WINDOW) show(`${who}: more of this is in its log`);
  };
}

/**
 * @param {string} line
 * @returns {string | undefined} undefined if it is no warning
 */
function warningOf(line) {
  if (!line.startsWith('{')) return /^\S+ ERROR /.test(line) ? line : undefined;
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof entry.level !== 'number' || entry.level < WARN) return undefined;
  const fields = Object.entries(entry)
    .filter(([name]) => !PLUMBING.has(name))
    .map(([name, value]) => `${name}=${brief(value)}`);
  return [String(entry.msg ?? ''), ...fields].join(' ').slice(0, 300);
}

/** @param {unknown} value */
function brief(value) {
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
