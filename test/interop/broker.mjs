// @ts-check
// Debian's RabbitMQ with its AMQP 1.0 plugin, as a child of this process: everything it keeps is in one folder of ours, it
// listens on loopback only, and no system service, node name or port of this machine is touched.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../scripts/postgres/free-port.mjs';
import { run, until } from './processes.mjs';

const PROGRAMS = '/usr/lib/rabbitmq/bin';
const START_WITHIN_MS = 120_000;

/** @typedef {{ ready: number, unanswered: number, consumers: number }} QueueState */

export class Broker {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #server;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #portMapper;
  #port = 0;
  #folder;
  /** @type {NodeJS.ProcessEnv} */
  #environment = {};

  /** @param {string} folder what the broker keeps goes here */
  constructor(folder) {
    this.#folder = folder;
  }

  get url() {
    return `amqp://127.0.0.1:${this.#port}`;
  }

  /**
   * Makes the broker's configuration and starts it for the first time.
   * @param {{ users: Record<string, string>, queues: readonly string[] }} options passwords by user; durable queues
   */
  async create({ users, queues }) {
    if (!existsSync(path.join(PROGRAMS, 'rabbitmq-server'))) {
      throw new Error('RabbitMQ is not installed: apt-get install rabbitmq-server python3-qpid-proton');
    }
    mkdirSync(this.#folder, { recursive: true });
    const file = (/** @type {string} */ name) => path.join(this.#folder, name);
    this.#port = await freePort(0);
    const mapperPort = await freePort(0);
    const nodePort = await freePort(0);
    const settings = [
      `listeners.tcp.1 = 127.0.0.1:${this.#port}`,
      'amqp1_0.default_user = none',
      'log.console = true',
      'log.file = false',
    ];
    const configure = (/** @type {string[]} */ ...more) =>
      writeFileSync(file('rabbitmq.conf'), [...settings, ...more, ''].join('\n'));
    configure(`load_definitions = ${file('definitions.json')}`);
    writeFileSync(file('enabled_plugins'), '[rabbitmq_amqp1_0].\n');
    writeFileSync(file('definitions.json'), JSON.stringify(definitions(users, queues)));
    writeFileSync(file('.erlang.cookie'), randomBytes(16).toString('hex'), { mode: 0o400 });
    this.#environment = {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: this.#folder,
      ERL_EPMD_PORT: String(mapperPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `mirror-interop-${process.pid}@localhost`,
      RABBITMQ_DIST_PORT: String(nodePort),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      RABBITMQ_CONFIG_FILE: file('rabbitmq.conf'),
      RABBITMQ_CONF_ENV_FILE: file('no-rabbitmq-env.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins'),
      RABBITMQ_MNESIA_BASE: file('mnesia'),
      RABBITMQ_LOG_BASE: file('log'),
      RABBITMQ_PID_FILE: file('pid'),
      RABBITMQ_GENERATED_CONFIG_DIR: file('generated'),
    };
    // Erlang starts a port mapper of its own that outlives everyone, unless there is one.
    this.#portMapper = spawn('epmd', [], { env: this.#environment, stdio: 'ignore' });
    await this.start();
    configure(); // a restart must not undo what has changed since
  }

  async start() {
    const log = openSync(path.join(this.#folder, 'broker.log'), 'a');
    const server = spawn(path.join(PROGRAMS, 'rabbitmq-server'), [], {
      env: this.#environment,
      stdio: ['ignore', log, log],
      detached: true, // a group of its own: the scripts around the Erlang machine go with it
    });
    this.#server = server;
    const said = () => readFileSync(path.join(this.#folder, 'broker.log'), 'utf8');
    const before = said().length;
    await until(
      'RabbitMQ to start',
      async () => {
        if (server.exitCode !== null) throw new Error(`RabbitMQ did not start:\n${said().slice(-3_000)}`);
        return said().slice(before).includes('Server startup complete');
      },
      START_WITHIN_MS,
    );
  }

  /** @param {'SIGTERM' | 'SIGKILL'} signal */
  async stop(signal = 'SIGTERM') {
    const server = this.#server;
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = new Promise((resolve) => server.once('exit', resolve));
    process.kill(-server.pid, signal);
    await exited;
    await until('RabbitMQ to be gone', async () => !groupLives(server.pid ?? 0), 60_000);
  }

  /** Ends everything, whatever state it is in. */
  async end() {
    await this.stop('SIGKILL').catch(() => {});
    this.#portMapper?.kill('SIGKILL');
  }

  /**
   * @param {string} user
   * @param {string} password
   */
  async changePassword(user, password) {
    await this.#control('change_password', user, password);
  }

  /** @returns {Promise<Map<string, QueueState>>} */
  async queues() {
    const text = await this.#control(
      'list_queues',
      '--formatter=json',
      '--silent',
      'name',
      'messages_ready',
      'messages_unacknowledged',
      'consumers',
    );
    /** @type {{ name: string, messages_ready: number, messages_unacknowledged: number, consumers: number }[]} */
    const rows = JSON.parse(text);
    return new Map(
      rows.map((row) => [
        row.name,
        { ready: row.messages_ready, unanswered: row.messages_unacknowledged, consumers: row.consumers },
      ]),
    );
  }

  /** @param {readonly string[]} args */
  #control(...args) {
    return run(path.join(PROGRAMS, 'rabbitmqctl'), args, { env: this.#environment });
  }
}

/** @param {number} group */
function groupLives(group) {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {Record<string, string>} users
 * @param {readonly string[]} queues
 */
function definitions(users, queues) {
  const everything = { configure: '.*', write: '.*', read: '.*', vhost: '/' };
  return {
    vhosts: [{ name: '/' }],
    users: Object.entries(users).map(([name, password]) => ({
      name,
      password_hash: passwordHash(password),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: '',
    })),
    permissions: Object.keys(users).map((user) => ({ user, ...everything })),
    queues: queues.map((name) => ({ name, vhost: '/', durable: true, auto_delete: false, arguments: {} })),
  };
}

/** @param {string} password */
function passwordHash(password) {
  const salt = randomBytes(4);
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password, 'utf8').digest()]).toString('base64');
}
