// @ts-check
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

const ERROR = 50;
const WARN = 40;
const SHOWN = 400;
/** What a replica says that gives up stopping in order: allowed as often as what it waited for was broken. */
const GAVE_UP_STOPPING = /it did not stop within \d+ ms of SIG(TERM|INT)$/;

/**
 * Looks through what a replica said: errors, which nothing that is done to it excuses, and how often it warned of what.
 * @param {string} name
 * @param {string} file
 * @param {number} excusedStops
 * @returns {Promise<{ errors: string[], warnings: Map<string, number> }>}
 */
export async function readLog(name, file, excusedStops) {
  let excuses = excusedStops;
  /** @type {string[]} */
  const errors = [];
  /** @type {Map<string, number>} */
  const warnings = new Map();
  if (!existsSync(file)) return { errors, warnings };
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const entry = parse(line);
    // What is no line of the log came from Node itself, or from a crash.
    if (entry === null && GAVE_UP_STOPPING.test(line) && excuses-- > 0) continue;
    if (entry === null) errors.push(`${name}: ${line.slice(0, SHOWN)}`);
    else if (entry.level >= ERROR) errors.push(`${name}: ${line.slice(0, SHOWN)}`);
    else if (entry.level >= WARN) warnings.set(entry.msg, (warnings.get(entry.msg) ?? 0) + 1);
  }
  return { errors, warnings };
}

/**
 * @param {string} line
 * @returns {{ level: number, msg: string } | null}
 */
function parse(line) {
  try {
    const { level, msg } = JSON.parse(line);
    return typeof level === 'number' ? { level, msg: String(msg) } : null;
  } catch {
    return null;
  }
}
