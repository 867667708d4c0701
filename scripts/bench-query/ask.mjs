// @ts-check
import http from 'node:http';
import { PlainError } from '../plain-error.mjs';
import { Durations } from '../bench/percentiles.mjs';

/** Before a rate is measured: it is that of a service that has been running, whose code is compiled. */
const WARM_UP = 500;

/** Asks one service over connections that stay open. */
export class Asker {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  #port;

  /** @param {number} port */
  constructor(port) {
    this.#port = port;
  }

  /**
   * Reads a whole answer and throws it away, but for its size.
   * @param {string} path
   * @param {{ accept?: string, onBytes?: (chunk: Buffer) => void }} [options]
   * @returns {Promise<number>} bytes of the body
   */
  get(path, { accept = 'application/json', onBytes } = {}) {
    return new Promise((resolve, reject) => {
      const request = http.get(
        { host: '127.0.0.1', port: this.#port, path: encodeURI(path), agent: this.#agent, headers: { accept } },
        (answer) => {
          let bytes = 0;
          let problem = '';
          answer.on('data', (/** @type {Buffer} */ chunk) => {
            bytes += chunk.length;
            if (answer.statusCode !== 200 && problem.length < 500) problem += chunk.toString();
            onBytes?.(chunk);
          });
          answer.once('error', reject);
          answer.once('end', () => {
            if (answer.statusCode === 200) resolve(bytes);
            else reject(new PlainError(`${path} was answered with ${answer.statusCode}: ${problem}`));
          });
        },
      );
      request.once('error', reject);
    });
  }

  /**
   * One question after the other.
   * @param {(index: number) => string} question
   * @param {number} seconds
   * @param {AbortSignal} signal
   */
  async inTurn(question, seconds, signal) {
    const durations = new Durations();
    for (let warm = 0; warm < 5; warm++) await this.get(question(warm));
    const end = performance.now() + seconds * 1_000;
    for (let index = 5; performance.now() < end || index < 25; index++) {
      signal.throwIfAborted();
      const from = performance.now();
      await this.get(question(index));
      durations.add(performance.now() - from);
    }
    return durations.summary();
  }

  /**
   * So many questions a second, whether those before are answered or not: who waits is counted from when it should have been asked.
   * @param {(index: number) => string} question
   * @param {number} perSecond
   * @param {number} seconds
   * @param {AbortSignal} signal
   */
  async atRate(question, perSecond, seconds, signal) {
    const durations = new Durations();
    for (let warm = 0; warm < WARM_UP; warm++) await this.get(question(warm));
    const started = performance.now();
    /** @type {Promise<void>[]} */
    const open = [];
    for (let index = 0; index < perSecond * seconds; index++) {
      const due = started + (index * 1_000) / perSecond;
      while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
      signal.throwIfAborted();
      open.push(this.get(question(index + WARM_UP)).then(() => durations.add(performance.now() - due)));
    }
    await Promise.all(open);
    return durations.summary();
  }

  close() {
    this.#agent.destroy();
  }
}
