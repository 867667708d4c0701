// @ts-check
import { spawn } from 'node:child_process';
import { guardProcess } from '../guard.mjs';

const KEPT_CHARACTERS = 64_000;

/**
 * Runs a program to its end and hands back what it said. It dies with us, however we end.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, signal?: AbortSignal, input?: string }} options
 * @returns {Promise<{ code: number | null, output: string }>} stdout and stderr together, the last 64,000 characters
 */
export function runTool(program, args, { cwd, env = process.env, signal, input }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGTERM',
    });
    const release = child.pid === undefined ? () => {} : guardProcess(child.pid, 'TERM');
    let output = '';
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_CHARACTERS);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.stdin?.on('error', () => {}); // it ended without reading: its exit code says more
    child.stdin?.end(input);
    child.once('error', (error) => {
      release();
      reject(error);
    });
    child.once('close', (code) => {
      release();
      resolve({ code, output });
    });
  });
}

/**
 * The last lines of a text, indented, to be shown under an error.
 * @param {string} text
 * @param {number} [count]
 */
export function lastLines(text, count = 15) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines
    .slice(-count)
    .map((line) => `  ${line}`)
    .join('\n');
}
