// @ts-check
import { spawn } from 'node:child_process';
import path from 'node:path';
import { guardProcess } from '../guard.mjs';
import { PlainError } from '../plain-error.mjs';
import { freePort } from '../postgres/free-port.mjs';
import { getPage, until } from '../start/wait.mjs';
import { histogramLatency, readHistogram } from './percentiles.mjs';

const STOP_WITHIN_MS = 10_000;

/**
 * Peer (b): the real process, as it is deployed, with its settings in the environment.
 * @param {object} options
 * @param {string} options.dist
 * @param {string} options.folder to run in: without a `.env`
 * @param {string} options.url of its migrated database
 * @param {{ port: number, appKey: string, appSecret: string }} options.source
 * @param {string | undefined} options.profile
 * @param {AbortSignal} options.signal
 * @param {Record<string, string>} [options.settings] further ones
 */
export async function startService({ dist, folder, url, source, profile, signal, settings = {} }) {
  const httpPort = await freePort(0);
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`];
  const child = spawn(process.execPath, [...profiling, path.join(dist, 'main.js')], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      DATABASE_URL: url,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(httpPort),
      AMQP_URL: `amqp://127.0.0.1:${source.port}`,
      AMQP_AUTH_MODE: 'appkey',
      AMQP_APP_KEY: source.appKey,
      AMQP_APP_SECRET: source.appSecret,
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
      ...settings,
    },
  });
  const pid = child.pid ?? 0;
  const release = guardProcess(pid, 'TERM');
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints = (complaints + String(chunk)).slice(-4_000)));
  /** @type {Promise<void>} */
  const exited = new Promise((resolve) => {
    child.once('exit', () => {
      release();
      resolve();
    });
  });
  const died = () => child.exitCode !== null || child.signalCode !== null;
  const page = (/** @type {string} */ route) => getPage(`http://127.0.0.1:${httpPort}${route}`);
  await until(async () => {
    if (died()) throw new PlainError(`The service did not start:\n${complaints}`);
    return (await page('/health/ready'))?.status === 200 || undefined;
  }, signal);

  const metrics = async () => {
    const answer = await page('/metrics');
    if (answer?.status !== 200) throw new PlainError(`The service has no metrics any more:\n${complaints}`);
    return answer.body;
  };
  const histogram = async () => readHistogram(await metrics(), 'living_mirror_receive_to_commit_seconds');
  let before = await histogram();
  return {
    pid,
    httpPort,
    metrics,
    reset: async () => {
      before = await histogram();
    },
    stats: async () => ({ latency: histogramLatency(before, await histogram()) }),
    stop: async () => {
      if (died()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
