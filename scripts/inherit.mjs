// @ts-check
import os from 'node:os';
import { guardProcess } from './guard.mjs';

/**
 * Lives as long as a child that shares our terminal: signals are the child's to act on, and its exit code is ours.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} exit code
 */
export function inherit(child) {
  const release = child.pid === undefined ? () => {} : guardProcess(child.pid, 'TERM');
  // Ctrl-C reaches the child by itself, as it does all of the terminal's processes; a plain kill reaches only us.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      release();
      resolve(code ?? 128 + (signal === null ? 0 : os.constants.signals[signal]));
    });
  });
}
