import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { root } from '../../scripts/checkout.mjs';
import { query } from '../../scripts/postgres/connection.mjs';
import { startPostgres, type EmbeddedPostgres } from '../../scripts/postgres/embedded-postgres.mjs';
import { isAlive } from '../../scripts/setup/directory-lock.mjs';
import { makeDataFolder } from '../support/data-folder.mjs';
import { until } from '../support/until.js';

jest.setTimeout(60_000); // it starts many processes, and a machine may be busy

describe('the embedded PostgreSQL', () => {
  let folder: string;
  let directory: string;
  const running: EmbeddedPostgres[] = [];

  const start = async (options: Partial<Parameters<typeof startPostgres>[0]> = {}) => {
    const logFile = path.join(folder, 'postgres.log');
    const postgres = await startPostgres({ root, directory, logFile, port: 0, durable: false, ...options });
    running.push(postgres);
    return postgres;
  };
  const stopAll = async () => {
    for (const postgres of running.splice(0)) await postgres.stop();
  };

  beforeAll(async () => {
    folder = makeDataFolder('with spaces ');
    directory = path.join(folder, 'post gres');
  });
  afterAll(async () => {
    await stopAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('starts on an empty path with spaces, with a database in UTF8, locale C and with checksums', async () => {
    const { url } = await start();
    const { rows } = await query(
      url,
      `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS locale, current_setting('data_checksums') AS checksums
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(rows).toEqual([{ encoding: 'UTF8', locale: 'C', checksums: 'on' }]);
    await stopAll();
  });

  it('says in a file that only its owner can read how to reach it', async () => {
    const { url, port, pid } = await start();
    const file = `${directory}.json`;
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ url, port, pid });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await stopAll();
  });

  it('lets nobody in without the password', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    await stopAll();
  });

  it('keeps data and address over a restart', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect((await query(second.url, 'SELECT answer FROM kept')).rows).toEqual([{ answer: 42 }]);
    await stopAll();
  });

  it('starts after a crash that left its lock behind', async () => {
    const crashed = await start();
    process.kill(crashed.pid, 'SIGKILL');
    await crashed.exited;
    const again = await start();
    expect(again).toMatchObject({ started: true });
    expect((await query(again.url, 'SELECT answer FROM kept')).rows).toHaveLength(1);
    await stopAll();
  });

  it('starts though the number in a lock left behind belongs to another process by now', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60000)']);
    try {
      writeFileSync(path.join(directory, 'postmaster.pid'), `${other.pid}\n${directory}\n1\n1\n\n127.0.0.1\n\nready\n`);
      expect(await start()).toMatchObject({ started: true });
    } finally {
      other.kill('SIGKILL');
      await stopAll();
    }
  });

  it('is joined by whoever comes second, who does not stop it', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const [owner, guest] = one.started ? [one, other] : [other, one];
    expect(guest).toMatchObject({ started: false, pid: owner.pid, url: owner.url });
    await guest.stop();
    expect((await query(owner.url, 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await stopAll();
  });

  it('moves to another port when its own is taken, and says so in its file', async () => {
    const { port } = JSON.parse(readFileSync(`${directory}.json`, 'utf8')) as { port: number };
    const squatter = net.createServer().listen(port, '127.0.0.1');
    try {
      const moved = await start();
      expect(moved.port).not.toBe(port);
      expect(JSON.parse(readFileSync(`${directory}.json`, 'utf8'))).toMatchObject({ port: moved.port, url: moved.url });
    } finally {
      squatter.close();
      await stopAll();
    }
  });

  it('gets a new password when the file with the old one is gone', async () => {
    rmSync(`${directory}.json`);
    const { url } = await start();
    expect((await query(url, 'SELECT answer FROM kept')).rows).toHaveLength(1);
    await stopAll();
  });

  it('makes its database again if somebody dropped it', async () => {
    expect((await query((await start({ database: 'an other' })).url, 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await stopAll();
  });

  it('shuts down when the process that started it is killed', async () => {
    const script = `
      import { startPostgres } from ${JSON.stringify(path.join(root, 'scripts/postgres/embedded-postgres.mjs'))};
      const [directory, logFile] = process.argv.slice(1);
      const { pid } = await startPostgres({ root: ${JSON.stringify(root)}, directory, logFile, durable: false, port: 0 });
      console.log(pid);
      setInterval(() => {}, 60000);`;
    const args = ['--input-type=module', '-e', script, directory, path.join(folder, 'postgres.log')];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = await new Promise<string>((resolve) =>
      parent.stdout.once('data', (data: Buffer) => resolve(String(data))),
    );
    expect(isAlive(Number(said))).toBe(true);
    parent.kill('SIGKILL');
    await until(() => expect(isAlive(Number(said))).toBe(false));
  });

  it('does not touch a folder that is something else', async () => {
    const other = path.join(folder, 'photos');
    mkdirSync(other);
    writeFileSync(path.join(other, 'cat.jpg'), '');
    await expect(start({ directory: other })).rejects.toThrow(/photos exists but holds no PostgreSQL database/);
  });

  it('says which folder cannot be written', async () => {
    writeFileSync(path.join(folder, 'a file'), '');
    await expect(start({ directory: path.join(folder, 'a file', 'postgres') })).rejects.toThrow(
      /Cannot write to .*a file/,
    );
  });

  it('says what to do about data of another version', async () => {
    const old = path.join(folder, 'old');
    mkdirSync(old);
    writeFileSync(path.join(old, 'PG_VERSION'), '12\n');
    await expect(start({ directory: old })).rejects.toThrow(/made by PostgreSQL 12.*move it away/);
  });

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot('runs as nobody, with its data in the temp directory, where root may make no user namespace', async () => {
    const nobody = { kind: 'other', uid: 65_534, gid: 65_534 } as const;
    const closed = await mkdtemp(path.join(folder, 'closed'));
    const postgres = await start({ directory: path.join(closed, 'postgres'), identity: nobody });
    expect(path.relative(os.tmpdir(), postgres.directory)).toMatch(/^living-mirror-[0-9a-f]+.postgres$/);
    expect(statSync(`/proc/${postgres.pid}`).uid).toBe(65_534);
    await stopAll();
    await rm(path.dirname(postgres.directory), { recursive: true });
  });
});
