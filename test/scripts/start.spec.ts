import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { root } from '../../scripts/checkout.mjs';
import { freePort } from '../../scripts/postgres/free-port.mjs';
import { isMigrated, readMigrations } from '../../scripts/postgres/migrations.mjs';
import { isAlive } from '../../scripts/setup/directory-lock.mjs';
import { readEnvironment, readWishes } from '../../scripts/start/environment.mjs';
import { makeDataFolder } from '../support/data-folder.mjs';
import { until } from '../support/until.js';
import { freshDatabase } from '../support/database.js';

// The first start makes a database and runs Prisma's command line, which a busy machine takes its time for.
jest.setTimeout(60_000);

/** `npm start` with the real database and stand-ins for service and simulator. */
class Start {
  readonly child: ChildProcess;
  said = '';
  readonly exited: Promise<number | null>;

  constructor(data: string, environment: Record<string, string>) {
    const script = path.join(root, 'test', 'scripts', 'stand-ins', 'start.mjs');
    this.child = spawn(process.execPath, [script, data], { env: { ...process.env, ...environment } });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data: Buffer) => (this.said += String(data)));
    }
    this.exited = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** Until everything runs, or this has ended. */
  async up(): Promise<this> {
    let code: number | null | undefined;
    void this.exited.then((ended) => (code = ended));
    await until(() => {
      if (code !== undefined) throw new Error(`npm start ended: ${this.said}`);
      expect(this.said).toContain('Ctrl-C stops everything.');
    }, 110_000);
    return this;
  }
}

describe('npm start', () => {
  let data: string;
  let port: number;
  const started: Start[] = [];

  const start = (environment: Record<string, string> = {}) => {
    const one = new Start(data, { HTTP_PORT: String(port), ...environment });
    started.push(one);
    return one;
  };
  const ask = async (page: string) => (await fetch(`http://127.0.0.1:${port}${page}`)).json() as Promise<object>;
  const postmaster = () => Number.parseInt(readFileSync(path.join(data, 'postgres', 'postmaster.pid'), 'utf8'), 10);

  beforeAll(async () => {
    data = makeDataFolder('start ');
    port = await freePort(0);
  });
  afterEach(async () => {
    for (const one of started.splice(0)) {
      one.child.kill('SIGINT');
      await one.exited;
    }
  });
  afterAll(() => rm(data, { recursive: true, force: true }));

  it('says what runs where, hands the service what it needs, and stops in order on Ctrl-C', async () => {
    const one = await start().up();
    expect(one.said).toContain(`http://127.0.0.1:${port}/v1/devices`);
    expect(one.said).toMatch(/embedded PostgreSQL 18\.\d+: postgresql:\/\/postgres@127\.0\.0\.1:\d+\/living_mirror\n/);
    const { url } = JSON.parse(readFileSync(path.join(data, 'postgres.json'), 'utf8')) as { url: string };
    expect(one.said).not.toContain(new URL(url).password);
    expect(await isMigrated(url, readMigrations(root))).toBe(true);
    expect(await ask('/')).toEqual({
      DATABASE_URL: url,
      AMQP_URL: 'amqps://127.0.0.1:5671',
      AMQP_AUTH_MODE: 'appkey',
      AMQP_APP_KEY: 'key',
      AMQP_CA_FILE: '/ca.pem',
    });
    const database = postmaster();
    one.child.kill('SIGINT');
    expect(await one.exited).toBe(0);
    expect(readFileSync(path.join(data, 'logs', 'service.log'), 'utf8')).toBe('service stopped\n');
    expect(isAlive(database)).toBe(false);
  });

  it.each<[part: string, crash: () => Promise<unknown>, said: RegExp]>([
    [
      'the service',
      () => ask('/crash').catch(() => 'it has no last words'),
      /the service ended unexpectedly \(killed by SIGKILL\)/,
    ],
    ['the database', async () => process.kill(postmaster(), 'SIGKILL'), /the embedded PostgreSQL ended unexpectedly/],
  ])('ends with an error, and everything else with it, when %s dies', async (_part, crash, said) => {
    const one = await start().up();
    const database = postmaster();
    await crash();
    expect(await one.exited).toBe(1);
    expect(one.said).toMatch(said);
    expect(isAlive(database)).toBe(false);
    await expect(ask('/')).rejects.toThrow();
  });

  it('shows why the service refuses to run', async () => {
    const one = start({ STAND_IN_SERVICE: 'refuse' });
    expect(await one.exited).toBe(1);
    expect(one.said).toMatch(/the service ended unexpectedly \(exit code 3\).*\n {2}HTTP_TOKEN must be set\./);
  });

  it('does not wait for ever for a service that will not stop', async () => {
    const one = await start({ STAND_IN_SERVICE: 'deaf' }).up();
    one.child.kill('SIGTERM');
    expect(await one.exited).toBe(0);
    await expect(ask('/')).rejects.toThrow();
  });

  it('leaves nothing behind when it is killed outright', async () => {
    const one = await start().up();
    const database = postmaster();
    one.child.kill('SIGKILL');
    await one.exited;
    await until(() => expect(isAlive(database)).toBe(false));
    await until(() => expect(ask('/')).rejects.toThrow());
  });

  it('migrates a database of one’s own and leaves it running', async () => {
    const database = await freshDatabase();
    try {
      const one = await start({ DATABASE_URL: database.url, AMQP_URL: 'amqps://iot.example.com:5671' }).up();
      expect(one.said).toContain('yours: postgresql://postgres@127.0.0.1');
      expect(one.said).toContain('platform  amqps://iot.example.com:5671');
      expect(await ask('/')).toEqual({ DATABASE_URL: database.url, AMQP_URL: 'amqps://iot.example.com:5671' });
      one.child.kill('SIGINT');
      expect(await one.exited).toBe(0);
      expect(await isMigrated(database.url, readMigrations(root))).toBe(true);
    } finally {
      await database.drop();
    }
  });

  it.each([
    ['nobody listens', 'postgresql://me:hush@127.0.0.1:1/x', /ECONNREFUSED.*check DATABASE_URL/],
    ['the host is unknown', 'postgresql://me:hush@nowhere.invalid/x', /nowhere\.invalid.*check DATABASE_URL/],
  ])('gives one line without the password when %s at DATABASE_URL', async (_what, url, line) => {
    const one = start({ DATABASE_URL: url, AMQP_URL: 'simulator' });
    expect(await one.exited).toBe(1);
    expect(one.said.trim()).toMatch(line);
    expect(one.said.trim().split('\n')).toHaveLength(1);
    expect(one.said).not.toContain('hush');
  });

  it('refuses before doing anything, naming every bad setting: DATABASE_URL without AMQP_URL among them', async () => {
    const script = path.join(root, 'scripts', 'start.mjs');
    const bad = { DATABASE_URL: 'postgresql://db.example.com/mirror', AMQP_URL: '', AMQP_CREDIT: '-1', HTTP_PORT: 'x' };
    const environment = { ...process.env, ...bad };
    const child = spawn(process.execPath, [script], { env: environment });
    let said = '';
    child.stderr.on('data', (data: Buffer) => (said += String(data)));
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
    const named = said
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(named.sort()).toEqual(['AMQP_CREDIT', 'AMQP_URL', 'HTTP_PORT']);
  });

  it('says so when its HTTP port is taken by another web server', async () => {
    const other = http.createServer((_request, response) => response.end('{}'));
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    try {
      const { refuseTakenPort } = await import('../../scripts/start/service-part.mjs');
      await expect(refuseTakenPort('127.0.0.1', port)).rejects.toThrow(/Port \d+ on 127.0.0.1 is taken.*HTTP_PORT/);
    } finally {
      other.close();
    }
  });
});

describe('what npm start makes of settings', () => {
  it.each<[settings: Record<string, string>, simulator: boolean]>([
    [{}, true],
    [{ AMQP_URL: 'simulator' }, true],
    [{ DATABASE_URL: 'postgresql://h/d', AMQP_URL: 'simulator' }, true],
    [{ AMQP_URL: 'amqps://iot.example.com' }, false],
  ])('%j: the simulator runs: %s', (settings, simulator) => {
    expect(readWishes(settings)).toMatchObject({ simulator });
  });

  it.each<[settings: Record<string, string>, problem: RegExp]>([
    [{ DATABASE_URL: 'postgresql://h/d' }, /AMQP_URL is not/],
    [{ DATABASE_URL: 'mysql://h/d', AMQP_URL: 'simulator' }, /no PostgreSQL address/],
    [{ DATABASE_URL: 'nonsense', AMQP_URL: 'simulator' }, /no PostgreSQL address/],
    [{ HTTP_PORT: '80000' }, /HTTP_PORT is "80000"/],
    [{ HTTP_PORT: 'http' }, /HTTP_PORT is "http"/],
    [{ DATABASE_URL: 'nonsense', HTTP_PORT: 'x' }, /AMQP_URL is not[^]*no PostgreSQL[^]*HTTP_PORT/],
  ])('%j is refused', (settings, problem) => {
    expect(() => readWishes(settings)).toThrow(problem);
  });

  it('takes from .env what the environment does not set; empty is not set', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), `living-mirror-test-${process.pid}-env`));
    writeFileSync(
      path.join(folder, '.env'),
      'AMQP_URL=amqps://from-file\nHTTP_PORT=4000\nHTTP_HOST=\n# comment\nLOG_LEVEL="debug"\n',
    );
    expect(readEnvironment(folder, { HTTP_PORT: '5000', AMQP_URL: '' })).toEqual({
      AMQP_URL: 'amqps://from-file',
      HTTP_PORT: '5000',
      LOG_LEVEL: 'debug',
    });
    await rm(folder, { recursive: true });
  });
});
