// @ts-check
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../scripts/checkout.mjs';
import { until } from './processes.mjs';

/** The service as people run it in production: `node dist/main.js`, told everything by its environment. */
export class Service {
  #child;
  #exited;
  #url;
  /** What it logged, one object a line. @type {Record<string, unknown>[]} */
  lines = [];
  /** What it wrote to its standard error. */
  errors = '';

  /**
   * @param {Record<string, string>} settings
   * @param {number} httpPort
   * @param {string} logFile
   */
  constructor(settings, httpPort, logFile) {
    this.#url = `http://127.0.0.1:${httpPort}`;
    const child = spawn(process.execPath, [path.join(root, 'dist', 'main.js')], {
      cwd: path.dirname(logFile), // away from any .env file
      env: {
        PATH: process.env['PATH'],
        HTTP_PORT: String(httpPort),
        LOG_FORMAT: 'json',
        AMQP_AUTH_MODE: 'plain',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
    const log = createWriteStream(logFile, { flags: 'a' });
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.write(`${line}\n`);
      try {
        this.lines.push(JSON.parse(line));
      } catch {
        this.lines.push({ msg: line });
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log.write(text);
      this.errors += text;
    });
  }

  /**
   * Waits until a line was logged.
   * @param {string} msg
   * @param {number} [times]
   */
  async logged(msg, times = 1) {
    return until(`the service to log "${msg}"${times > 1 ? ` ${times} times` : ''}`, async () => {
      if (!this.runs) throw new Error(`The service ended: ${this.errors}`);
      const found = this.lines.filter((line) => line['msg'] === msg);
      return found.length >= times ? found : null;
    });
  }

  get runs() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * @param {string} route
   * @returns {Promise<any>}
   */
  async get(route) {
    const response = await fetch(this.#url + route);
    if (!response.ok) throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /**
   * @param {'SIGTERM' | 'SIGKILL'} signal
   * @returns {Promise<number | string>} the exit code, or the signal that ended it
   */
  async end(signal) {
    if (this.runs) this.#child.kill(signal);
    return this.#exited;
  }
}
