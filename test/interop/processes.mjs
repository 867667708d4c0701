// @ts-check
import { spawn } from 'node:child_process';

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, input?: string }} [options]
 * @returns {Promise<string>} what it wrote to its standard output
 */
export function run(program, args, { env = process.env, input = '' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ${args[0] ?? ''} ended with ${code}: ${(errors || output).slice(-2_000)}`));
    });
    child.stdin.once('error', () => {}); // it ended early: its exit code tells
    child.stdin.end(input);
  });
}

/**
 * Waits for a condition.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} condition
 * @param {number} withinMs
 * @returns {Promise<NonNullable<T>>} the first truthy answer
 */
export async function until(what, condition, withinMs = 60_000) {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
