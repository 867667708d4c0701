// @ts-check
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'proton_client.py');
/** Debian's own Python has Debian's Proton; another one first in the path has not. */
export const PYTHON = '/usr/bin/python3';

/** @typedef {{ event: string, [field: string]: unknown }} Happened */

/** A consumer in a process of its own, see proton_client.py for what it is told and what it tells. */
export class ProtonClient {
  /** @type {Happened[]} */
  happened = [];
  /** @type {() => void} */
  #onEvent = () => {};

  /** @param {Record<string, unknown>} options */
  constructor(options) {
    this.child = spawn(PYTHON, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.happened.push(JSON.parse(line));
      this.#onEvent();
    });
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.once('exit', () => this.#onEvent());
    this.child.stdin.on('error', () => {}); // it ended before it heard
    this.child.stdin.write(`${JSON.stringify(options)}\n`);
  }

  /**
   * Waits for something to happen, in vain if the client ends first or after half a minute.
   * @param {string | ((happened: readonly Happened[]) => Happened | undefined)} wanted an event's name, or what finds it
   * @returns {Promise<Happened | null>}
   */
  async until(wanted) {
    const find = () =>
      typeof wanted === 'string' ? this.happened.find(({ event }) => event === wanted) : wanted(this.happened);
    const deadline = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    while (!find() && this.child.exitCode === null && this.child.signalCode === null) {
      await new Promise((resolve) => (this.#onEvent = () => resolve(undefined)));
    }
    clearTimeout(deadline);
    return find() ?? null;
  }

  /** @param {number} count @returns {Promise<Happened[]>} */
  async messages(count) {
    const received = () => this.happened.filter(({ event }) => event === 'message');
    await this.until((all) => all.filter(({ event }) => event === 'message')[count - 1]);
    return received();
  }

  /** @param {string} line */
  tell(line) {
    this.child.stdin.write(`${line}\n`);
  }

  async close() {
    this.tell('close');
    await this.until('closed');
  }

  kill() {
    this.child.kill('SIGKILL');
    return this.exited;
  }
}
