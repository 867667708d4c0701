// JSON-RPC 2.0 over stdio, one message a line, as the Prisma CLI speaks it to the native engine.

import { createInterface } from 'node:readline';
import { errorResponse, panicResponse } from './engine-errors.mjs';
import { log } from './log.mjs';
import { newEngineSession } from './engine-session.mjs';

const EXIT_PANIC = 101;

/**
 * @typedef {{ id: number, method: string, params: Record<string, unknown> | undefined }} Request
 */

/**
 * Answers requests from stdin until it ends, one after another: the engine cannot do two things at once.
 * @param {import('./engine-session.mjs').Options} options
 */
export function serve(options) {
  const session = newEngineSession({ ...options, print });
  /** @type {Map<number, () => void>} */
  const printed = new Map();
  let printId = 0;
  /** @type {Request | undefined} */
  let inHand;
  let queue = Promise.resolve();

  /** @param {unknown} message */
  function send(message) {
    process.stdout.write(`${JSON.stringify(message)}\n`);
  }

  /**
   * Has the CLI print something; its own stdout is not ours.
   * @param {string} content
   * @returns {Promise<void>}
   */
  function print(content) {
    const id = (printId += 1);
    send({ jsonrpc: '2.0', id, method: 'print', params: { content } });
    return new Promise((resolve) => printed.set(id, resolve));
  }

  /** @param {Request} request */
  async function answer(request) {
    inHand = request;
    try {
      send({ jsonrpc: '2.0', id: request.id, result: await session.call(request.method, request.params ?? {}) });
    } catch (error) {
      send(errorResponse(request, error, session.lastFailure()));
    }
    inHand = undefined;
  }

  /** @type {Promise<void> | undefined} */
  let stopping;

  /**
   * Ends what is going on, once: several reasons to stop come together.
   * @param {number} code
   */
  function stop(code) {
    stopping ??= session
      .dispose()
      .catch((error) => log('WARN', `Not closed cleanly: ${error}`))
      .then(() => process.exit(code));
  }

  const input = createInterface({ input: process.stdin, crlfDelay: Infinity });
  input.on('line', (line) => {
    if (line.trim() === '') return;
    const message = JSON.parse(line);
    if (message.method === undefined) {
      printed.get(message.id)?.();
      printed.delete(message.id);
      return;
    }
    queue = queue.then(() => answer(message));
  });
  input.on('close', () => stop(0)); // The CLI has its answers, or was killed: nobody waits for the rest.

  process.stdout.on('error', () => {}); // The CLI may be gone already.

  // The CLI sends SIGTERM as soon as it has closed our stdin; Ctrl-C comes to both of us.
  process.once('SIGTERM', () => stop(0));
  process.once('SIGINT', () => stop(0));

  // A panic inside an awaited call of the engine leaves its promise pending for ever and surfaces here.
  process.on('uncaughtException', (error) => {
    if (inHand) send(panicResponse(inHand, error));
    else log('ERROR', String(error.stack), { is_panic: true });
    stop(EXIT_PANIC);
  });
}
