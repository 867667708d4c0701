// @ts-check
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { writeAddress } from '../../scripts/postgres/address.mjs';
import { startPostgres } from '../../scripts/postgres/embedded-postgres.mjs';
import { freePort } from '../../scripts/postgres/free-port.mjs';
import { applyMigrations, readMigrations } from '../../scripts/postgres/migrations.mjs';
import { messageOf } from '../../scripts/plain-error.mjs';
import { runTool } from '../../scripts/setup/run-tool.mjs';
import { family, signalAll } from './processes.mjs';
import { pause, within } from './waiting.mjs';

/** @typedef {import('../../scripts/postgres/embedded-postgres.mjs').EmbeddedPostgres} EmbeddedPostgres */

const SETTINGS = [
  'max_connections=60',
  'max_wal_size=192MB',
  'min_wal_size=64MB',
  'shared_buffers=96MB',
  'log_min_messages=warning',
];
const START_WITHIN_MS = 60_000;
const STREAMING_WITHIN_MS = 30_000;

/** The one PostgreSQL of a run, whichever of its data directories is the primary just now. */
export class Database {
  #root;
  #folder;
  #logFile;
  #number = 1;
  /** @type {EmbeddedPostgres | null} */
  #postgres = null;
  /** Since when it is meant to be down. */
  #wantedDown = true;
  /** When it ended although nobody had it end. @type {string[]} */
  surprises = [];
  /** Told where it is from now on; null: nowhere. @type {(port: number | null) => void} */
  onMove = () => {};

  /**
   * @param {{ root: string, folder: string, logFile: string }} options `folder`: where data directories are made
   */
  constructor({ root, folder, logFile }) {
    this.#root = root;
    this.#folder = folder;
    this.#logFile = logFile;
  }

  get #directory() {
    return path.join(this.#folder, `postgres-${this.#number}`);
  }

  get url() {
    if (this.#postgres === null) throw new Error('PostgreSQL was never started');
    return this.#postgres.url;
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  async create() {
    await this.start();
    await applyMigrations(this.url, readMigrations(this.#root));
  }

  /** Until it runs. A server that cannot start just now (its disk is full) is tried again for a while. */
  async start() {
    const deadline = performance.now() + START_WITHIN_MS;
    for (;;) {
      try {
        this.#adopt(
          await startPostgres({
            root: this.#root,
            directory: this.#directory,
            logFile: this.#logFile,
            port: 0,
            settings: SETTINGS,
          }),
        );
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await pause(200);
      }
    }
  }

  /** Starts it where it has ended. */
  async ensure() {
    if (this.#wantedDown || !(await this.#answers())) await this.start();
  }

  /** kill -9 of all its processes. */
  async kill() {
    if (this.#postgres === null) return;
    this.#wantedDown = true;
    signalAll(family(this.#postgres.pid), 'SIGKILL');
    await this.#postgres.exited;
  }

  /** A fast, clean shutdown. */
  async stop(timeoutMs = 20_000) {
    this.#wantedDown = true;
    await this.#postgres?.stop(timeoutMs);
  }

  /** It may end from now on: its disk is full. */
  expectEnd() {
    this.#wantedDown = true;
  }

  /** Stops all its processes in their tracks. @returns {() => void} lets them go on */
  freeze() {
    if (this.#postgres === null) return () => {};
    const { pid } = this.#postgres;
    signalAll([pid], 'SIGSTOP'); // first, so that it starts no more of them
    const all = family(pid);
    signalAll(all, 'SIGSTOP');
    return () => signalAll([...all].reverse(), 'SIGCONT');
  }

  /**
   * A statement of the harness's own, straight to the server.
   * @param {string} text
   * @param {{ timeoutMs?: number }} [options]
   */
  async ask(text, { timeoutMs = 5_000 } = {}) {
    return askAt(this.url, text, timeoutMs);
  }

  /**
   * Builds a standby that every commit waits for. @returns {Promise<() => Promise<void>>} kills the primary and goes over to it
   */
  async prepareFailover() {
    const primary = this.url;
    const number = this.#number + 1;
    const directory = path.join(this.#folder, `postgres-${number}`);
    const port = await freePort(0);
    rmSync(directory, { recursive: true, force: true });
    await this.#copyTo(directory, `standby_${number}`);
    const url = withPort(primary, port);
    writeAddress(directory, { url, port, pid: 0 });
    /** @type {EmbeddedPostgres | undefined} */
    let standby;
    try {
      standby = await startPostgres({
        root: this.#root,
        directory,
        logFile: `${this.#logFile}.standby`,
        port,
        settings: SETTINGS,
      });
      await this.#follows('streaming', "state = 'streaming'");
      await this.ask("ALTER SYSTEM SET synchronous_standby_names = '*'");
      await this.ask('SELECT pg_reload_conf()');
      await this.#follows('synchronous', "sync_state = 'sync'");
    } catch (error) {
      await this.ask('ALTER SYSTEM RESET synchronous_standby_names');
      await this.ask('SELECT pg_reload_conf()');
      await standby?.stop(5_000);
      await this.ask('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
      throw error;
    }
    return this.#goOver(standby, number);
  }

  /**
   * @param {string} how
   * @param {string} condition of the row about the standby
   */
  async #follows(how, condition) {
    await eventually(
      `the standby to be ${how}`,
      async () => (await this.ask(`SELECT 1 FROM pg_stat_replication WHERE ${condition}`)).rows.length > 0,
      STREAMING_WITHIN_MS,
    );
  }

  /** @param {EmbeddedPostgres} standby @param {number} number */
  #goOver(standby, number) {
    return async () => {
      const former = this.#directory;
      this.onMove(null);
      await this.kill();
      await askAt(standby.url, 'SELECT pg_promote(true, 30)', 40_000);
      await askAt(standby.url, 'ALTER SYSTEM RESET primary_conninfo', 5_000);
      await askAt(standby.url, 'ALTER SYSTEM RESET primary_slot_name', 5_000);
      this.#number = number;
      this.#adopt(standby);
      rmSync(former, { recursive: true, force: true });
      rmSync(`${former}.json`, { force: true });
    };
  }

  /** @param {EmbeddedPostgres} postgres */
  #adopt(postgres) {
    this.#postgres = postgres;
    this.#wantedDown = false;
    void postgres.exited.then(({ code, signal }) => {
      if (this.#postgres !== postgres || this.#wantedDown) return;
      this.#wantedDown = true;
      this.surprises.push(`PostgreSQL ended by itself (${signal ?? `exit code ${code}`})`);
    });
    this.onMove(postgres.port);
  }

  async #answers() {
    try {
      await this.ask('SELECT 1');
      return true;
    } catch {
      return false;
    }
  }

  /**
   * A base backup by hand: there is no pg_basebackup among the embedded programs.
   * @param {string} directory
   * @param {string} slot keeps the log that the copy needs
   */
  async #copyTo(directory, slot) {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    await client.connect();
    try {
      await client.query('SELECT pg_create_physical_replication_slot($1, true)', [slot]);
      await client.query("SELECT pg_backup_start('torture', fast => true)");
      // Files may change and go while they are copied; the log that is played back puts that right.
      const { code, output } = await runTool('cp', ['-a', this.#directory, directory], { cwd: '/' });
      if (code !== 0 && !/No such file/.test(output)) throw new Error(`the copy failed: ${output}`);
      const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)');
      for (const own of ['postmaster.pid', 'postmaster.opts', 'standby.signal'])
        rmSync(path.join(directory, own), { force: true });
      for (const own of ['pg_replslot', 'pg_wal']) clearFolder(path.join(directory, own));
      for (const own of ['archive_status', 'summaries'])
        mkdirSync(path.join(directory, 'pg_wal', own), { mode: 0o700 });
      writeFileSync(path.join(directory, 'backup_label'), rows[0].labelfile, { mode: 0o600 });
      writeFileSync(path.join(directory, 'standby.signal'), '', { mode: 0o600 });
      const { port, password } = new URL(this.url);
      const settings = path.join(directory, 'postgresql.auto.conf');
      const lines = [
        `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres password=${password} application_name=standby'`,
        `primary_slot_name = '${slot}'`,
      ];
      writeFileSync(settings, `${readFileSync(settings, 'utf8')}${lines.join('\n')}\n`);
    } finally {
      await client.end();
    }
  }

  /** Ends whatever runs. */
  async end() {
    this.#wantedDown = true;
    if (this.#postgres === null) return;
    signalAll(family(this.#postgres.pid), 'SIGCONT');
    await within(this.#postgres.stop(5_000), 8_000);
  }
}

/**
 * @param {string} url
 * @param {string} text
 * @param {number} timeoutMs
 */
async function askAt(url, text, timeoutMs) {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    // The harness writes where the replicas must not.
    options: '-c default_transaction_read_only=off',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await within(client.end(), 1_000);
  }
}

/**
 * @param {string} what
 * @param {() => Promise<boolean>} holds
 * @param {number} withinMs
 */
async function eventually(what, holds, withinMs) {
  const deadline = performance.now() + withinMs;
  /** @type {unknown} */
  let last;
  for (;;) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`waited in vain for ${what}${last ? ` (${messageOf(last)})` : ''}`);
    await pause(100);
  }
}

/** @param {string} url @param {number} port */
function withPort(url, port) {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

/** @param {string} folder */
function clearFolder(folder) {
  for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true, force: true });
}
