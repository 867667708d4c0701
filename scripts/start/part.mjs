// @ts-check
import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { guardProcess } from '../guard.mjs';
import { LogFile } from './log-file.mjs';

const KEPT_LINES = 15;

/**
 * Starts a program as a part: in a process group of its own, so that Ctrl-C reaches it through us and in order; its
 * output goes to a log file; it dies with us.
 * @param {object} options
 * @param {string} options.name as people know it: "the service"
 * @param {string} options.program
 * @param {readonly string[]} options.args
 * @param {string} options.cwd
 * @param {NodeJS.ProcessEnv} options.env
 * @param {string} options.logFile
 * @param {(line: string) => void} [options.onLine] hears every line of its output
 * @returns {import('./supervisor.mjs').Part}
 */
export function startPart({ name, program, args, cwd, env, logFile, onLine = () => {} }) {
  const log = new LogFile(logFile);
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  const release = pid === undefined ? () => {} : guardProcess(-pid, 'TERM');
  /** @type {string[]} */
  const said = [];
  /** @type {string[]} */
  const complained = [];
  listen(child.stdout, log, said, onLine);
  listen(child.stderr, log, complained, onLine);
  child.once('error', (error) => complained.push(error.message));
  /** @type {Promise<import('./supervisor.mjs').Ending>} */
  const exited = new Promise((resolve) => {
    const done = () => {
      release();
      signalGroup('SIGKILL'); // whatever it left behind
      resolve({ code: child.exitCode, signal: child.signalCode });
    };
    // Not "close": a grandchild may hold the pipes open for longer.
    child.once('exit', () => setImmediate(done));
    if (pid === undefined) child.once('error', done);
  });
  /** @param {NodeJS.Signals} signal */
  const signalGroup = (signal) => {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // nobody left
    }
  };
  return {
    name,
    logFile,
    exited,
    stop: async (timeoutMs) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      signalGroup('SIGTERM');
      const timer = setTimeout(() => signalGroup('SIGKILL'), timeoutMs);
      await exited;
      clearTimeout(timer);
    },
    kill: () => signalGroup('SIGKILL'),
    // What it said on stderr is why it ended; its ordinary log is second best.
    lastWords: () => (complained.length > 0 ? complained : said).map((line) => `  ${line}`).join('\n'),
  };
}

/**
 * @param {import('node:stream').Readable} stream
 * @param {LogFile} log
 * @param {string[]} kept the last lines
 * @param {(line: string) => void} onLine
 */
function listen(stream, log, kept, onLine) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk) => {
    log.write(chunk);
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      kept.push(line);
      if (kept.length > KEPT_LINES) kept.shift();
      onLine(line);
    }
  });
  stream.on('end', () => {
    if (rest.trim() !== '') kept.push(rest);
  });
}
