import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

interface Service {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout: string;
  stderr: string;
}

/** The built service as a process of its own. Its broker is a port that nobody listens on. */
describe('node dist/main.js', () => {
  let database: TestDatabase;
  let empty: TestDatabase;
  let folder: string;
  const started: Service[] = [];

  beforeAll(async () => {
    database = await freshDatabase();
    empty = await freshDatabase({ migrated: false });
    folder = mkdtempSync(path.join(tmpdir(), 'living-mirror-process-'));
  });
  afterEach(async () => {
    for (const { process: child, exited } of started.splice(0)) {
      child.kill('SIGKILL');
      await exited;
    }
  });
  afterAll(async () => {
    await database.drop();
    await empty.drop();
    rmSync(folder, { recursive: true });
  });

  function start(settings: Record<string, string>): Service {
    const child = spawn(process.execPath, [path.join(root, 'dist', 'main.js')], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...settings },
    });
    const exited = once(child, 'close').then(([code]) => code as number | null);
    const service: Service = { process: child, exited, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (service.stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (service.stderr += String(chunk)));
    started.push(service);
    return service;
  }

  const enough = (databaseUrl: string): Record<string, string> => ({
    DATABASE_URL: databaseUrl,
    AMQP_URL: 'amqp://127.0.0.1:1',
    AMQP_APP_KEY: 'key',
    AMQP_APP_SECRET: 'secret',
    HTTP_PORT: '0',
  });

  const urlOf = (service: Service): Promise<string> =>
    until(() => {
      const line = service.stdout.split('\n').find((each) => each.includes('"Listening"'));
      expect(service).toMatchObject({ stderr: '' });
      return (JSON.parse(line ?? '') as { url: string }).url;
    }, 25_000);

  it('names every bad setting on stderr, and nothing else', async () => {
    const service = start({ HTTP_PORT: 'x', AMQP_CREDIT: '0', DATABASE_URL: 'mysql://u:hush@h/d' });
    expect(await service.exited).toBe(1);
    expect(service.stdout).toBe('');
    expect(service.stderr.split('\n').map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'living-mirror cannot run:',
      '  DATABASE_URL',
      '  HTTP_PORT',
      '  AMQP_URL',
      '  AMQP_APP_KEY',
      '  AMQP_APP_SECRET',
      '  AMQP_CREDIT',
      '',
    ]);
    expect(service.stderr).not.toContain('hush');
  });

  it('refuses a database with migrations pending, and says what to do', async () => {
    const service = start(enough(empty.url));
    expect(await service.exited).toBe(1);
    expect(service.stderr).toMatch(
      /^living-mirror cannot run: migrations are pending \(\d+_\w+.*\): run npx prisma migrate deploy\n$/,
    );
  });

  it('says that its port is taken', async () => {
    const other: Server = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const service = start({ ...enough(database.url), HTTP_PORT: String(port) });
    expect(await service.exited).toBe(1);
    expect(service.stderr).toBe(
      `living-mirror cannot run: port ${port} on 127.0.0.1 is taken: stop what listens there, or set HTTP_PORT\n`,
    );
    other.close();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('runs without a platform, and ends well on %s', async (signal) => {
    const service = start(enough(database.url));
    const url = await urlOf(service);
    await until(async () => {
      const reply = await fetch(`${url}/health/ready`);
      expect(await reply.json()).toMatchObject({ status: 'ready', checks: { platform: { ok: false } } });
    });
    const silent = connect(Number(new URL(url).port), '127.0.0.1'); // opened ahead of need, as browsers do
    await once(silent, 'connect');
    service.process.kill(signal);
    expect(await service.exited).toBe(0);
    expect(service.stderr).toBe('');
    silent.destroy();
  });

  it('starts while the database is away, not ready, and says so', async () => {
    const service = start({ ...enough('postgresql://nobody:secret@127.0.0.1:1/none') });
    const url = await urlOf(service);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    expect(service.stdout).toContain('check DATABASE_URL');
    expect(service.stdout).not.toContain('secret');
  });

  it('reads .env, and the environment before it', async () => {
    const lines = {
      ...enough('postgresql://nobody@127.0.0.1:1/none'),
      AMQP_CLIENT_ID: 'from-the-file',
      LOG_LEVEL: 'info',
    };
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(path.join(folder, '.env'), text.join(''));
    const service = start({ DATABASE_URL: database.url });
    const url = await urlOf(service);
    await until(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200));
    expect(service.stdout).toContain('"replica":"from-the-file"');
    rmSync(path.join(folder, '.env'));
  });
});
