// @ts-check
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { query, sibling } from '../../scripts/postgres/connection.mjs';
import { startPostgres } from '../../scripts/postgres/embedded-postgres.mjs';
import { applyMigrations, readMigrations } from '../../scripts/postgres/migrations.mjs';
import { rawOf } from './checks.mjs';
import { fromJson } from './input.mjs';

/**
 * @typedef {import('./checks.mjs').Code} Code
 * @typedef {import('./checks.mjs').Fault} Fault
 * @typedef {import('../../src/domain/decoded-message.js').DecodedMessage} DecodedMessage
 * @typedef {{ input: Record<string, unknown>, decoded: DecodedMessage }} Sample
 */

const BATCH = 50;
const QUEUE_LIMIT = 2_000;
const LOOK_MS = 50;
/** So many times as long as a batch took, nothing is written: PostgreSQL would take the processor that inputs are tried on. */
const REST = 2;
/** Spoilt times need partitions of every month there is. A fresh database now and then keeps their number bearable. */
const BATCHES_A_DATABASE = 60;

/**
 * Writes samples of what was decoded with the service's own writer, as ingest would. That the database refuses one is a
 * fault: the decoder let something through. Ingest would find it by halving, but that is for what nobody could foresee.
 */
export class DatabaseCheck {
  /**
   * @param {{ root: string, folder: string, code: Code, onFault: (input: Record<string, unknown>, fault: Fault) => void }} options
   */
  constructor({ root, folder, code, onFault }) {
    this.root = root;
    this.folder = folder;
    this.code = code;
    this.onFault = onFault;
    /** @type {Sample[]} */
    this.queue = [];
    this.written = 0;
    this.batches = 0;
    this.ended = false;
  }

  async start() {
    const { root, folder } = this;
    const directory = path.join(folder, 'postgres');
    this.postgres = await startPostgres({
      root,
      directory,
      logFile: path.join(folder, 'postgres.log'),
      port: 0,
      durable: false,
    });
    this.admin = sibling(this.postgres.url, 'postgres');
    await this.make('template_fuzz', 'template1');
    await applyMigrations(sibling(this.postgres.url, 'template_fuzz'), readMigrations(root));
    this.loop = this.run();
  }

  /** @param {Record<string, unknown>} input */
  offer(input) {
    if (this.queue.length >= QUEUE_LIMIT) return;
    const decoded = this.code.decodeMessage(rawOf(this.code, fromJson(input)), { bodyIdentity: 'any' });
    this.queue.push({ input, decoded });
  }

  async stop() {
    this.ended = true;
    await this.loop;
    await this.postgres?.stop();
    rmSync(path.join(this.folder, 'postgres'), { recursive: true, force: true });
    rmSync(path.join(this.folder, 'postgres.json'), { force: true });
  }

  async run() {
    const store = await this.modules();
    let database = await this.open(store);
    while (!this.ended) {
      const batch = this.queue.splice(0, BATCH);
      if (batch.length === 0) {
        await setTimeout(LOOK_MS);
        continue;
      }
      const began = performance.now();
      await this.write(database.writer, batch);
      this.written += batch.length;
      await setTimeout((performance.now() - began) * REST);
      if (++this.batches % BATCHES_A_DATABASE === 0) {
        await database.close();
        database = await this.open(store);
      }
    }
    await database.close();
  }

  /**
   * @param {{ write(batch: readonly DecodedMessage[]): Promise<unknown> }} writer
   * @param {Sample[]} batch
   * @returns {Promise<void>}
   */
  async write(writer, batch) {
    try {
      await writer.write(batch.map(({ decoded }) => decoded));
      // and once more in the form of those that are not understood
      await writer.write(batch.map(({ decoded }) => ({ ...this.aside(decoded), key: flipped(decoded.key) })));
    } catch (error) {
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) {
        const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        this.onFault(only.input, { rule: 'the database refuses what was decoded', detail });
        return;
      }
      const half = batch.length >> 1;
      await this.write(writer, batch.slice(0, half));
      await this.write(writer, batch.slice(half));
    }
  }

  /** @param {DecodedMessage} decoded */
  aside(decoded) {
    return decoded.refusal === null ? this.code.setAsideForm(decoded, 'tried by the fuzzer') : decoded;
  }

  async modules() {
    /** @param {string} file */
    const built = (file) => import(pathToFileURL(path.join(this.root, 'dist', 'storage', file)).href);
    const [{ PrismaService }, { Partitions }, { DeviceEventWriter }] = await Promise.all(
      ['prisma.service.js', 'partitions.js', 'device-event.writer.js'].map(built),
    );
    return { PrismaService, Partitions, DeviceEventWriter };
  }

  /** @param {Awaited<ReturnType<DatabaseCheck['modules']>>} modules */
  async open({ PrismaService, Partitions, DeviceEventWriter }) {
    const url = await this.make('fuzz', 'template_fuzz');
    const prisma = new PrismaService({ databaseUrl: url });
    const writer = new DeviceEventWriter(prisma, new Partitions(prisma), { replica: 'fuzz', dedupeDays: 8 });
    return { writer, close: () => prisma.$disconnect() };
  }

  /**
   * @param {string} name
   * @param {string} template
   */
  async make(name, template) {
    const admin = this.admin ?? '';
    await query(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await query(admin, `CREATE DATABASE ${name} TEMPLATE ${template}`);
    return sibling(admin, name);
  }
}

/** @param {string} key */
function flipped(key) {
  return [...key].reverse().join('');
}
