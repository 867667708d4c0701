// @ts-check
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { peakMemory } from '../../scripts/bench/process-usage.mjs';
import { guardProcess } from '../../scripts/guard.mjs';
import { freePort } from '../../scripts/postgres/free-port.mjs';
import { Proxy } from './proxy.mjs';
import { within } from './waiting.mjs';

/** How long a replica that was told to stop may take; then it has failed at it. */
const STOP_WITHIN_MS = 15_000;

/**
 * @typedef {object} ReplicaOptions
 * @property {string} name
 * @property {string} dist
 * @property {string} folder for its log, its spool and its clock
 * @property {{ port: number, tlsPort: number, caFile: string, instanceId: string, accessKeyId: string, accessKeySecret: string }} platform
 * @property {boolean} tls whether it speaks TLS to the platform
 * @property {string | null} spool a folder that outlives its restarts
 * @property {string | null} faketime the library that gives it a clock of its own
 * @property {() => string} databaseUrl of the server itself
 */

/** One replica of the service: the built process, told everything by its environment, behind two proxies of its own. */
export class Replica {
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  /** @type {Promise<void>} */
  #exited = Promise.resolve();
  #options;
  #expected = false;
  #httpPort = 0;
  /** @type {{ amqp: number, postgres: number }} */
  #ports = { amqp: 0, postgres: 0 };
  amqp;
  postgres;
  peakBytes = 0;
  starts = 0;
  /** Whether it is wanted: not while a fault keeps it down. */
  wanted = false;
  /** How often it gave up stopping in order, with a reason. */
  excusedStops = 0;
  /** What it did that nobody asked for. @type {string[]} */
  surprises = [];

  /** @param {ReplicaOptions} options */
  constructor(options) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
    this.amqp = new Proxy(options.tls ? options.platform.tlsPort : options.platform.port);
    this.postgres = new Proxy(null);
    this.setClock(0);
  }

  get name() {
    return this.#options.name;
  }

  get logFile() {
    return path.join(this.#options.folder, 'log.jsonl');
  }

  get url() {
    return `http://127.0.0.1:${this.#httpPort}`;
  }

  get runs() {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async open() {
    this.#ports = { amqp: await this.amqp.listen(), postgres: await this.postgres.listen() };
  }

  async start() {
    if (this.runs) return;
    this.wanted = true;
    this.#expected = false;
    this.starts++;
    this.#httpPort = await freePort(0);
    const log = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, [path.join(this.#options.dist, 'main.js')], {
      cwd: this.#options.folder, // away from any .env file
      env: this.#environment(),
      stdio: ['ignore', log, log],
      detached: true, // Ctrl-C is for us
    });
    closeSync(log);
    const pid = child.pid ?? 0;
    const release = guardProcess(pid, 'KILL');
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        release();
        if (!this.#expected) this.surprises.push(`${this.name} ended by itself (${signal ?? `exit code ${code}`})`);
        resolve();
      });
    });
  }

  async kill() {
    this.#end('SIGKILL');
    await this.#exited;
  }

  /**
   * In order; one that does not end in time is killed, and has failed.
   * @param {() => boolean} excused whether what it has to wait for is broken: then it may give up waiting, and say so
   */
  async stop(excused) {
    const before = excused();
    const started = (await this.get('/health/live')) !== undefined;
    const child = this.#child;
    const running = this.runs;
    this.#end('SIGTERM');
    if (!(await within(this.#exited, STOP_WITHIN_MS))) {
      this.surprises.push(`${this.name} did not end within ${STOP_WITHIN_MS / 1_000} s of SIGTERM`);
      await this.kill();
      return;
    }
    if (!running || child?.exitCode === 0) return;
    if (child?.signalCode === 'SIGTERM' && !started) return; // it had nothing open yet, and did not listen to signals
    if (child?.exitCode === 1 && (before || excused())) this.excusedStops++;
    else {
      const how = child?.signalCode ?? `exit code ${child?.exitCode}`;
      this.surprises.push(`${this.name} ended with ${how} after SIGTERM`);
    }
  }

  /** @param {'SIGSTOP' | 'SIGCONT'} signal */
  signal(signal) {
    if (this.runs) this.#child?.kill(signal);
  }

  /** @param {number} seconds by which its clock is wrong */
  setClock(seconds) {
    writeFileSync(this.#clockFile, `${seconds < 0 ? '' : '+'}${seconds}s\n`);
  }

  /**
   * What it answers, or undefined where it does not.
   * @param {string} route
   * @returns {Promise<any>}
   */
  async get(route) {
    if (!this.runs) return undefined;
    try {
      const response = await fetch(this.url + route, { signal: AbortSignal.timeout(5_000) });
      return response.ok ? await response.json() : undefined;
    } catch {
      return undefined;
    }
  }

  /** Looks how much memory it has had. */
  measure() {
    if (this.runs) this.peakBytes = Math.max(this.peakBytes, peakMemory(this.#child?.pid ?? 0) ?? 0);
  }

  close() {
    this.#end('SIGKILL');
    this.amqp.close();
    this.postgres.close();
  }

  get #clockFile() {
    return path.join(this.#options.folder, 'clock');
  }

  /** @param {NodeJS.Signals} signal */
  #end(signal) {
    this.#expected = true;
    this.wanted = false;
    if (this.runs) this.#child?.kill(signal);
  }

  #environment() {
    const { platform, tls, spool, faketime, databaseUrl, name } = this.#options;
    const database = new URL(databaseUrl());
    database.port = String(this.#ports.postgres);
    return {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      DATABASE_URL: database.href,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(this.#httpPort),
      AMQP_URL: `${tls ? 'amqps' : 'amqp'}://127.0.0.1:${this.#ports.amqp}`,
      ...(tls ? { AMQP_CA_FILE: platform.caFile } : {}),
      AMQP_AUTH_MODE: 'aksign',
      AMQP_ACCESS_KEY_ID: platform.accessKeyId,
      AMQP_ACCESS_KEY_SECRET: platform.accessKeySecret,
      AMQP_IOT_INSTANCE_ID: platform.instanceId,
      AMQP_CONSUMER_GROUP_ID: 'DEFAULT_GROUP',
      AMQP_CLIENT_ID: name,
      PACK_READINGS_AFTER_DAYS: '1', // as much as possible
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
      ...(spool === null ? {} : { SPOOL_DIR: spool }),
      ...(faketime === null
        ? {}
        : {
            LD_PRELOAD: faketime,
            FAKETIME_TIMESTAMP_FILE: this.#clockFile,
            FAKETIME_CACHE_DURATION: '1', // the file is looked at once a second
            FAKETIME_DONT_FAKE_MONOTONIC: '1', // timers are not moved by a step of the clock
            DONT_FAKE_MONOTONIC: '1',
          }),
    };
  }
}
