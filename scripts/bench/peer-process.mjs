// @ts-check
import { fork } from 'node:child_process';
import { PlainError } from '../plain-error.mjs';

/**
 * A process of the benchmark that is asked and answers.
 * @typedef {object} PeerProcess
 * @property {number} pid
 * @property {(question: Record<string, unknown>) => Promise<any>} ask
 * @property {Promise<never>} died rejects, with what it said, when it ends before it is told to
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a module as a process of its own. It ends with us: its channel closes.
 * @param {string} file
 * @param {Record<string, unknown>} settings
 * @returns {PeerProcess}
 */
export function startPeerProcess(file, settings) {
  const child = fork(file, [JSON.stringify(settings)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
  });
  let complaints = '';
  child.stderr?.on('data', (chunk) => (complaints = (complaints + String(chunk)).slice(-4_000)));
  /** @type {Map<number, { resolve: (answer: unknown) => void, reject: (error: Error) => void }>} */
  const open = new Map();
  let last = 0;
  let ended = false;
  /** @type {Promise<never>} */
  const died = new Promise((_, reject) => {
    child.once('exit', () => {
      ended = true;
      const error = new PlainError(`${file} ended unexpectedly:\n${complaints}`);
      for (const waiting of open.values()) waiting.reject(error);
      open.clear();
      reject(error);
    });
  });
  const exited = died.catch(() => undefined);
  child.on('message', (/** @type {{ id: number, answer?: unknown, error?: string }} */ { id, answer, error }) => {
    const waiting = open.get(id);
    open.delete(id);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new PlainError(`${file}: ${error}`));
  });
  return {
    pid: child.pid ?? 0,
    died,
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(new PlainError(`${file} ended unexpectedly:\n${complaints}`));
        const id = ++last;
        open.set(id, { resolve, reject });
        child.send({ id, question });
      }),
    stop: async () => {
      if (!ended) child.disconnect();
      await exited;
    },
  };
}

/**
 * The other side: answers the questions of the benchmark until it lets go.
 * @param {(question: any) => unknown} answer
 */
export function serveQuestions(answer) {
  process.on('message', (/** @type {{ id: number, question: unknown }} */ { id, question }) => {
    void (async () => {
      try {
        process.send?.({ id, answer: await answer(question) });
      } catch (error) {
        process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      }
    })();
  });
  process.on('disconnect', () => process.exit(0));
}

/** @returns {any} what the starter handed over */
export function peerSettings() {
  return JSON.parse(process.argv[2] ?? '{}');
}
